#include "storage/snapshot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/crc32c.h"
#include "base/status_macros.h"
#include "raft/codec.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::storage {
namespace {

using ::testing::HasSubstr;
using Pairs = std::map<std::string, std::string>;

SnapshotFileMeta Meta() {
  SnapshotFileMeta meta{.group = GroupId{3},
                        .name = "org",
                        .saved_at = {std::chrono::milliseconds(1'700'000'000'123)},
                        .index = LogIndex{77},
                        .term = Term{5},
                        .state_hash = 0x0123456789abcdef,
                        .revision = Revision{9}};
  meta.configuration.members = {{.id = MemberId{1}, .address = "127.0.0.1:7101"},
                                {.id = MemberId{2}, .voter = false, .address = "127.0.0.1:7102"}};
  return meta;
}

Pairs SomePairs() {
  Pairs pairs{{"", "empty key"}, {"large", std::string(10'000, 'x')}, {"z", ""}};
  for (int i = 0; i < 100; ++i) pairs["key" + std::to_string(i)] = std::to_string(i * i);
  return pairs;
}

std::string FileOf(const SnapshotFileMeta& meta, const Pairs& pairs, size_t piece = 1000) {
  MemoryStateStore store;
  for (const auto& [key, value] : pairs) store.map().Write({{key, value}});
  SnapshotFileWriter writer(meta, store.TakeSnapshot());
  std::string all;
  while (true) {
    const auto part = writer.Next(piece);
    EXPECT_TRUE(part.ok());
    if (!part.ok() || part->empty()) return all;
    all += *part;
  }
}

struct Read {
  absl::Status status;
  std::optional<SnapshotFileMeta> meta;
  Pairs pairs;
};
Read ReadBack(std::string_view file, size_t piece = 333) {
  SnapshotFileReader reader;
  Read read;
  for (size_t at = 0; at < file.size() && read.status.ok(); at += piece) {
    read.status = reader.Feed(file.substr(at, piece), [&](std::string_view key, std::string_view value) {
      read.pairs.emplace(key, value);
      return absl::OkStatus();
    });
  }
  if (read.status.ok()) read.status = reader.Finish();
  read.meta = reader.meta();
  return read;
}

TEST(SnapshotFile, IsReadBackInPiecesOfAnySize) {
  const std::string file = FileOf(Meta(), SomePairs());
  EXPECT_EQ(FileOf(Meta(), SomePairs(), 7), file);
  for (const size_t piece : {size_t{1}, size_t{13}, size_t{4096}, file.size()}) {
    const Read read = ReadBack(file, piece);
    ASSERT_TRUE(read.status.ok()) << read.status;
    EXPECT_EQ(read.meta, Meta());
    EXPECT_EQ(read.pairs, SomePairs());
  }
}

TEST(SnapshotFile, AnEmptyStateIsAFileToo) {
  const Read read = ReadBack(FileOf(Meta(), {}));
  EXPECT_TRUE(read.status.ok()) << read.status;
  EXPECT_TRUE(read.pairs.empty());
}

TEST(SnapshotFile, EveryShorterFileIsRefused) {
  const std::string file = FileOf(Meta(), {{"a", "1"}, {"b", "2"}});
  for (size_t size = 0; size < file.size(); ++size) {
    const Read read = ReadBack(std::string_view(file).substr(0, size), 1000);
    EXPECT_EQ(read.status.code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_THAT(MessageOf(read.status), HasSubstr("cut off at byte " + std::to_string(size)));
  }
}

TEST(SnapshotFile, EveryFlippedBitIsFound) {
  const std::string file = FileOf(Meta(), {{"a", "1"}, {"b", "2"}});
  for (size_t at = 0; at < file.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_FALSE(ReadBack(damaged, 1000).status.ok()) << at;
    }
  }
}

TEST(SnapshotFile, SaysWhatIsWrongAndWhere) {
  const std::string file = FileOf(Meta(), {{"a", "1"}, {"b", "2"}});
  const size_t stream = file.find("QSNAP"), second = stream + 6 + 5;
  const auto says = [&](size_t at, char byte) {
    std::string damaged = file;
    damaged[at] = byte;
    return MessageOf(ReadBack(damaged).status);
  };
  EXPECT_THAT(says(0, 'X'), HasSubstr("not a snapshot file"));
  EXPECT_THAT(says(8, 2), HasSubstr("version 2"));
  EXPECT_THAT(says(20, '\x7f'), HasSubstr("the header's checksum"));
  EXPECT_THAT(says(stream, 'X'), HasSubstr("damaged at byte " + std::to_string(stream)));
  EXPECT_THAT(says(second + 2, 'A'), HasSubstr("damaged at byte " + std::to_string(second) +
                                               ": snapshot is damaged: keys out of order"));
  EXPECT_THAT(says(file.size() - 1, 'x'), HasSubstr("the checksum of the whole file"));
  EXPECT_THAT(MessageOf(ReadBack(file + "more").status), HasSubstr("bytes after its end"));
  EXPECT_EQ(ReadBack("QUORSNAP\x02" + std::string(7, '\0')).status.code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SnapshotFile, AnErrorOfTheVisitorIsPlacedToo) {
  const std::string file = FileOf(Meta(), {{"a", "1"}, {"b", "2"}});
  SnapshotFileReader reader;
  const absl::Status status = reader.Feed(file, [](std::string_view key, std::string_view) {
    return key == "b" ? absl::DataLossError("no b") : absl::OkStatus();
  });
  EXPECT_THAT(MessageOf(status),
              HasSubstr("damaged at byte " + std::to_string(file.find("QSNAP") + 11) + ": no b"));
  EXPECT_EQ(reader.Finish(), status);
}

// tests/data/snapshot/v1.snapshot was written by version 1 and is read for ever; never rewrite it.
TEST(SnapshotFile, TheGoldenFileIsRead) {
  const auto path = std::filesystem::path(QUORATE_SOURCE_DIR) / "tests/data/snapshot/v1.snapshot";
  if (std::getenv("QUORATE_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(path)) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << FileOf(Meta(), {{"a", "1"}, {"b", std::string(300, 'b')}});
  }
  std::ifstream in(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  const Read read = ReadBack(file);
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.pairs, (Pairs{{"a", "1"}, {"b", std::string(300, 'b')}}));
  EXPECT_EQ(read.meta->group, GroupId{3});
  EXPECT_EQ(read.meta->index, LogIndex{77});
  EXPECT_EQ(read.meta->saved_at, Meta().saved_at);
  ASSERT_EQ(read.meta->configuration.members.size(), 2u);
  EXPECT_EQ(read.meta->configuration.members[1].address, "127.0.0.1:7102");
}

}  // namespace
}  // namespace quorate::storage
