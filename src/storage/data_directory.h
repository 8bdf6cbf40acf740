// Whose data this is: the identity of a data directory, its lock, and the count of its starts.
// docs/formats.md "Data directory".
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/types.h"

namespace quorate::storage {

struct Identity {
  std::string uuid;          // drawn when the directory was made; names it to the Oracle
  GroupId group;             // 0 until assigned
  MemberId member;           // 0 until assigned
  uint64_t incarnation = 0;  // of this start: grows by one, durably, before anything else is done
  bool has_log = false;      // a log was begun here: see WalOptions::expect_existing
  // What this directory has promised to its group stands and falls with it: drawn when the directory was
  // made, and anew whenever its log is given up (repair, recovery, restore). Never 0.
  uint64_t instance = 0;
  // The instance whose log was given up as damaged, until the group has taken in this one. 0: none was.
  uint64_t repairs = 0;
  bool operator==(const Identity&) const = default;
};

// Held as long as the process uses the directory. One thread.
class DataDirectory {
 public:
  // Makes `path` if it is not there (its parent is), locks it, and begins a new incarnation. Blocks for a
  // sync. kUnavailable: another process uses it (with its pid, if known). kFailedPrecondition: a version this
  // program does not know, or not a data directory. kDataLoss: damaged. kPermissionDenied: not writable.
  // Nothing is changed then.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(const std::string& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;

  const Identity& identity() const { return identity_; }
  // Belongs to that member from now on, durably. kFailedPrecondition: it belongs to another one already.
  absl::Status Assign(GroupId group, MemberId member);
  // Call once the log has been recovered for the first time.
  absl::Status MarkLogBegun();

  // Why what lies here cannot be used, as an earlier process found out (MarkDamaged); empty: nobody did.
  const std::string& damage() const { return damage_; }
  // Gives the log and the state up: moves them to damaged-N/, of which the newest two are kept, and draws a
  // new instance that `repairs` this one. A crash before the end leaves a directory whose log is missing,
  // which is damage again. Nobody has the log or the state open.
  absl::Status BeginRepair();
  // The group has taken in the new instance.
  absl::Status FinishRepair();
  // Belongs to a group of another id from now on, as a new instance; the identity of before stays as a file
  // identity.old-N. The log stays: see replica/new_group.h for what has to follow.
  absl::Status MoveToGroup(GroupId group);

  std::string wal_path() const { return path_ + "/wal"; }
  std::string state_path() const { return path_ + "/state"; }
  const std::string& path() const { return path_; }

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  absl::Status Load();
  absl::Status Save(const Identity& identity);
  absl::Status MoveAside(const std::string& to);

  const std::string path_;
  const int lock_;  // a locked descriptor
  Identity identity_;
  std::string damage_;
};

// Leaves a mark in the data directory `path` for its next start, as a process does that ends because of
// damage. Best effort: without the mark the damage is found again.
void MarkDamaged(const std::string& path, const std::string& why);
// Random, never 0.
uint64_t DrawInstance();

// The text of the file `identity`, in the newest version; for tools and tests.
std::string EncodeIdentity(const Identity& identity);
// Of any version; of version 1 without an instance (0). kDataLoss: damaged. kFailedPrecondition: an unknown
// version.
absl::StatusOr<Identity> DecodeIdentity(const std::string& text);

}  // namespace quorate::storage
