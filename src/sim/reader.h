// A reader thread of a simulated replica (a DNS worker, or a door's): receive -> clock and lease -> view ->
// answer, and between any two steps it may be paused for as long as the world likes.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/read_view.h"
#include "kv/ordered_map.h"
#include "replica/lease_gate.h"
#include "sim/machine_clock.h"
#include "sim/world.h"
#include "zone/view.h"

namespace quorate::sim {

struct ReadAnswer {
  bool ok = false;                   // false: no answer (SERVFAIL)
  std::optional<std::string> value;  // nullopt: there is no such key
};
struct ReadCallOf {
  bool dns = false;  // a TXT query for <key>.sim. instead of a get of the store
  std::string key;
  std::function<void(ReadAnswer)> done;
};

// What the reader stands on; all of it dies with the process.
struct ReaderParts {
  World& world;
  MemberId id;
  const MachineClock& clock;
  replica::LeaseGate& gate;
  const ViewHub<zone::View>& views;
  const kv::MapReader& map;
  // The process goes on with it after so much of its own time; never, if it is dead by then.
  std::function<void(Duration, std::function<void()>)> later;
  // A read of the store that waits for an index to be applied; 0: for a barrier.
  std::function<void(LogIndex, std::function<void(absl::Status)>)> read;
  const uint64_t& pauses_permille;  // how often a step takes up to seconds
};

class Reader {
 public:
  explicit Reader(ReaderParts parts);
  ~Reader();

  void Submit(ReadCallOf call);
  size_t open() const { return open_; }  // neither answered nor refused

 private:
  using Batch = std::vector<ReadCallOf>;
  // Has a lease; something pending touches the answer.
  struct Held {
    ReadCallOf call;
    LogIndex target, through;  // as serve/read_path.h
    uint64_t truncations = 0;
    BootTime deadline;
  };
  struct Waiting {  // for a barrier
    uint64_t ticket = 0;
    Batch batch;
  };

  void Step(std::function<void()> next);
  void Receive();
  void CheckLease(Batch batch);
  void OnLease(Batch batch);
  void CaptureThenCheck(Batch batch);
  void FallBack(Batch batch);
  void OnBarrier();
  void OnPublished();
  void Resume();
  void AnswerFrom(const zone::View& view, Batch batch, bool leased);
  bool ResumeOne(const zone::View& view, Held& held);
  void AnswerStore(ReadCallOf call, bool leased);
  void Reply(ReadCallOf call, ReadAnswer answer);
  void ReplyFromStore(ReadCallOf call);

  const ReaderParts parts_;
  const uint64_t gate_subscription_, view_subscription_;
  std::vector<ReadCallOf> inbox_;
  std::deque<Held> held_;
  std::deque<Waiting> waiting_;  // oldest first
  bool busy_ = false, releasing_ = false, resuming_ = false;
  size_t open_ = 0;
  uint16_t query_id_ = 0;
};

}  // namespace quorate::sim
