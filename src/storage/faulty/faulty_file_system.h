// A disk in memory that fails as disks do: it loses and tears what was not synced, flips bits, fills up,
// fails. For the simulator and for tests of the log. Everything follows from the seed and the calls.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "storage/wal/file_system.h"

namespace quorate::storage {

enum class DiskFault : uint8_t {
  // The power goes: this operation happens in part, and it and all later ones fail until Crash().
  kPowerCut,
  // A write or sync fails, others go on. After a failed sync what was written stays readable but will never
  // be
  // durable, as Linux has it; a failed write leaves a part.
  kIoError,
};

// What Crash() makes of sectors that were written and not synced.
enum class Unsynced : uint8_t { kRandom, kLost, kKept };

// One thread.
class FaultyFileSystem final : public FileSystem {
 public:
  static constexpr size_t kSectorBytes = 512;  // written whole or not at all

  explicit FaultyFileSystem(uint64_t seed);
  ~FaultyFileSystem() override;

  absl::StatusOr<std::unique_ptr<File>> Create(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override;
  absl::Status CreateDirectory(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& directory) override;

  // The machine stops and comes back. Files opened before give errors from now on; of each sector and each
  // directory entry that was not synced the old or the new is there. Power is on again.
  void Crash(Unsynced unsynced = Unsynced::kRandom);

  // Changing operations (writes, syncs, creations, renames, removals) so far, the failed ones too.
  uint64_t operations() const { return operations_; }
  // The operation that will make operations() == `operation` meets `fault`.
  void FailAt(uint64_t operation, DiskFault fault) { faults_[operation] = fault; }
  void ForgetFaults() { faults_.clear(); }
  // False: a power cut came true, and Crash() was not called since.
  bool has_power() const { return power_; }
  // In all files, written or only reserved.
  size_t bytes_used() const;
  // Writes that would take more than that, in all files, fail with kResourceExhausted.
  void SetCapacity(size_t bytes) { capacity_ = bytes; }
  // Reading that file fails from now on, as a bad sector makes it.
  void FailReads(const std::string& path) { unreadable_.insert(path); }
  // Called before each changing operation with its kind ("write", "sync", ...) and path: the simulator lets
  // time pass.
  void OnOperation(std::function<void(std::string_view kind, const std::string& path)> hook) {
    hook_ = std::move(hook);
  }

  // The files as they are, durable or not; for tests that damage them. SetContent makes the whole file
  // durable.
  std::vector<std::string> Paths() const;
  std::string Content(const std::string& path) const;
  void SetContent(const std::string& path, std::string content);
  void FlipBit(const std::string& path, size_t bit);
  void ZeroSector(const std::string& path, size_t sector);
  // A random bit of a random file, durable and cached alike. False: all files are empty.
  bool FlipRandomBit();

 private:
  struct Inode {
    std::string disk;           // what a crash leaves for sure
    std::string cache;          // what is read
    std::set<size_t> unsynced;  // sectors of cache not yet on disk
  };
  struct DirectoryChange {
    std::string remove, put;  // either may be empty; both: a rename
    std::shared_ptr<Inode> inode;
  };
  using Entries = std::map<std::string, std::shared_ptr<Inode>>;
  class OpenFile;

  absl::Status Begin(const char* kind, const std::string& path);
  absl::Status Write(Inode& inode, const std::string& path, uint64_t offset, std::string_view bytes);
  absl::Status Sync(Inode& inode, const std::string& path);
  void Change(DirectoryChange change);
  static void Apply(const DirectoryChange& change, Entries& entries);
  static void WriteSectors(Inode& inode, uint64_t offset, std::string_view bytes);
  static void KeepSector(Inode& inode, size_t sector);

  Rng rng_;
  std::set<std::string> directories_;
  Entries entries_;                       // as read
  Entries durable_;                       // as a crash leaves them for sure
  std::vector<DirectoryChange> changes_;  // from durable_ to entries_
  uint64_t incarnation_ = 1;              // grows at each crash
  uint64_t operations_ = 0;
  std::map<uint64_t, DiskFault> faults_;
  std::set<std::string> unreadable_;
  bool power_ = true;
  size_t capacity_ = std::numeric_limits<size_t>::max();
  std::function<void(std::string_view, const std::string&)> hook_;
};

}  // namespace quorate::storage
