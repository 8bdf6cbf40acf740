#include "sim/probes.h"

namespace quorate::sim {
namespace {

constexpr std::string_view kRequired[] = {
    "leases.alarm-disk",
    "leases.alarm-state",
    "leases.demoted",
    "leases.dropped-by-configuration",
    "leases.faster-failover",
    "leases.gate-holds-commit",
    "leases.goodbye",
    "leases.holder-restarted",
    "leases.made-eligible",
    "leases.revoked",
    "leases.timing-step",
    "raft.commit-bounded-by-what-was-verified",
    "raft.configuration-rolled-back",
    "raft.disk-tells-of-what-was-truncated",
    "raft.follower-drops-a-conflicting-suffix",
    "raft.old-term-on-a-majority",
    "raft.read-waits-for-the-terms-first-commit",
    "reads.fell-back-to-barrier",
    "reads.held-and-truncated",
    "reads.held-for-pending",
    "reads.hold-time-over",
    "reads.store-read-held",
    "replica.forwarded-proposal-came-twice",
    "replica.log-waits-for-the-snapshots-state",
    "replica.proposal-lost-to-another-entry",
    "replica.snapshot-chunk-out-of-order",
    "replica.state-ahead-of-the-log",
    "rsm.answered-from-what-was-kept",
    "sim.crash.compaction",
    "sim.crash.log-write",
    "sim.crash.recovery",
    "sim.crash.snapshot-chunk",
    "sim.crash.snapshot-install",
    "sim.crash.state-flush",
    "sim.disk.damaged-log-refuses-to-start",
    "sim.disk.error-stops-the-replica",
    "sim.disk.full-disk-stops-the-replica",
    "sim.disk.stalled",
    "sim.network.message-very-late",
    "sim.network.overtaken",
    "sim.reader.paused-between-steps",
    "sim.shape.lan3+1",
    "sim.shape.lan5",
    "sim.shape.wan5",
    "sim.state-flushed-just-before-death",
    "sim.workload.cas-failed",
    "sim.workload.cas-succeeded",
    "sim.workload.outcome-unknown",
    "wal.rotation-cut-short",
    "wal.segment-dropped",
    "wal.torn-tail-dropped",
};

}  // namespace

std::span<const std::string_view> RequiredProbes() { return kRequired; }

}  // namespace quorate::sim
