#include "api/xfr/transfer_out.h"

#include <algorithm>

#include "base/limits.h"

namespace quorate::api::xfr {
namespace {

using dns::Rcode;
using dns::RRType;
using Kind = TransferAnswer::Kind;

constexpr Duration kReadTimeout = std::chrono::seconds(5), kPoll = std::chrono::seconds(1);
constexpr size_t kUdpBytesMax = 1232, kUdpBytesPlain = 512;

TransferAnswer Error(Rcode rcode) {
  TransferAnswer answer;
  answer.rcode = rcode;
  return answer;
}

// The serial that an IXFR client has: the SOA in the authority section (RFC 1995 3).
std::optional<dns::Serial> ClientSerial(const wire::Message& query) {
  if (query.authority.size() != 1) return std::nullopt;
  const wire::Record& soa = query.authority.front();
  const bool fits = soa.type == RRType::kSOA && soa.rr_class == dns::RRClass::kIN &&
                    soa.name == query.questions.front().name;
  const auto fields = fits ? dns::ParseSoa(soa.rdata) : std::nullopt;
  return fields ? std::optional(fields->serial) : std::nullopt;
}

Rcode CheckForm(const TransferRequest& request) {
  const wire::Message& query = request.query;
  if (query.questions.size() != 1 || !query.answer.empty()) return Rcode::kFormErr;
  const wire::Question& question = query.questions.front();
  const bool full = question.type == RRType::kAXFR;
  if (!full && question.type != RRType::kIXFR) return Rcode::kFormErr;
  // RFC 5936 4.2: AXFR over UDP is not defined.
  if (full && (!query.authority.empty() || !serve::IsStream(request.transport))) return Rcode::kFormErr;
  if (!full && !ClientSerial(query)) return Rcode::kFormErr;
  if (question.rr_class != dns::RRClass::kIN) return Rcode::kRefused;
  return Rcode::kNoError;
}

Envelope EnvelopeOf(TransferRequest& request) {
  Envelope envelope;
  envelope.id = request.query.id;
  envelope.rd = request.query.rd;
  if (!request.query.questions.empty()) envelope.question = request.query.questions.front();
  envelope.edns = request.query.edns.has_value();
  if (request.signer) envelope.signer.emplace(*std::move(request.signer));
  return envelope;
}

std::unique_ptr<serve::MessageSource> Single(std::string message) {
  if (message.empty()) return nullptr;
  return std::make_unique<serve::SingleMessage>(std::move(message));
}

}  // namespace

TransferAnswer AnswerTransfer(const kv::MapReader& map, const zone::ZoneSet& zones,
                              const TransferRequest& request) {
  if (const Rcode wrong = CheckForm(request); wrong != Rcode::kNoError) return Error(wrong);
  const wire::Question& question = request.query.questions.front();
  const zone::ZonePtr zone = zones.Get(question.name.wire());
  if (!zone) return Error(Rcode::kNotAuth);
  const zone::Settings& settings = zones.SettingsOf(*zone);
  const zone::Peer peer{.address = request.client,
                        .key = request.key ? request.key->wire() : dns::NameView()};
  if (!settings.transfer.Allows(peer)) return Error(Rcode::kRefused);
  if (!settings.is_servable()) return Error(Rcode::kServFail);
  TransferAnswer answer;
  answer.zone = zone;
  if (question.type == RRType::kIXFR) {
    const dns::Serial have = *ClientSerial(request.query);
    if (have == zone->serial() || dns::IsNewer(have, zone->serial())) {
      answer.kind = Kind::kCurrent;
      answer.feed = SoaFeed(zone);
      return answer;
    }
    auto deltas =
        ReadDeltas(map, *zone, have, {.bytes = std::min(WireBytesOf(*zone), limits::kIxfrBytesMax)});
    if (deltas) {
      answer.kind = Kind::kIncremental;
      answer.feed = DeltaFeed(zone, *std::move(deltas));
      return answer;
    }
    if (!serve::IsStream(request.transport)) {  // the whole zone is not for a datagram
      answer.kind = Kind::kCurrent;
      answer.feed = SoaFeed(zone);
      return answer;
    }
  }
  answer.kind = Kind::kFull;
  answer.feed = ZoneFeed(zone);
  return answer;
}

TransferOut::TransferOut(const TransferBackend& backend)
    : backend_(backend),
      counters_(std::make_shared<TransferOutCounters>()),
      open_(std::make_shared<std::atomic<size_t>>(0)),
      jobs_(std::make_shared<BoundedQueue<std::shared_ptr<Job>>>(limits::kTransfersMax)),
      thread_([this] { Run(); }) {}

TransferOut::~TransferOut() {
  jobs_->Close();
  thread_.join();
}

void TransferOut::Transfer(TransferRequest request, serve::SlowDoor::Deliver deliver) {
  auto job = std::make_shared<Job>(Job{std::move(request), std::move(deliver)});
  if (open_->fetch_add(1) >= limits::kTransfersMax) {
    open_->fetch_sub(1);
    counters_->failed.fetch_add(1);
    Envelope envelope = EnvelopeOf(job->request);
    return job->deliver(Single(ErrorMessage(envelope, Rcode::kServFail, *backend_.clock)));
  }
  backend_.client->Read(kReadTimeout, [job, jobs = jobs_, open = open_](const absl::Status& status) {
    job->may_read = status.ok();
    if (jobs->TryPush(job)) return;
    open->fetch_sub(1);  // the process ends
    job->deliver(nullptr);
  });
}

void TransferOut::Run() {
  while (!jobs_->closed()) {
    for (const std::shared_ptr<Job>& job : jobs_->TakeAll(kPoll)) Serve(*job);
  }
  for (const std::shared_ptr<Job>& job : jobs_->TakeAll(Duration(0))) {
    open_->fetch_sub(1);
    job->deliver(nullptr);
  }
}

void TransferOut::Serve(Job& job) {
  const auto on_end = [open = open_] { open->fetch_sub(1); };
  const auto view = backend_.views->Get();
  TransferAnswer answer =
      job.may_read ? AnswerTransfer(*backend_.map, *view->zones, job.request) : Error(Rcode::kServFail);
  const bool datagram = !serve::IsStream(job.request.transport);
  const auto& edns = job.request.query.edns;
  const size_t room =
      edns ? std::clamp<size_t>(edns->udp_size, kUdpBytesPlain, kUdpBytesMax) : kUdpBytesPlain;
  Envelope envelope = EnvelopeOf(job.request);
  if (!answer.feed) {
    (answer.rcode == Rcode::kRefused ? counters_->refused : counters_->failed).fetch_add(1);
    on_end();
    return job.deliver(Single(ErrorMessage(envelope, answer.rcode, *backend_.clock)));
  }
  (answer.kind == Kind::kFull          ? counters_->full
   : answer.kind == Kind::kIncremental ? counters_->incremental
                                       : counters_->current)
      .fetch_add(1);
  if (!datagram) {
    return job.deliver(std::make_unique<TransferSource>(std::move(envelope), std::move(answer.feed),
                                                        *backend_.clock, on_end));
  }
  on_end();
  auto message = InOneMessage(envelope, *answer.feed, *backend_.clock, room);
  if (!message) message = InOneMessage(envelope, *SoaFeed(answer.zone), *backend_.clock, room);
  job.deliver(Single(message.value_or("")));
}

}  // namespace quorate::api::xfr
