// Each way to damage a log, and what recovery says of it. docs/formats.md "Reading, and what is torn".
#include "storage/wal/wal_test_util.h"

namespace quorate::storage::wal {
namespace {

using ::testing::HasSubstr;

// Segments with several batches each: a vote, entries of one and of several sectors.
class WalDamage : public ::testing::Test {
 protected:
  void SetUp() override {
    d_.StartOk();
    ASSERT_TRUE(d_.Write({.hard_state = State(1, 2)}).ok());
    d_.Fill(1, 5);
    ASSERT_TRUE(d_.Write({.append = {Entry(6, 1, std::string(1200, 'm')), Entry(7, 1)}}).ok());
    d_.Fill(8, 20);
    ASSERT_GE(d_.Segments().size(), 3u);
  }

  void ExpectDamage(const std::string& part_of_message) {
    const auto log = d_.Start();
    ASSERT_FALSE(log.ok());
    EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss) << log.status();
    EXPECT_THAT(std::string(log.status().message()), HasSubstr(part_of_message));
  }

  // The first sector of the last batch of the last segment, and the one after it.
  size_t EndOfLast() const {
    const std::string content = d_.disk.Content(d_.Segments().back());
    size_t end = content.size() / kSectorBytes;
    while (IsZero(std::string_view(content).substr((end - 1) * kSectorBytes, kSectorBytes))) --end;
    return end;
  }

  LoggedDisk d_;
};

TEST_F(WalDamage, AFlippedBitInAnyWrittenSectorIsNeverPassedOver) {
  for (const std::string& path : d_.Segments()) {
    const std::string content = d_.disk.Content(path);
    for (size_t bit = 5; bit < content.size() * 8; bit += 397) {
      const size_t sector = bit / 8 / kSectorBytes;
      const bool written = !IsZero(std::string_view(content).substr(sector * kSectorBytes, kSectorBytes));
      d_.disk.FlipBit(path, bit);
      const auto log = d_.Start();
      if (written) {
        ASSERT_EQ(log.status().code(), absl::StatusCode::kDataLoss) << path << " bit " << bit;
        ASSERT_THAT(std::string(log.status().message()), HasSubstr(path));
        ASSERT_THAT(std::string(log.status().message()),
                    HasSubstr("offset " + std::to_string(sector * kSectorBytes)));
      } else if (log.ok()) {
        ASSERT_EQ(Describe(*log), Describe(d_.model)) << path << " bit " << bit;
      }
      d_.disk.SetContent(path, content);
    }
  }
  d_.StartOk();
}

TEST_F(WalDamage, AZeroedSectorWithValidRecordsAfterItIsDamage) {
  const std::string path = d_.Segments()[0];
  for (size_t sector = 0; sector < 5; ++sector) {
    const std::string content = d_.disk.Content(path);
    d_.disk.ZeroSector(path, sector);
    ExpectDamage(path);
    d_.disk.SetContent(path, content);
  }
}

TEST_F(WalDamage, AZeroedSectorOfABatchBeforeTheLastOneIsDamageInTheLastSegmentToo) {
  const std::string path = d_.Segments().back();
  for (size_t sector = 0; sector + 1 < EndOfLast(); ++sector) {
    const std::string content = d_.disk.Content(path);
    d_.disk.ZeroSector(path, sector);
    ExpectDamage(path);
    d_.disk.SetContent(path, content);
  }
}

TEST(WalTornTail, AZeroedSectorInsideTheLastRecordIsATornTailAndDropped) {
  LoggedDisk d;
  d.StartOk({.segment_bytes = 64 * kSectorBytes, .prepare_in_background = false, .id_seed = 1});
  d.Fill(1, 5);
  const size_t first = d.log->bytes() / kSectorBytes;
  const RecoveredLog before = d.model;
  d.Fill(6, 6, 1, 1200);
  const size_t end = d.log->bytes() / kSectorBytes;
  ASSERT_EQ(end - first, 3u);
  const std::string path = d.Segments()[0];
  const std::string content = d.disk.Content(path);
  for (size_t sector = first; sector < end; ++sector) {
    d.disk.ZeroSector(path, sector);
    const auto log = d.Start();
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_TRUE(log->torn_tail);
    EXPECT_EQ(Describe(*log), Describe(before));
    EXPECT_TRUE(IsZero(std::string_view(d.disk.Content(path)).substr(first * kSectorBytes)));
    EXPECT_FALSE(d.Start()->torn_tail) << "a tail is torn only once";
    d.disk.SetContent(path, content);
  }
}

TEST_F(WalDamage, AFlippedBitInTheLastRecordIsDamageNotATornTail) {
  ASSERT_TRUE(d_.Write({.append = {Entry(21, 1, std::string(1200, 't'))}}).ok());
  d_.disk.FlipBit(d_.Segments().back(), ((EndOfLast() - 2) * kSectorBytes + 100) * 8);
  ExpectDamage("damaged (checksum)");
}

TEST_F(WalDamage, ATornTailWithAFlippedBitIsDamage) {
  ASSERT_TRUE(d_.Write({.append = {Entry(21, 1, std::string(1200, 't'))}}).ok());
  const size_t end = EndOfLast();
  d_.disk.ZeroSector(d_.Segments().back(), end - 3);
  d_.disk.FlipBit(d_.Segments().back(), ((end - 1) * kSectorBytes + 100) * 8);
  ExpectDamage("damaged (checksum)");
}

TEST_F(WalDamage, AWholeBatchOfZerosBeforeTheLastOneIsDamage) {
  // Sectors of a later batch prove that the zeroed one was synced.
  const std::string path = d_.Segments().back();
  const size_t end = EndOfLast();
  ASSERT_GT(end, 3u);
  d_.disk.ZeroSector(path, end - 2);
  ExpectDamage("a sector of batch");
}

TEST_F(WalDamage, AMissingSegmentIsNamedWhereverItWas) {
  for (const std::string& path : d_.Segments()) {
    const std::string content = d_.disk.Content(path);
    ASSERT_TRUE(d_.disk.Remove(path).ok());
    const auto log = d_.Start();
    EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss) << path;
    EXPECT_THAT(std::string(log.status().message()), HasSubstr("missing"));
    d_.disk.SetContent(path, content);
  }
}

TEST_F(WalDamage, SegmentsSwappedOrOfAnotherLogAreDamage) {
  const std::string a = d_.Segments()[0], b = d_.Segments()[1];
  const std::string content_a = d_.disk.Content(a), content_b = d_.disk.Content(b);
  d_.disk.SetContent(a, content_b);
  d_.disk.SetContent(b, content_a);
  ExpectDamage("the header is that of segment");
  d_.disk.SetContent(a, content_a);
  LoggedDisk other(9);
  other.StartOk(Small(99));
  ASSERT_TRUE(other.Write({.hard_state = State(1, 2)}).ok());
  other.Fill(1, 20);
  d_.disk.SetContent(b, other.disk.Content(b));
  ExpectDamage("does not continue the one before it");
}

TEST_F(WalDamage, ABatchFromAnotherPlaceInTheSegmentIsDamage) {
  const std::string path = d_.Segments()[0];
  std::string content = d_.disk.Content(path);
  content.replace(3 * kSectorBytes, kSectorBytes, content.substr(2 * kSectorBytes, kSectorBytes));
  d_.disk.SetContent(path, content);
  ExpectDamage("offset 1536");
}

TEST_F(WalDamage, AnOlderCopyOfTheLastSegmentIsDamageIfALaterBatchWasInIt) {
  // Rolled back to a moment before its SEAL, while the next segment exists.
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 2);
  const std::string path = d.Segments()[0];
  const std::string older = d.disk.Content(path);
  d.Fill(3, 12);
  ASSERT_GE(d.Segments().size(), 2u);
  d.disk.SetContent(path, older);
  const auto log = d.Start();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("no SEAL"));
}

TEST_F(WalDamage, AShortenedOrLengthenedSegmentIsDamage) {
  for (const std::string& path : d_.Segments()) {
    const std::string content = d_.disk.Content(path);
    for (const size_t size : {size_t{0}, size_t{100}, kSectorBytes, content.size() - 1,
                              content.size() - kSectorBytes, content.size() + kSectorBytes}) {
      std::string changed = content;
      changed.resize(size, '\0');
      d_.disk.SetContent(path, changed);
      ExpectDamage(path);
    }
    d_.disk.SetContent(path, content);
  }
}

TEST_F(WalDamage, AnEmptySegmentInTheMiddleIsDamage) {
  const std::string path = d_.Segments()[1];
  d_.disk.SetContent(path, std::string(kSmallSegment, '\0'));
  ExpectDamage("another one follows");
}

TEST_F(WalDamage, AnUnreadableSegmentIsDamage) {
  d_.disk.FailReads(d_.Segments()[1]);
  ExpectDamage(d_.Segments()[1] + ": cannot read");
}

TEST_F(WalDamage, AnUnknownVersionIsRefusedAsSuch) {
  const std::string path = d_.Segments()[0];
  std::string content = d_.disk.Content(path);
  content[8] = 2;
  ByteWriter crc;
  crc.U32(Crc32c(std::string_view(content).substr(0, kSectorBytes - 4)));
  content.replace(kSectorBytes - 4, 4, crc.str());
  d_.disk.SetContent(path, content);
  const auto log = d_.Start();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("version 2"));
}

// A batch whose sectors and chain are right, but whose records are not ours.
TEST(WalRecords, MalformedRecordsOfAValidBatchAreDamageNotACrash) {
  Rng rng(3);
  for (int i = 0; i < 3000; ++i) {
    ByteWriter open;
    PutOpen({State(1, 1), Meta(5, 1), LogIndex{6}}, open);
    Position position{State(1, 1), Meta(5, 1), LogIndex{6}};
    PutWrite({.hard_state = State(2, 2), .append = {Entry(6, 2, "payload"), Entry(7, 2)}}, position, open);
    PutWrite({.append = {Entry(7, 3)}}, position, open);
    PutBase(Meta(6, 2), open);
    PutWrite({.install = Meta(9, 3)}, position, open);
    PutSeal(open);
    std::string records = open.Take();
    for (uint64_t n = 1 + rng.Below(3); n-- > 0;)
      records[rng.Below(records.size())] = static_cast<char>(rng.Next());
    if (rng.Chance(1, 4)) records.resize(rng.Below(records.size()));
    Replay replay;
    replay.BeginSegment();
    absl::Status status = replay.Add(records);
    if (status.ok()) status = replay.Finish().status();
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kDataLoss) << status;
  }
}

TEST(WalTornTail, DroppedBytesNeverComeBack) {
  // A long torn batch is dropped, a short one takes its place; then its remains must not be taken for
  // anything.
  for (uint64_t seed = 0; seed < 200; ++seed) {
    LoggedDisk d(seed);
    d.StartOk();
    d.Fill(1, 1);
    d.disk.FailAt(d.disk.operations() + 2, DiskFault::kPowerCut);
    ASSERT_FALSE(d.Write({.append = {Entry(2, 1, std::string(1400, 'o'))}}).ok());
    d.disk.Crash();
    auto log = d.Start();
    ASSERT_TRUE(log.ok()) << log.status();
    if (log->entries.size() == 2) continue;  // all of it had reached the disk
    ASSERT_EQ(Describe(*log), Describe(d.model));
    d.Fill(2, 2, 2, 10);
    d.disk.Crash();
    d.StartOk();
  }
}

TEST(WalTornTail, APowerCutWhileTheTailIsBeingZeroedIsHarmless) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    LoggedDisk d(seed);
    d.StartOk();
    d.Fill(1, 1);
    d.disk.FailAt(d.disk.operations() + 2, DiskFault::kPowerCut);
    ASSERT_FALSE(d.Write({.append = {Entry(2, 1, std::string(1400, 'o'))}}).ok());
    d.disk.Crash();
    for (uint64_t at = 1; at < 4; ++at) {
      d.disk.FailAt(d.disk.operations() + at, DiskFault::kPowerCut);
      d.Start().IgnoreError();
      d.disk.Crash();
    }
    const auto log = d.Start();
    ASSERT_TRUE(log.ok()) << log.status();
    ASSERT_TRUE(log->entries.size() == 1 || log->entries.size() == 2);
  }
}

}  // namespace
}  // namespace quorate::storage::wal
