#include "serve/read_path.h"

namespace quorate::serve {

ReadPath::ReadPath(const DataSource& source, const RespondConfig& config, Duration hold_budget,
                   WorkerCounters& counters, std::function<void()> wake)
    : source_(source),
      config_(config),
      hold_budget_(hold_budget),
      counters_(counters),
      wake_(std::move(wake)),
      reader_(source.views),
      gate_subscription_(source.gate.Subscribe(wake_)),
      view_subscription_(source.views.Subscribe(wake_)),
      view_(&reader_.Refresh()) {}

ReadPath::~ReadPath() {
  KeepWaiting(false);
  source_.views.Unsubscribe(view_subscription_);
  source_.gate.Unsubscribe(gate_subscription_);
}

void ReadPath::Look() {
  now_ = source_.clock.Boot();
  leased_ = source_.gate.HoldsLease(now_);
  completed_ = source_.gate.completed();
  fresh_ = source_.gate.FreshAsOf();
  // Last: what the gate said holds for a view that is loaded afterwards.
  view_ = &reader_.Refresh();
  ticket_.reset();
  if (completed_ != completed_at_failure_) failing_ = false;
}

ReadPath::Reply ReadPath::Start(const Request& request, std::span<uint8_t> out, Wait& wait) {
  wait.deadline = now_ + hold_budget_;
  last_ = {};
  if (leased_) {
    const Reply reply = Read(request, out, wait);
    if (!reply) counters_.held_pending.Add(), WaitForPublications();
    return reply;
  }
  if (const auto size = RespondWithoutZones(request, *view_, config_, out)) return size;
  return FallBack(request, out, wait);
}

ReadPath::Reply ReadPath::Resume(const Request& request, std::span<uint8_t> out, Wait& wait) {
  last_ = {};
  return wait.for_barrier ? AfterBarrier(request, out, wait) : AfterPending(request, out, wait);
}

const Response& ReadPath::Ask(const Request& request, std::span<uint8_t> out, LogIndex through,
                              ExtendedError error) {
  last_ = Respond(request, *view_, config_, out, through, error);
  return last_;
}

ReadPath::Reply ReadPath::Read(const Request& request, std::span<uint8_t> out, Wait& wait) {
  const Response& response = Ask(request, out);
  if (!response.touched) return response.size;
  wait.for_barrier = false;
  wait.target = response.touched;
  wait.through = view_->pending->last();
  wait.truncations = view_->truncations;
  return std::nullopt;
}

ReadPath::Reply ReadPath::AfterPending(const Request& request, std::span<uint8_t> out, Wait& wait) {
  if (wait.truncations != view_->truncations) {
    if (!leased_) return FallBack(request, out, wait);
    if (const Reply reply = Read(request, out, wait)) return reply;
  } else if (wait.target <= view_->applied) {
    // The lease need not hold any more: the read took effect when it was checked. But what was waited for may
    // have led to other names, which something else touches that was pending then. What came later does not
    // count, so the wait ends.
    const Response& response = Ask(request, out, wait.through);
    if (!response.touched) return response.size;
    wait.target = response.touched;
  }
  if (wait.deadline <= now_) return FallBack(request, out, wait);
  return std::nullopt;
}

ReadPath::Reply ReadPath::FallBack(const Request& request, std::span<uint8_t> out, Wait& wait) {
  if (failing_) {
    // Somebody must find out when barriers can be had again.
    if (next_probe_ <= now_) {
      next_probe_ = now_ + hold_budget_;
      Ticket();
    }
    if (const Reply reply = AnswerAsAllowed(request, out)) return reply;
  }
  counters_.held.Add();
  wait = {
      .for_barrier = true, .deadline = now_ + hold_budget_, .target = {}, .through = {}, .ticket = Ticket()};
  return std::nullopt;
}

ReadPath::Reply ReadPath::AfterBarrier(const Request& request, std::span<uint8_t> out, Wait& wait) {
  if (wait.ticket <= completed_) return Ask(request, out).size;
  if (leased_) {
    // The right to read has come back. If something touches the answer the barrier goes on being waited for:
    // from one wait to the other and back there would be no end.
    const Response& response = Ask(request, out);
    if (!response.touched) return response.size;
  }
  if (now_ < wait.deadline) return std::nullopt;
  failing_ = true;
  completed_at_failure_ = completed_;
  if (const Reply reply = AnswerAsAllowed(request, out)) return reply;
  counters_.hold_expired.Add();
  last_ = {.cookie_valid = last_.cookie_valid};
  return RespondServFail(request, *view_, config_, out, ExtendedError::kNetworkError);
}

ReadPath::Reply ReadPath::AnswerAsAllowed(const Request& request, std::span<uint8_t> out) {
  const Response& response = Ask(request, out, zone::kWholeLog, ExtendedError::kStaleAnswer);
  if (!Allows(response.consistency)) return std::nullopt;
  counters_.stale_answers.Add();
  return response.size;
}

bool ReadPath::Allows(const Consistency& consistency) const {
  switch (consistency.kind) {
    case Consistency::Kind::kLinearizable:
      return false;
    case Consistency::Kind::kBounded:
      return now_ - fresh_ <= consistency.bound;
    case Consistency::Kind::kLocal:
      break;
  }
  return true;
}

uint64_t ReadPath::Ticket() {
  if (!ticket_) ticket_ = source_.gate.BeginBarrier();
  return *ticket_;
}

void ReadPath::WaitForPublications() {
  if (counted_as_waiting_) return;
  source_.views.BeginWait();
  counted_as_waiting_ = true;
  wake_();  // what was published between the last Look() and this woke nobody
}

void ReadPath::KeepWaiting(bool for_pending) {
  if (for_pending || !counted_as_waiting_) return;
  source_.views.EndWait();
  counted_as_waiting_ = false;
}

}  // namespace quorate::serve
