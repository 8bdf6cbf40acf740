#include "sim/probes.h"

namespace quorate::sim {
namespace {

constexpr std::string_view kRequired[] = {
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
    "sim.reader.paused-between-steps",
    "sim.shape.lan3+1",
    "sim.shape.lan5",
    "sim.shape.wan5",
    "sim.state-flushed-just-before-death",
    "sim.workload.cas-failed",
    "sim.workload.cas-succeeded",
    "sim.workload.outcome-unknown",
};

}  // namespace

std::span<const std::string_view> RequiredProbes() { return kRequired; }

}  // namespace quorate::sim
