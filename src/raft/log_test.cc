#include "raft/log.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "raft/codec.h"

namespace quorate::raft {
namespace {

LogEntry Entry(uint64_t index, uint64_t term, std::string payload = "x") {
  return {{index}, {term}, EntryType::kCommand, std::make_shared<const std::string>(std::move(payload))};
}
LogEntry ConfigurationEntry(uint64_t index, uint64_t term, uint64_t voters) {
  Configuration c;
  for (uint64_t id = 1; id <= voters; ++id) c.members.push_back({.id = {id}});
  return {{index},
          {term},
          EntryType::kConfiguration,
          std::make_shared<const std::string>(EncodeConfiguration(c))};
}
SnapshotMeta Base(uint64_t index, uint64_t term) { return {{index}, {term}, {.members = {{.id = {1}}}}}; }
// 5/2 | 6/2 7/3 8/3
Log Sample() { return Log(Base(5, 2), {Entry(6, 2), Entry(7, 3), Entry(8, 3)}); }

TEST(Log, KnowsTheTermsOfItsEntriesAndOfItsBase) {
  const Log log = Sample();
  EXPECT_EQ(log.TermAt({4}), std::nullopt);
  EXPECT_EQ(log.TermAt({5}), Term{2});
  EXPECT_EQ(log.TermAt({7}), Term{3});
  EXPECT_EQ(log.TermAt({9}), std::nullopt);
  EXPECT_EQ(log.last_index(), LogIndex{8});
  EXPECT_EQ(log.durable(), LogIndex{8});
  EXPECT_EQ(Log(Base(5, 2), {}).last_term(), Term{2});
}

TEST(Log, SlicesByCountAndBytesButGivesAtLeastOneEntry) {
  const Log log = Sample();
  EXPECT_EQ(log.Slice({6}, SIZE_MAX, 9).size(), 3u);
  EXPECT_EQ(log.Slice({6}, SIZE_MAX, 2).size(), 2u);
  EXPECT_EQ(log.Slice({7}, 1, 9).size(), 1u);
  EXPECT_EQ(log.Slice({6}, 2 * Log::Cost(Entry(6, 2)), 9).size(), 2u);
  EXPECT_TRUE(log.Slice({9}, 9, 9).empty());
}

TEST(Log, EntriesShareTheirPayload) {
  const Log log = Sample();
  EXPECT_EQ(log.Slice({6}, SIZE_MAX, 1)[0].payload.get(), log.At({6}).payload.get());
}

TEST(Log, FindsWhereItCanLastAgree) {
  const Log log = Sample();
  EXPECT_EQ(log.LastAgreement({8}, {3}), LogIndex{8});
  EXPECT_EQ(log.LastAgreement({99}, {9}), LogIndex{8});
  EXPECT_EQ(log.LastAgreement({8}, {2}), LogIndex{6});
  EXPECT_EQ(log.LastAgreement({7}, {2}), LogIndex{6});
  EXPECT_EQ(log.LastAgreement({8}, {1}), LogIndex{4}) << "below the base nothing is known";
  EXPECT_EQ(log.LastAgreement({3}, {1}), LogIndex{3});
  EXPECT_EQ(Log(Base(0, 0), {Entry(1, 4)}).LastAgreement({1}, {0}), LogIndex{0});
}

TEST(Log, LastAgreementIsWhatASearchFinds) {
  Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t base = rng.Below(4);
    uint64_t term = base == 0 ? 0 : 1 + rng.Below(2);
    Log log(Base(base, term), {});
    for (uint64_t n = rng.Below(8); n > 0; --n) {
      term = std::max<uint64_t>(1, term + rng.Below(2));
      log.Append({99}, Entry(log.last_index().value + 1, term));
    }
    const LogIndex from = log.base_index() + rng.Below(9);
    const Term bound{rng.Below(6)};
    LogIndex expected = std::min(from, log.last_index());
    while (expected >= log.base_index() && *log.TermAt(expected) > bound) expected = expected - 1;
    EXPECT_EQ(log.LastAgreement(from, bound), expected);
  }
}

TEST(Log, IsDurableOnlyAsFarAsTheDiskSaid) {
  Log log = Sample();
  log.Append({4}, Entry(9, 4));
  log.Append({4}, Entry(10, 4));
  EXPECT_EQ(log.durable(), LogIndex{8});
  log.OnDurable({4}, {9});
  EXPECT_EQ(log.durable(), LogIndex{9});
  log.OnDurable({4}, {10});
  EXPECT_EQ(log.durable(), LogIndex{10});
  log.OnDurable({4}, {9});
  EXPECT_EQ(log.durable(), LogIndex{10});
}

TEST(Log, AnOldAcknowledgementVouchesForNothingThatWasTruncatedSince) {
  Log log(Base(0, 0), {Entry(1, 1)});
  log.Append({2}, Entry(2, 2));
  log.Append({2}, Entry(3, 2));
  log.TruncateFrom({2});
  log.Append({3}, Entry(2, 3));
  log.TruncateFrom({2});
  log.Append({4}, Entry(2, 2));  // came back from a leader of term 4
  log.Append({4}, Entry(3, 2));
  log.OnDurable({2}, {3});
  EXPECT_EQ(log.durable(), LogIndex{1});
  log.OnDurable({3}, {2});
  EXPECT_EQ(log.durable(), LogIndex{1});
  log.OnDurable({4}, {3});
  EXPECT_EQ(log.durable(), LogIndex{3});
}

TEST(Log, AnOldAcknowledgementStillVouchesForWhatStayed) {
  Log log(Base(0, 0), {Entry(1, 1)});
  log.Append({2}, Entry(2, 2));
  log.Append({2}, Entry(3, 2));
  log.TruncateFrom({3});
  log.OnDurable({2}, {3});
  EXPECT_EQ(log.durable(), LogIndex{2});
}

TEST(Log, ALaterAcknowledgementCoversTheWritesBeforeIt) {
  Log log(Base(0, 0), {});
  log.Append({2}, Entry(1, 2));
  log.Append({3}, Entry(2, 3));
  log.OnDurable({3}, {2});
  EXPECT_EQ(log.durable(), LogIndex{2});
  log.OnDurable({2}, {1});
  EXPECT_EQ(log.durable(), LogIndex{2});
}

TEST(Log, AnAcknowledgementOfNothingUnderWayVouchesForNothing) {
  Log log(Base(0, 0), {});
  log.Append({4}, Entry(1, 1));
  log.OnDurable({3}, {1});
  EXPECT_EQ(log.durable(), LogIndex{0});
  log.OnDurable({5}, {1});
  EXPECT_EQ(log.durable(), LogIndex{0});
}

TEST(Log, TruncationTakesBackDurability) {
  Log log = Sample();
  log.TruncateFrom({7});
  EXPECT_EQ(log.durable(), LogIndex{6});
  EXPECT_EQ(log.last_index(), LogIndex{6});
}

TEST(Log, CompactionKeepsTheTermOfTheLastEntryCut) {
  Log log = Sample();
  const size_t before = log.bytes();
  log.CompactThrough({7});
  EXPECT_EQ(log.base_index(), LogIndex{7});
  EXPECT_EQ(log.TermAt({7}), Term{3});
  EXPECT_EQ(log.TermAt({6}), std::nullopt);
  EXPECT_LT(log.bytes(), before);
  log.CompactThrough({6});  // long done
  EXPECT_EQ(log.base_index(), LogIndex{7});
}

TEST(Log, ASnapshotDropsAllOrKeepsTheSuffix) {
  Log kept = Sample();
  kept.Install(Base(7, 3), /*keep_suffix=*/true);
  EXPECT_EQ(kept.last_index(), LogIndex{8});
  Log dropped = Sample();
  dropped.Install(Base(7, 9), /*keep_suffix=*/false);
  EXPECT_EQ(dropped.last_index(), LogIndex{7});
  EXPECT_EQ(dropped.last_term(), Term{9});
  EXPECT_EQ(dropped.durable(), LogIndex{7});
  EXPECT_EQ(dropped.bytes(), 0u);
}

TEST(Log, ASnapshotThatDropsAllDoesNotHoldBackTheDurabilityOfWhatFollowsInItsTerm) {
  Log log = Sample();
  log.Append({3}, Entry(9, 3));
  log.Append({4}, Entry(10, 3));
  log.Install(Base(20, 3), /*keep_suffix=*/false);
  log.Append({4}, Entry(21, 3));
  log.OnDurable({3}, {25});  // of what was dropped
  log.OnDurable({4}, {10});
  EXPECT_EQ(log.durable(), LogIndex{20});
  log.OnDurable({4}, {21});
  EXPECT_EQ(log.durable(), LogIndex{21});
}

TEST(Log, AConfigurationCountsFromItsAppendAndIsTakenBackByTruncation) {
  Log log = Sample();
  EXPECT_EQ(log.configuration().members.size(), 1u);
  log.Append({4}, ConfigurationEntry(9, 4, 3));
  log.Append({4}, Entry(10, 4));
  log.Append({4}, ConfigurationEntry(11, 4, 5));
  EXPECT_EQ(log.configuration().members.size(), 5u);
  EXPECT_EQ(log.configuration_index(), LogIndex{11});
  EXPECT_EQ(log.ConfigurationAt({10}).members.size(), 3u);
  EXPECT_EQ(log.ConfigurationAt({8}).members.size(), 1u);
  log.TruncateFrom({10});
  EXPECT_EQ(log.configuration().members.size(), 3u);
  log.CompactThrough({9});
  EXPECT_EQ(log.configuration().members.size(), 3u);
  EXPECT_EQ(log.ConfigurationAt({9}).members.size(), 3u);
  log.Install(Base(20, 9), false);
  EXPECT_EQ(log.configuration().members.size(), 1u);
}

TEST(Log, ACompactedConfigurationIsStillTheLatest) {
  Log log(Base(0, 0), {ConfigurationEntry(1, 1, 3), Entry(2, 1)});
  log.CompactThrough({2});
  EXPECT_EQ(log.configuration().members.size(), 3u);
  EXPECT_EQ(log.ConfigurationAt({2}).members.size(), 3u);
}

}  // namespace
}  // namespace quorate::raft
