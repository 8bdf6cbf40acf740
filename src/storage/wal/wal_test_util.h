// What the tests of the log share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/rng.h"
#include "storage/faulty/faulty_file_system.h"
#include "storage/log_image.h"
#include "storage/wal/record.h"
#include "storage/wal/sector.h"
#include "storage/wal/wal.h"

namespace quorate::storage::wal {

inline constexpr size_t kSmallSegment = 8 * kSectorBytes;

inline raft::LogEntry Entry(uint64_t index, uint64_t term, std::string payload = "x") {
  return {LogIndex{index}, Term{term}, raft::EntryType::kCommand,
          std::make_shared<const std::string>(std::move(payload))};
}

inline raft::Configuration Members(uint64_t count) {
  raft::Configuration configuration;
  for (uint64_t id = 1; id <= count; ++id) {
    configuration.members.push_back(
        {.id = MemberId{id}, .address = "127.0.0.1:" + std::to_string(4000 + id)});
  }
  return configuration;
}

inline raft::SnapshotMeta Meta(uint64_t index, uint64_t term, uint64_t members = 3) {
  return {LogIndex{index}, Term{term}, Members(members)};
}

inline raft::HardState State(uint64_t term, uint64_t vote) { return {Term{term}, MemberId{vote}}; }

// Everything of a log but torn_tail, for comparing and for reading in a failure.
inline std::string Describe(const RecoveredLog& log) {
  std::string out = "term " + std::to_string(log.hard_state.current_term.value) + " vote " +
                    std::to_string(log.hard_state.voted_for.value) + " base " +
                    std::to_string(log.base.last_index.value) + "/" +
                    std::to_string(log.base.last_term.value) + " members";
  for (const raft::Member& member : log.base.configuration.members) out += " " + member.address;
  for (const raft::LogEntry& entry : log.entries) {
    out += "\n" + std::to_string(entry.index.value) + "/" + std::to_string(entry.term.value) + " type " +
           std::to_string(static_cast<int>(entry.type)) + " ";
    out += entry.payload == nullptr ? "none"
           : entry.bytes() < 40     ? *entry.payload
                                : std::to_string(entry.bytes()) + " bytes " + entry.payload->substr(0, 20);
  }
  return out;
}

inline WalOptions Small(uint64_t id_seed = 7) {
  return {.segment_bytes = kSmallSegment, .prepare_in_background = false, .id_seed = id_seed};
}

// A log over a simulated disk, beside the value that it should hold.
class LoggedDisk {
 public:
  explicit LoggedDisk(uint64_t seed = 1) : disk(seed) {}

  // Starts the log anew, as a process does. Gives what Recover() gave.
  absl::StatusOr<RecoveredLog> Start(WalOptions options = Small()) {
    log = OpenWal(disk, "wal", options).value();
    return log->Recover();
  }
  void StartOk(WalOptions options = Small()) {
    auto recovered = Start(options);
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    ASSERT_EQ(Describe(*recovered), Describe(model));
  }
  absl::Status Write(LogWrite write) {
    const absl::Status status = log->Write({&write, 1});
    if (status.ok()) ApplyLogWrite(write, model);
    return status;
  }
  absl::Status Compact(const raft::SnapshotMeta& base) {
    const absl::Status status = log->Compact(base);
    if (status.ok()) CompactLog(base, model);
    return status;
  }
  // Entries `first` to `last`, one batch each.
  void Fill(uint64_t first, uint64_t last, uint64_t term = 1, size_t bytes = 100) {
    for (uint64_t i = first; i <= last; ++i) {
      ASSERT_TRUE(
          Write({.append = {Entry(i, term, std::string(bytes, static_cast<char>('a' + i % 26)))}}).ok());
    }
  }
  std::vector<std::string> Segments() const {
    std::vector<std::string> paths;
    for (std::string& path : disk.Paths()) {
      if (path.ends_with(".wal")) paths.push_back(std::move(path));
    }
    return paths;
  }

  FaultyFileSystem disk;
  std::unique_ptr<LogStore> log;
  RecoveredLog model;
};

}  // namespace quorate::storage::wal
