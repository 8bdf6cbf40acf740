// How a data directory becomes another instance: after damage, and in a new group.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "storage/atomic_file.h"
#include "storage/data_directory.h"
#include "storage/data_directory_names.h"

namespace quorate::storage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDamagedKept = 2;

// The numbers of the directories PREFIX-N in `path`, lowest first.
std::vector<uint64_t> NumbersOf(const std::string& path, const std::string& prefix) {
  std::vector<uint64_t> numbers;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename();
    uint64_t number = 0;
    if (name.starts_with(prefix) && absl::SimpleAtoi(name.substr(prefix.size()), &number)) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

uint64_t DrawInstance() {
  std::random_device device;
  const uint64_t drawn = (uint64_t{device()} << 32) | device();
  return drawn != 0 ? drawn : 1;
}

void MarkDamaged(const std::string& path, const std::string& why) {
  const std::string file = absl::StrCat(path, "/", kDamageName);
  if (::access(file.c_str(), F_OK) == 0) return;  // the first one says where it began
  ReplaceFile(file, why + "\n").IgnoreError();    // the process ends anyway; the damage is met again
}

absl::Status DataDirectory::MoveAside(const std::string& to) {
  if (::mkdir(to.c_str(), 0750) != 0) return DiskError(DiskFault::kWrite, errno, "cannot create " + to);
  for (const char* name : {"wal", "state", kDamageName}) {
    const std::string from = absl::StrCat(path_, "/", name), target = absl::StrCat(to, "/", name);
    if (::rename(from.c_str(), target.c_str()) != 0 && errno != ENOENT) {
      return DiskError(DiskFault::kWrite, errno, absl::StrCat("cannot move ", from, " to ", to));
    }
  }
  RETURN_IF_ERROR(SyncDirectory(to));
  return SyncDirectory(path_);
}

absl::Status DataDirectory::BeginRepair() {
  std::vector<uint64_t> damaged = NumbersOf(path_, kDamagedPrefix);
  for (; damaged.size() >= kDamagedKept; damaged.erase(damaged.begin())) {
    std::error_code error;
    fs::remove_all(absl::StrCat(path_, "/", kDamagedPrefix, damaged.front()), error);
    if (error) return DiskError(DiskFault::kWrite, error.value(), "cannot remove what an older repair left");
  }
  const uint64_t number = damaged.empty() ? 1 : damaged.back() + 1;
  // `log yes` stays until the end: a log that is missing before that is damage, and is repaired again.
  RETURN_IF_ERROR(MoveAside(absl::StrCat(path_, "/", kDamagedPrefix, number)));
  Identity next = identity_;
  if (next.repairs == 0) next.repairs = identity_.instance;
  next.instance = DrawInstance();
  next.has_log = false;
  damage_.clear();
  return Save(next);
}

absl::Status DataDirectory::FinishRepair() {
  if (identity_.repairs == 0) return absl::OkStatus();
  Identity next = identity_;
  next.repairs = 0;
  return Save(next);
}

absl::Status DataDirectory::MoveToGroup(GroupId group) {
  const std::vector<uint64_t> old = NumbersOf(path_, "identity.old-");
  const uint64_t number = old.empty() ? 1 : old.back() + 1;
  RETURN_IF_ERROR(ReplaceFile(absl::StrCat(path_, "/identity.old-", number), EncodeIdentity(identity_)));
  Identity next = identity_;
  next.group = group;
  next.instance = DrawInstance();
  return Save(next);
}

}  // namespace quorate::storage
