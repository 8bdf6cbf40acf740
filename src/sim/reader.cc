#include "sim/reader.h"

#include <array>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "dns/presentation.h"
#include "kv/store.h"
#include "serve/respond.h"
#include "wire/message.h"

namespace quorate::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

wire::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// How long a query waits for what is pending.
constexpr Duration kHold = milliseconds(250);

// A TXT record of one string.
std::string TextOf(std::string_view rdata) { return std::string(rdata.substr(1)); }

ReadAnswer Understand(wire::Bytes response) {
  const auto message = wire::ParseMessage(response);
  CHECK(message.ok());
  if (message->rcode == dns::Rcode::kServFail || message->rcode == dns::Rcode::kRefused) return {};
  ReadAnswer answer{.ok = true};
  CHECK_LE(message->answer.size(), 1u);
  if (!message->answer.empty()) answer.value = TextOf(message->answer[0].rdata);
  return answer;
}

// What the product's own code answers, and what pending entries mean to it.
std::pair<ReadAnswer, LogIndex> Ask(const std::string& key, uint16_t id, const zone::View& view,
                                    LogIndex through = zone::kWholeLog) {
  const auto query =
      wire::EncodeMessage(wire::MakeQuery(id, *dns::Name::FromText(key + ".sim."), dns::RRType::kTXT));
  CHECK(query.ok());
  std::array<uint8_t, 1232> out;
  const serve::Response response =
      serve::Respond(AsBytes(*query), view, serve::Transport::kUdp, {}, out, through);
  return {Understand({out.data(), response.size}), response.touched};
}

}  // namespace

Reader::Reader(ReaderParts parts)
    : parts_(std::move(parts)),
      gate_subscription_(parts_.gate.Subscribe([this] { OnBarrier(); })),
      view_subscription_(parts_.views.Subscribe([this] { OnPublished(); })) {
  parts_.views.BeginWait();
}

Reader::~Reader() {
  parts_.views.EndWait();
  parts_.views.Unsubscribe(view_subscription_);
  parts_.gate.Unsubscribe(gate_subscription_);
}

void Reader::Step(std::function<void()> next) {
  const bool paused = parts_.world.rng().Chance(parts_.pauses_permille, 1000);
  SIM_PROBE("sim.reader.paused-between-steps", paused);
  parts_.later(paused ? parts_.world.Between(milliseconds(1), seconds(4))
                      : parts_.world.Between(microseconds(1), microseconds(80)),
               std::move(next));
}

void Reader::Submit(ReadCallOf call) {
  ++open_;
  inbox_.push_back(std::move(call));
  if (!std::exchange(busy_, true)) Step([this] { Receive(); });
}

void Reader::Receive() {
  Step([this, batch = std::exchange(inbox_, {})]() mutable {
    SIM_MUTANT("capture-then-check") ? CaptureThenCheck(std::move(batch)) : CheckLease(std::move(batch));
    busy_ = !inbox_.empty();
    if (busy_) Step([this] { Receive(); });
  });
}

// --- by lease ---

void Reader::CheckLease(Batch batch) {
  const BootTime now = parts_.clock.Boot();
  if (!parts_.gate.HoldsLease(now) && !SIM_MUTANT("read-without-barrier")) return FallBack(std::move(batch));
  Step([this, batch = std::move(batch)]() mutable { OnLease(std::move(batch)); });
}

void Reader::OnLease(Batch batch) {
  const auto view = parts_.views.Get();
  if (!SIM_MUTANT("split-capture")) return AnswerFrom(*view, std::move(batch), /*leased=*/true);
  Step([this, batch = std::move(batch), view]() mutable {
    zone::View torn = *view;
    torn.pending = parts_.views.Get()->pending;
    AnswerFrom(torn, std::move(batch), /*leased=*/true);
  });
}

void Reader::CaptureThenCheck(Batch batch) {
  Step([this, batch = std::move(batch), view = parts_.views.Get()]() mutable {
    if (!parts_.gate.HoldsLease(parts_.clock.Boot())) return FallBack(std::move(batch));
    AnswerFrom(*view, std::move(batch), /*leased=*/true);
  });
}

void Reader::AnswerFrom(const zone::View& view, Batch batch, bool leased) {
  for (ReadCallOf& call : batch) {
    if (!call.dns) {
      AnswerStore(std::move(call), leased);
      continue;
    }
    const auto [answer, touched] = Ask(call.key, ++query_id_, view);
    const bool hold =
        leased && touched && !SIM_MUTANT("no-dirty-hold") && !SIM_MUTANT("read-without-barrier");
    if (!hold) {
      Reply(std::move(call), answer);
      continue;
    }
    SIM_PROBE("reads.held-for-pending", true);
    const BootTime deadline = parts_.clock.Boot() + kHold;
    held_.push_back({std::move(call), touched, view.pending->last(), view.truncations, deadline});
    parts_.later(parts_.clock.Until(deadline), [this] { OnPublished(); });
    OnPublished();  // what was published since the view was loaded woke nobody for this one
  }
}

// As Runner::Read.
void Reader::AnswerStore(ReadCallOf call, bool leased) {
  // The end of the log, whether or not the lease still holds: it was checked.
  const LogIndex target = *parts_.gate.TargetUnderLease({Duration::min()});
  if (!leased || parts_.gate.applied() >= target || SIM_MUTANT("no-dirty-hold") ||
      SIM_MUTANT("read-without-barrier"))
    return ReplyFromStore(std::move(call));
  SIM_PROBE("reads.store-read-held", true);
  auto shared = std::make_shared<ReadCallOf>(std::move(call));
  parts_.read(target, [this, shared](const absl::Status& status) {
    if (!status.ok()) return Reply(std::move(*shared), {});
    Step([this, shared] { ReplyFromStore(std::move(*shared)); });
  });
}

void Reader::OnPublished() {
  if (held_.empty() || std::exchange(resuming_, true)) return;
  Step([this] { Resume(); });
}

void Reader::Resume() {
  resuming_ = false;
  const auto view = parts_.views.Get();
  std::erase_if(held_, [&](Held& held) { return ResumeOne(*view, held); });
}

// True: it waits here no more.
bool Reader::ResumeOne(const zone::View& view, Held& held) {
  if (held.truncations != view.truncations) {
    SIM_PROBE("reads.held-and-truncated", true);
    Step([this, call = std::move(held.call)]() mutable {
      Batch batch;
      batch.push_back(std::move(call));
      CheckLease(std::move(batch));
    });
    return true;
  }
  if (held.target <= view.applied) {
    const LogIndex through = SIM_MUTANT("retest-held-reads") ? zone::kWholeLog : held.through;
    const auto [answer, touched] = Ask(held.call.key, ++query_id_, view, through);
    if (!touched) {
      Reply(std::move(held.call), answer);
      return true;
    }
    if (view.applied >= held.through)
      parts_.world.Fail("held reads end", "a read at member " + std::to_string(parts_.id.value) +
                                              " goes on waiting though all that it waited for is applied");
    held.target = touched;
  }
  if (parts_.clock.Boot() < held.deadline) return false;
  SIM_PROBE("reads.hold-time-over", true);
  Batch batch;
  batch.push_back(std::move(held.call));
  FallBack(std::move(batch));
  return true;
}

// --- by barrier ---

void Reader::FallBack(Batch batch) {
  SIM_PROBE("reads.fell-back-to-barrier", true);
  waiting_.push_back({parts_.gate.BeginBarrier(), std::move(batch)});
}

void Reader::OnBarrier() {
  if (waiting_.empty() || std::exchange(releasing_, true)) return;
  Step([this] {
    releasing_ = false;
    const uint64_t completed = parts_.gate.completed();
    while (!waiting_.empty() && waiting_.front().ticket <= completed) {
      Batch batch = std::move(waiting_.front().batch);
      waiting_.pop_front();
      Step([this, batch = std::move(batch)]() mutable {
        AnswerFrom(*parts_.views.Get(), std::move(batch), /*leased=*/false);
      });
    }
  });
}

// What was worked out leaves whenever the thread gets to it.
void Reader::Reply(ReadCallOf call, ReadAnswer answer) {
  Step([this, done = std::move(call.done), answer = std::move(answer)] {
    --open_;
    done(answer);
  });
}

void Reader::ReplyFromStore(ReadCallOf call) {
  const auto kv = kv::Get(parts_.map, call.key);
  Reply(std::move(call), {true, kv ? std::optional(kv->value) : std::nullopt});
}

}  // namespace quorate::sim
