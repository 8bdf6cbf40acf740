#include "model/options.h"

namespace quorate::model {

const std::vector<MutantInfo>& Mutants() {
  using enum Mutant;
  static const std::vector<MutantInfo> kMutants = {
      {kNoGate, "no-gate", "commit without asking the holders", {}, Property::kAcknowledgedSeen},
      {kGateOnlyAck,
       "gate-only-ack",
       "commit at a quorum, only the acknowledgement waits for the holders",
       {},
       Property::kNoInversion},
      {kNoFloor, "no-floor", "a grant is accepted whatever the log has", {}, Property::kAcknowledgedSeen},
      {kNoQuorumConfirm,
       "no-quorum-confirm",
       "grants, and the leader's own lease, without a confirmed round",
       {},
       Property::kAcknowledgedSeen},
      {kNoWait,
       "no-wait",
       "a new leader does not wait for holders of its predecessors",
       {},
       Property::kAcknowledgedSeen},
      {kLeaseFromReceipt,
       "lease-from-receipt",
       "a lease counts from the receipt of the grant",
       {},
       Property::kAcknowledgedSeen},
      {kDriftAboveRho,
       "drift-above-rho",
       "clocks deviate more than T_wait allows for",
       {.drift = 1},
       Property::kAcknowledgedSeen},
      {kNoIncarnationCheck,
       "no-incarnation-check",
       "a restarted member accepts a grant for its former self",
       {.crashes = 1},
       Property::kAcknowledgedSeen},
      {kOldTermReplies,
       "old-term-replies",
       "replies of an older term confirm rounds",
       {.terms = 3, .writes = 1, .follower_leases = false},
       Property::kAcknowledgedSeen},
      {kCaptureThenCheck,
       "capture-then-check",
       "a read captures its view first and then checks the lease",
       {.paused_reads = true},
       Property::kAcknowledgedSeen},
      {kIgnorePending,
       "ignore-pending",
       "a read does not wait for pending entries",
       {},
       Property::kAcknowledgedSeen},
      {kAckBeforeSync,
       "ack-before-sync",
       "an entry in memory is reported durable",
       {.crashes = 1},
       Property::kNothingLost},
      {kForgetVote,
       "forget-vote",
       "a vote does not outlive a crash",
       {.crashes = 1},
       Property::kElectionSafety},
      {kUptimeIgnored,
       "uptime-ignored",
       "faster failover: a voter that has just started reports that it answered nothing lately",
       {.crashes = 1, .fast_failover = true},
       Property::kAcknowledgedSeen},
  };
  return kMutants;
}

const MutantInfo* FindMutant(std::string_view name) {
  for (const MutantInfo& info : Mutants()) {
    if (name == info.name) return &info;
  }
  return nullptr;
}

const std::vector<Configuration>& DefaultConfigurations() {
  static const std::vector<Configuration> kConfigurations = {
      {"two-writes", {.messages = 2}, 527'745},
      {"crash", {.writes = 1, .crashes = 1, .messages = 0}, 2'788'174},
      {"drift", {.writes = 1, .drift = 1, .follower_leases = false}, 134'144},
      {"longer-lease", {.writes = 1, .lease = 2}, 999'361},
      {"three-terms", {.terms = 3, .writes = 1, .follower_leases = false}, 299'367},
      {"follower-commit", {.writes = 1, .follower_commit = true}, 256'976},
      {"paused-reads", {.writes = 1, .paused_reads = true}, 133'871},
      {"fast-failover", {.writes = 1, .fast_failover = true}, 114'381},
      {"plain-network", {.writes = 1, .messages = 0, .plain = true}, 149'364},
  };
  return kConfigurations;
}

const std::vector<Configuration>& FullConfigurations() {
  static const std::vector<Configuration> kConfigurations = {
      {"two-writes-four-late", {.messages = 4}, 774'365},
      {"crash-late", {.writes = 1, .crashes = 1}, 5'367'669},
      {"drift-followers", {.writes = 1, .messages = 0, .drift = 1}, 3'311'353},
      {"longer-lease-late", {.writes = 2, .lease = 2}, 4'271'280},
      {"three-terms-followers", {.terms = 3, .writes = 1, .messages = 0}, 1'103'593},
      {"follower-commit-two-writes", {.follower_commit = true}, 1'404'730},
      {"paused-reads-two-writes", {.paused_reads = true}, 907'316},
      {"fast-failover-crash", {.writes = 1, .crashes = 1, .messages = 0, .fast_failover = true}, 3'156'112},
      {"plain-network-late", {.writes = 1, .plain = true}, 4'924'243},
  };
  return kConfigurations;
}

}  // namespace quorate::model
