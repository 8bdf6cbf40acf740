// What to explore: the bounds, and at most one deliberate fault of the protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/lease_state.h"

namespace quorate::model {

enum class Mutant : uint8_t {
  kNone,
  kNoGate,
  kNoFloor,
  kNoQuorumConfirm,
  kNoWait,
  kLeaseFromReceipt,
  kDriftAboveRho,
  kNoIncarnationCheck,
  kOldTermReplies,
  kCaptureThenCheck,
  kGateOnlyAck,
  kIgnorePending,
  kAckBeforeSync,
  kForgetVote,
  kUptimeIgnored,
};

struct Bounds {
  int members = 3;   // 2 or 3: a quorum is two
  int terms = 2;     // the highest; term 1 is led by member 1 from the start
  int writes = 2;    // proposed by clients, by any leader
  int crashes = 0;   // in all, each followed by a restart
  int messages = 1;  // late at once, beside any number that arrive at once: each comes later, again, or never
  int lease = 1;     // T in ticks
  int drift = 0;     // how often each clock may skip a tick or gain one
  bool follower_leases = true;   // else only leaders have leases
  bool plain = false;            // any message may come late or never: none of the note's dominance arguments
  bool follower_commit = false;  // else a follower's reads know what is committed as soon as it is
  bool paused_reads = false;     // one reader sleeps between check, capture and answer
  bool fast_failover = false;    // T_wait runs from the voters' last answers
};

struct Options {
  Bounds bounds;
  Mutant mutant = Mutant::kNone;
  uint32_t properties = ~0u;  // those checked, one bit each

  // T_wait in ticks. With d deviations a lease of T ticks of its holder lasts at most T + d true ticks beside
  // the one it ends in, and in these the leader's clock, and for the faster failover a voter's before it,
  // gains d more.
  int Wait() const {
    const int clocks = bounds.fast_failover ? 3 : 2;
    return bounds.lease + (mutant == Mutant::kDriftAboveRho ? 0 : clocks * bounds.drift);
  }
};

struct MutantInfo {
  Mutant mutant;
  const char* name;
  const char* fault;
  Bounds bounds;      // small ones within which it is caught
  Property expected;  // what it violates there
};

// Within equal bounds every one is complete and clean without a mutant.
struct Configuration {
  const char* name;
  Bounds bounds;
  uint64_t states;  // as counted; 0: not yet
};

const std::vector<MutantInfo>& Mutants();
const MutantInfo* FindMutant(std::string_view name);
const std::vector<Configuration>& DefaultConfigurations();
const std::vector<Configuration>& FullConfigurations();

// Election safety and what clients can see: the properties a mutant has to violate, not only the protocol's
// own inner ones.
uint32_t VisibleProperties();

}  // namespace quorate::model
