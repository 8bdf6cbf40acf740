// A power cut at every point of a run: what a completed Write() acknowledged is there afterwards, and the
// batch under way is there as a whole or not at all.
#include "storage/wal/wal_test_util.h"

namespace quorate::storage::wal {
namespace {

// Random, but always what a replica might write next.
std::vector<LogWrite> RandomBatch(Rng& rng, const RecoveredLog& model) {
  std::vector<LogWrite> batch;
  RecoveredLog ahead = model;
  for (uint64_t n = 1 + rng.Below(3); n-- > 0;) {
    LogWrite write;
    const uint64_t base = ahead.base.last_index.value;
    const uint64_t last = base + ahead.entries.size();
    const uint64_t term = ahead.hard_state.current_term.value + rng.Below(2);
    if (rng.Chance(1, 20)) {
      write.install = Meta(base + 1 + rng.Below(20), term, 1 + rng.Below(5));
      write.keep_log_suffix = rng.Chance(1, 2);
    }
    if (rng.Chance(1, 3)) write.hard_state = State(term, rng.Below(4));
    if (!write.install.has_value() && rng.Chance(4, 5)) {
      const uint64_t first = rng.Chance(1, 5) ? base + 1 + rng.Below(last - base + 1) : last + 1;
      for (uint64_t i = first; i < first + 1 + rng.Below(4); ++i) {
        const size_t bytes = rng.Chance(1, 30) ? rng.Below(3 * kSmallSegment) : rng.Below(700);
        // Some payloads are zeros: a sector of them must not look unwritten.
        write.append.push_back(Entry(i, term, std::string(bytes, rng.Chance(1, 3) ? '\0' : 'p')));
      }
    }
    ApplyLogWrite(write, ahead);
    batch.push_back(std::move(write));
  }
  return batch;
}

RecoveredLog After(RecoveredLog model, const std::vector<LogWrite>& batch) {
  for (const LogWrite& write : batch) ApplyLogWrite(write, model);
  return model;
}

// One start, some writes, until the disk fails or `steps` are done. `under_way` is what the last, failed call
// would have led to.
struct Outcome {
  absl::Status status;
  std::optional<RecoveredLog> under_way;
};

Outcome RunUntilFailure(LoggedDisk& d, Rng& rng, int steps) {
  for (int i = 0; i < steps; ++i) {
    if (rng.Chance(1, 8) && !d.model.entries.empty()) {
      const raft::LogEntry& entry = d.model.entries[rng.Below(d.model.entries.size())];
      const raft::SnapshotMeta base = Meta(entry.index.value, entry.term.value, 1 + rng.Below(5));
      RecoveredLog after = d.model;
      CompactLog(base, after);
      const absl::Status status = d.log->Compact(base);
      if (!status.ok()) return {status, after};
      d.model = after;
      continue;
    }
    const std::vector<LogWrite> batch = RandomBatch(rng, d.model);
    const absl::Status status = d.log->Write(batch);
    if (!status.ok()) return {status, After(d.model, batch)};
    d.model = After(d.model, batch);
  }
  return {};
}

// Recovers until it succeeds; the power may go in the middle of that too. Then the log must be the
// acknowledged one, or that with the batch under way.
void RecoverAndCompare(LoggedDisk& d, Rng& rng, const std::optional<RecoveredLog>& under_way) {
  while (rng.Chance(1, 3)) {
    d.disk.FailAt(d.disk.operations() + 1 + rng.Below(12), DiskFault::kPowerCut);
    const auto log = d.Start(Small(rng.Next()));
    ASSERT_TRUE(log.ok() || absl::IsAborted(log.status())) << log.status();
    d.disk.ForgetFaults();
    d.disk.Crash();
  }
  const auto log = d.Start(Small(rng.Next()));
  ASSERT_TRUE(log.ok()) << log.status();
  const std::string found = Describe(*log);
  if (found != Describe(d.model)) {
    ASSERT_TRUE(under_way.has_value()) << "found\n" << found << "\nacknowledged\n" << Describe(d.model);
    ASSERT_EQ(found, Describe(*under_way));
    d.model = *under_way;
  }
}

TEST(WalCrash, APowerCutAtEveryOperationLosesNothingAcknowledged) {
  // How many operations the run has when nothing fails.
  const auto run = [](uint64_t cut_at, uint64_t crash_seed) -> uint64_t {
    LoggedDisk d(crash_seed);
    Rng rng(42);
    if (cut_at != 0) d.disk.FailAt(cut_at, DiskFault::kPowerCut);
    const auto first = d.Start();
    Outcome outcome{first.status(), std::nullopt};
    if (first.ok()) outcome = RunUntilFailure(d, rng, 60);
    if (outcome.status.ok()) return d.disk.operations();
    d.disk.Crash();
    Rng recovery(crash_seed);
    RecoverAndCompare(d, recovery, outcome.under_way);
    return 0;
  };
  const uint64_t operations = run(0, 1);
  ASSERT_GT(operations, 100u);
  for (uint64_t cut = 1; cut <= operations; ++cut) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE("power cut at operation " + std::to_string(cut) + ", seed " + std::to_string(seed));
      ASSERT_EQ(run(cut, seed), 0u);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(WalCrash, ManyLivesWithPowerCutsAndFailingDisksLoseNothingAcknowledged) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    LoggedDisk d(seed);
    Rng rng(seed * 7919);
    ASSERT_TRUE(d.Start(Small(rng.Next())).ok());
    for (int life = 0; life < 12; ++life) {
      const DiskFault fault = rng.Chance(1, 3) ? DiskFault::kIoError : DiskFault::kPowerCut;
      d.disk.FailAt(d.disk.operations() + 1 + rng.Below(60), fault);
      const Outcome outcome = RunUntilFailure(d, rng, 30);
      d.disk.ForgetFaults();
      // Also without a crash: kill -9, then the next process reads the page cache.
      if (fault == DiskFault::kPowerCut || rng.Chance(1, 2)) d.disk.Crash();
      RecoverAndCompare(d, rng, outcome.under_way);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

// Damage on top of crashes: recovery gives the acknowledged log, or says kDataLoss; never a shorter log. (A
// flip can turn no good sector into a zero one, so nothing synced is taken for torn.)
TEST(WalCrash, AFlippedBitAnywhereNeverGivesAShorterLog) {
  int noticed = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    LoggedDisk d(seed);
    Rng rng(seed);
    ASSERT_TRUE(d.Start().ok());
    d.disk.FailAt(d.disk.operations() + 1 + rng.Below(60), DiskFault::kPowerCut);
    const Outcome outcome = RunUntilFailure(d, rng, 30);
    d.disk.ForgetFaults();
    d.disk.Crash();
    ASSERT_TRUE(d.disk.FlipRandomBit());
    const auto log = d.Start();
    if (!log.ok()) {
      ASSERT_EQ(log.status().code(), absl::StatusCode::kDataLoss) << log.status();
      ++noticed;
      continue;
    }
    const std::string found = Describe(*log);
    if (found != Describe(d.model)) {
      ASSERT_TRUE(outcome.under_way.has_value()) << "seed " << seed;
      ASSERT_EQ(found, Describe(*outcome.under_way)) << "seed " << seed;
    }
  }
  EXPECT_GT(noticed, 100);
}

}  // namespace
}  // namespace quorate::storage::wal
