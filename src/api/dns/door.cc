#include "api/dns/door.h"

#include "api/dns/signed_query.h"
#include "api/dns/update.h"
#include "base/limits.h"
#include "wire/header.h"
#include "wire/query.h"

namespace quorate::api::door {
namespace {

constexpr size_t kThreads = 2;
// A client asks again after 3 to 5 seconds (nsupdate, dig): it shall have an answer before that.
constexpr Duration kUpdateTimeout = std::chrono::milliseconds(4500);
constexpr Duration kReadTimeout = std::chrono::seconds(1);

wire::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

Door::Door(DoorBackend backend)
    : backend_(std::move(backend)), queue_(std::make_shared<Queue>(limits::kDnsDoorRequestsMax)) {
  for (size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Run(); });
}

Door::~Door() {
  queue_->Close();
  threads_.clear();
}

// The queue holds one task of each open exchange at most, so that it is never full.
void Door::Ask(serve::SlowRequest request, Deliver deliver) {
  if (open_->fetch_add(1) >= limits::kDnsDoorRequestsMax) {
    open_->fetch_sub(1);
    counters_.overflow.fetch_add(1);
    const serve::Request asked(AsBytes(request.message), {request.transport, request.address});
    std::string answer(serve::kResponseBytesMin, '\0');
    answer.resize(serve::RespondServFail(asked, *backend_.views->Get(), RespondConfigNow(),
                                         {reinterpret_cast<uint8_t*>(answer.data()), answer.size()}));
    return deliver(answer.empty() ? nullptr : std::make_unique<serve::SingleMessage>(std::move(answer)));
  }
  std::shared_ptr<void> slot(nullptr, [open = open_](void*) { open->fetch_sub(1); });
  auto exchange =
      std::make_shared<Exchange>(std::move(request), std::move(deliver), *backend_.clock, std::move(slot));
  Later([this, exchange] { Begin(exchange); });
}

void Door::Run() {
  while (!queue_->closed()) {
    for (Task& task : queue_->TakeOne(std::chrono::seconds(1))) task();
  }
}

std::function<void(Door::Task)> Door::Poster() const {
  return [queue = queue_](Task task) { (void)queue->TryPush(std::move(task)); };
}

bool Door::LookAgain(const ExchangePtr& exchange) {
  if (exchange->looked_again) return false;
  exchange->looked_again = true;
  // Without the right to read nobody is told that a key or a zone is not there.
  backend_.client->Read(kReadTimeout, [this, exchange, post = Poster()](const absl::Status& status) {
    post([this, exchange, may_read = status.ok()] {
      if (may_read) return Begin(exchange);
      exchange->ReplyHeader(dns::Rcode::kServFail);
    });
  });
  return true;
}

void Door::Begin(const ExchangePtr& exchange) {
  if (!exchange->IsRequest()) return exchange->Silence();
  const auto view = backend_.views->Get();
  const wire::TsigStatus status = exchange->CheckSignature(view->zones->keyring());
  if (status == wire::TsigStatus::kUnsigned || status == wire::TsigStatus::kVerified)
    return Dispatch(exchange, *view);
  const bool may_be_stale = status == wire::TsigStatus::kBadKey || status == wire::TsigStatus::kBadSig;
  if (may_be_stale && LookAgain(exchange)) return;
  CountFault(status);
  exchange->Fault();
}

void Door::CountFault(wire::TsigStatus status) {
  switch (status) {
    case wire::TsigStatus::kBadKey:
      counters_.bad_key.fetch_add(1);
      break;
    case wire::TsigStatus::kBadSig:
      counters_.bad_sig.fetch_add(1);
      break;
    case wire::TsigStatus::kBadTime:
      counters_.bad_time.fetch_add(1);
      break;
    case wire::TsigStatus::kBadTrunc:
      counters_.bad_trunc.fetch_add(1);
      break;
    default:
      counters_.form_err.fetch_add(1);
  }
}

void Door::Dispatch(const ExchangePtr& exchange, const zone::View& view) {
  const wire::Header header = wire::LoadHeader(AsBytes(exchange->message()));
  switch (header.opcode()) {
    case dns::Opcode::kUpdate:
      return Update(exchange, *view.zones);
    case dns::Opcode::kNotify:
      return Notify(exchange, *view.zones);
    case dns::Opcode::kQuery:
      return Query(exchange);
    default:
      return exchange->ReplyHeader(dns::Rcode::kNotImp);
  }
}

void Door::Update(const ExchangePtr& exchange, const zone::ZoneSet& zones) {
  auto parsed = wire::ParseMessage(AsBytes(exchange->message()));
  if (!parsed.ok()) {
    counters_.updates_refused.fetch_add(1);
    return exchange->ReplyHeader(dns::Rcode::kFormErr);
  }
  const auto asked = std::make_shared<const wire::Message>(*std::move(parsed));
  if (const auto fault = CheckUpdate(*asked, exchange->peer(), zones)) {
    if (fault->may_be_stale && LookAgain(exchange)) return;
    return AnswerUpdate(exchange, *asked, fault->verdict);
  }
  Propose(exchange, asked, rsm::EncodeCommand(UpdateCommand(*asked, *exchange)),
          backend_.clock->Boot() + kUpdateTimeout);
}

// What is signed may be proposed again when its fate is unknown: its identity sees to it that it is applied
// once.
void Door::Propose(const ExchangePtr& exchange, const std::shared_ptr<const wire::Message>& asked,
                   const std::string& command, BootTime deadline) {
  const Duration left = deadline - backend_.clock->Boot();
  if (left <= Duration::zero())
    return AnswerUpdate(exchange, *asked, VerdictOf(replica::ProposeOutcome(replica::OutcomeUnknown{})));
  auto done = [=, this, post = Poster()](const replica::ProposeOutcome& outcome) {
    post([=, this] {
      if (std::holds_alternative<replica::OutcomeUnknown>(outcome) && exchange->is_signed())
        return Propose(exchange, asked, command, deadline);
      AnswerUpdate(exchange, *asked, VerdictOf(outcome));
    });
  };
  backend_.client->Propose(command, left, std::move(done));
}

void Door::AnswerUpdate(const ExchangePtr& exchange, const wire::Message& asked, const Verdict& verdict) {
  auto& counter = verdict.rcode == dns::Rcode::kNoError    ? counters_.updates_applied
                  : verdict.rcode == dns::Rcode::kServFail ? counters_.updates_failed
                                                           : counters_.updates_refused;
  counter.fetch_add(1);
  exchange->Reply(asked, verdict);
}

void Door::Notify(const ExchangePtr& exchange, const zone::ZoneSet& zones) {
  const auto asked = wire::ParseMessage(AsBytes(exchange->message()));
  if (!asked.ok()) return exchange->ReplyHeader(dns::Rcode::kFormErr);
  const NotifyVerdict verdict = CheckNotify(*asked, exchange->peer(), zones);
  if (verdict.may_be_stale && LookAgain(exchange)) return;
  (verdict.notified ? counters_.notifies : counters_.notifies_refused).fetch_add(1);
  if (verdict.notified && backend_.on_notify) backend_.on_notify(*verdict.notified);
  exchange->Reply(*asked, verdict.verdict);
}

void Door::Query(const ExchangePtr& exchange) {
  const wire::QueryParse parse = wire::ParseQuery(AsBytes(exchange->message()));
  const dns::RRType type = parse.view.qtype;
  const bool is_transfer = parse.verdict == wire::QueryVerdict::kQuery && parse.view.has_question &&
                           (type == dns::RRType::kAXFR || type == dns::RRType::kIXFR);
  if (is_transfer) {
    auto asked = wire::ParseMessage(AsBytes(exchange->message()));
    if (!asked.ok()) return exchange->ReplyHeader(dns::Rcode::kFormErr);
    return Transfer(exchange, *std::move(asked));
  }
  counters_.signed_queries.fetch_add(1);
  backend_.client->Read(kReadTimeout, [this, exchange, post = Poster()](const absl::Status& status) {
    post([this, exchange, may_read = status.ok()] { AnswerQuery(exchange, may_read); });
  });
}

serve::RespondConfig Door::RespondConfigNow() const {
  serve::RespondConfig config = backend_.respond;
  config.wall_seconds = static_cast<uint32_t>(TsigTime(*backend_.clock));
  return config;
}

void Door::AnswerQuery(const ExchangePtr& exchange, bool may_read) {
  const auto view = backend_.views->Get();
  Consistency consistency;
  std::string answer = AnswerSignedQuery(*exchange, *view, RespondConfigNow(), &consistency);
  if (!may_read && consistency.kind == Consistency::Kind::kBounded) {
    return backend_.client->Read(
        consistency, kReadTimeout, [=, this, post = Poster()](const absl::Status& status) {
          post([=, this, ok = status.ok()] {
            if (ok) return AnswerQuery(exchange, true);
            exchange->Send(FailSignedQuery(*exchange, *backend_.views->Get(), RespondConfigNow()));
          });
        });
  }
  if (!may_read && consistency.kind == Consistency::Kind::kLinearizable)
    answer = FailSignedQuery(*exchange, *backend_.views->Get(), RespondConfigNow());
  if (answer.empty()) return exchange->Silence();
  exchange->Send(std::move(answer));
}

void Door::Transfer(const ExchangePtr& exchange, wire::Message asked) {
  const bool is_full = asked.questions[0].type == dns::RRType::kAXFR;
  if (is_full && exchange->transport() == serve::Transport::kUdp)  // RFC 5936 4.2
    return exchange->Reply(asked, {.rcode = dns::Rcode::kFormErr});
  if (backend_.transfers == nullptr) return exchange->Reply(asked, {.rcode = dns::Rcode::kNotImp});
  counters_.transfers.fetch_add(1);
  backend_.transfers->Transfer({.query = std::move(asked),
                                .client = exchange->client(),
                                .transport = exchange->transport(),
                                .key = exchange->key(),
                                .signer = exchange->TakeSigner()},
                               exchange->TakeDeliver());
}

}  // namespace quorate::api::door
