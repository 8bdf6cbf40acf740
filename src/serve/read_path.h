// How one worker reads: READ of the read leases and its fallback, with the zone's `consistency` at the end.
//
//   lease, nothing pending touches the answer -> answer
//   lease, something does                     -> wait until it is applied; over the budget: as without a
//   lease no lease                                  -> wait for a read barrier; over the budget: no barrier
//   -> the strictest consistency of the zones visited: SERVFAIL, or
//                                                the answer there is, flagged and counted
#pragma once

#include <functional>
#include <optional>

#include "serve/counters.h"
#include "serve/respond.h"
#include "serve/worker_options.h"

namespace quorate::serve {

// What a query waits for.
struct Wait {
  bool for_barrier = false;
  BootTime deadline;
  // Until these are applied. `target` touches the answer; of what else was pending when the lease was checked
  // `through` is the last.
  LogIndex target, through;
  uint64_t truncations = 0;
  // Until the gate has completed it.
  uint64_t ticket = 0;
};

// One thread; `wake` is called from others, whenever Resume may have something new to say. Never blocks,
// never allocates between construction and destruction.
class ReadPath {
 public:
  // All outlive this.
  ReadPath(const DataSource& source, const RespondConfig& config, Duration hold_budget,
           WorkerCounters& counters, std::function<void()> wake);
  ~ReadPath();
  ReadPath(const ReadPath&) = delete;

  // One look at the clock, the gate and the view, in this order: after a batch was received, before Start;
  // and before Resume.
  void Look();

  // The response's size (0: silence), in `out`; nullopt: it must wait, as `wait` says.
  using Reply = std::optional<size_t>;
  // For a query that was received before the last Look().
  Reply Start(const Request& request, std::span<uint8_t> out, Wait& wait);
  // For a query that waits, or was received before the Look() at which the one in front of it began to.
  Reply Resume(const Request& request, std::span<uint8_t> out, Wait& wait);
  // What the last reply is made of; of what needs no zone only its size.
  const Response& last() const { return last_; }
  // Other answers than the one there would be, from the view of the last Look().
  size_t ServFail(const Request& request, std::span<uint8_t> out) const {
    return RespondServFail(request, *view_, config_, out);
  }
  size_t Truncated(const Request& request, std::span<uint8_t> out) const {
    return RespondTruncated(request, *view_, config_, out);
  }
  // Whether any wait is left that is not for a barrier: if not, publications wake nobody.
  void KeepWaiting(bool for_pending);

 private:
  const Response& Ask(const Request& request, std::span<uint8_t> out, LogIndex through = zone::kWholeLog,
                      ExtendedError error = ExtendedError::kNone);
  Reply Read(const Request& request, std::span<uint8_t> out, Wait& wait);
  Reply AfterPending(const Request& request, std::span<uint8_t> out, Wait& wait);
  Reply AfterBarrier(const Request& request, std::span<uint8_t> out, Wait& wait);
  Reply FallBack(const Request& request, std::span<uint8_t> out, Wait& wait);
  Reply AnswerAsAllowed(const Request& request, std::span<uint8_t> out);
  bool Allows(const Consistency& consistency) const;
  uint64_t Ticket();
  void WaitForPublications();

  const DataSource source_;
  const RespondConfig& config_;
  const Duration hold_budget_;
  WorkerCounters& counters_;
  const std::function<void()> wake_;
  ViewHub<zone::View>::Reader reader_;
  uint64_t gate_subscription_, view_subscription_;
  bool counted_as_waiting_ = false;

  // As of the last Look().
  BootTime now_, fresh_ = kNeverFresh;
  bool leased_ = false;
  uint64_t completed_ = 0;
  const zone::View* view_;
  Response last_;
  std::optional<uint64_t> ticket_;  // of the barrier that was begun since

  // The last barrier expired, and none has completed since.
  bool failing_ = false;
  uint64_t completed_at_failure_ = 0;
  BootTime next_probe_;
};

}  // namespace quorate::serve
