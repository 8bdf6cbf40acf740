#include <gtest/gtest.h>

#include <thread>

#include "base/bounded_queue.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/disk_fault.h"
#include "base/read_view.h"
#include "base/rng.h"

namespace quorate {
namespace {

TEST(Bytes, WhatIsWrittenIsRead) {
  ByteWriter out;
  out.U8(7), out.U16(0x1234), out.U32(0xdeadbeef), out.U64(~uint64_t{0});
  out.Varint(0), out.Varint(127), out.Varint(128), out.Varint(~uint64_t{0});
  out.String("key"), out.Raw("rest");
  ByteReader in(out.str());
  EXPECT_EQ(in.U8(), 7);
  EXPECT_EQ(in.U16(), 0x1234);
  EXPECT_EQ(in.U32(), 0xdeadbeef);
  EXPECT_EQ(in.U64(), ~uint64_t{0});
  for (const uint64_t v : {uint64_t{0}, uint64_t{127}, uint64_t{128}, ~uint64_t{0}})
    EXPECT_EQ(in.Varint(), v);
  EXPECT_EQ(in.String(), "key");
  EXPECT_EQ(in.Raw(4), "rest");
  EXPECT_TRUE(in.AtEnd());
}

TEST(Bytes, AReadPastTheEndFailsForGood) {
  ByteReader in("\x01\x02");
  EXPECT_EQ(in.U32(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.U8(), 0) << "nothing is read after a failure";
}

TEST(Bytes, AnOverlongVarintIsRefused) {
  const std::string endless(11, '\xff'), beyond_64_bits = std::string(9, '\xff') + "\x02";
  ByteReader in(endless);
  in.Varint();
  EXPECT_FALSE(in.ok());
  ByteReader too_large(beyond_64_bits);
  too_large.Varint();
  EXPECT_FALSE(too_large.ok());
}

TEST(Bytes, ACountLargerThanTheInputIsRefused) {
  ByteWriter out;
  out.Varint(1000), out.Raw("abc");
  ByteReader in(out.str());
  EXPECT_EQ(in.Count(), 0u);
  EXPECT_FALSE(in.ok());
}

TEST(Crc32c, AgreesWithThePublishedVectors) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);    // RFC 3720 B.4
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);  // RFC 3720 B.4
  EXPECT_EQ(Crc32c("56789", Crc32c("1234")), 0xe3069283u) << "a seed continues a checksum";
}

TEST(BoundedQueue, FullAndClosedRefuse) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_TRUE(queue.TryPush(2));
  EXPECT_FALSE(queue.TryPush(3));
  EXPECT_EQ(queue.TakeAll(std::chrono::seconds(1)), (std::vector<int>{1, 2}));
  queue.Close();
  EXPECT_FALSE(queue.TryPush(4));
  EXPECT_TRUE(queue.TakeAll(std::chrono::seconds(1)).empty());
}

TEST(BoundedQueue, APushWakesAWaiter) {
  BoundedQueue<int> queue(1);
  std::vector<int> got;
  std::thread taker([&] { got = queue.TakeAll(std::chrono::seconds(30)); });
  EXPECT_TRUE(queue.TryPush(5));
  taker.join();
  EXPECT_EQ(got, std::vector<int>{5});
}

TEST(ViewHub, AReaderSeesWhatWasPublishedBeforeItRefreshed) {
  ViewHub<int> hub(std::make_shared<const int>(1));
  ViewHub<int>::Reader reader(hub);
  EXPECT_EQ(reader.Refresh(), 1);
  hub.Publish(std::make_shared<const int>(2));
  EXPECT_EQ(reader.Refresh(), 2);
}

TEST(ViewHub, AVersionLivesAsLongAsAReaderHoldsIt) {
  auto first = std::make_shared<const int>(1);
  std::weak_ptr<const int> watch = first;
  ViewHub<int> hub(std::move(first));
  ViewHub<int>::Reader reader(hub);
  hub.Publish(std::make_shared<const int>(2));
  EXPECT_FALSE(watch.expired());
  reader.Refresh();
  hub.Publish(std::make_shared<const int>(3));
  EXPECT_TRUE(watch.expired()) << "the publisher frees what nobody holds";
}

TEST(Rng, TheSameSeedGivesTheSameNumbers) {
  Rng a(42), b(42), c(43);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.Below(7), 7u);
}

TEST(Clock, BootTimeDoesNotGoBack) {
  SystemClock clock;
  const BootTime before = clock.Boot();
  EXPECT_GE(clock.Boot(), before);
}

TEST(DiskFault, TheNameAndTheCodeSayWhatTheDiskDid) {
  EXPECT_EQ(DiskFaultOf(DiskError(DiskFault::kSync, EIO, "cannot sync wal/1")), DiskFault::kSync);
  EXPECT_EQ(DiskFaultOf(DiskError(DiskFault::kSync, ENOSPC, "cannot sync wal/1")), DiskFault::kFull);
  EXPECT_EQ(DiskFaultOf(absl::DataLossError("a flipped bit")), DiskFault::kDamaged);
  EXPECT_EQ(DiskFaultOf(absl::UnavailableError("no leader")), std::nullopt);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(FailStop("the log cannot be written", DiskError(DiskFault::kSync, EIO, "cannot sync wal/1")),
              ::testing::ExitedWithCode(81),
              "disk fault: sync-failed: the log cannot be written: cannot sync wal/1: Input/output error");
}

void FullWithAHandler() {
  SetDiskFaultHandler(
      [](DiskFault fault, const std::string&) { std::fprintf(stderr, "handled %s\n", NameOf(fault)); });
  FailStop(DiskFault::kFull, "no room");
}

TEST(DiskFault, TheHandlerIsCalledBeforeTheEnd) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(FullWithAHandler(), ::testing::ExitedWithCode(83), "handled disk-full");
}

}  // namespace
}  // namespace quorate
