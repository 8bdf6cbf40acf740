#include "storage/faulty/faulty_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace quorate::storage {
namespace {

absl::Status NotFound(const std::string& path) {
  return absl::NotFoundError(absl::StrCat("no such file ", path));
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

class FaultyFileSystem::OpenFile final : public File {
 public:
  OpenFile(FaultyFileSystem& disk, std::shared_ptr<Inode> inode, std::string path)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), incarnation_(disk.incarnation_) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    RETURN_IF_ERROR(CheckAlive());
    return disk_.Write(*inode_, path_, offset, bytes);
  }
  absl::Status Sync() override {
    RETURN_IF_ERROR(CheckAlive());
    return disk_.Sync(*inode_, path_);
  }
  absl::StatusOr<std::string> ReadAll() const override {
    RETURN_IF_ERROR(CheckAlive());
    if (disk_.unreadable_.contains(path_)) {
      return absl::UnavailableError(absl::StrCat("cannot read ", path_, ": Input/output error"));
    }
    return inode_->cache;
  }

 private:
  absl::Status CheckAlive() const {
    if (incarnation_ == disk_.incarnation_ && disk_.power_) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat("the machine has crashed; ", path_, " was open"));
  }
  FaultyFileSystem& disk_;
  const std::shared_ptr<Inode> inode_;
  const std::string path_;
  const uint64_t incarnation_;
};

FaultyFileSystem::FaultyFileSystem(uint64_t seed) : rng_(seed) {}
FaultyFileSystem::~FaultyFileSystem() = default;

// Counts the operation. A fault planned for it comes back as its error; the caller does what happens in part.
absl::Status FaultyFileSystem::Begin(const char* kind, const std::string& path) {
  if (!power_) return absl::AbortedError("the machine has crashed");
  if (hook_) hook_(kind, path);
  const auto fault = faults_.find(++operations_);
  if (fault == faults_.end()) return absl::OkStatus();
  if (fault->second == DiskFault::kPowerCut) {
    power_ = false;
    return absl::AbortedError(absl::StrCat("power cut during ", kind, " of ", path));
  }
  return absl::UnavailableError(absl::StrCat("cannot ", kind, " ", path, ": Input/output error"));
}

void FaultyFileSystem::WriteSectors(Inode& inode, uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (inode.cache.size() < offset + bytes.size()) inode.cache.resize(offset + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), inode.cache.begin() + static_cast<ptrdiff_t>(offset));
  for (size_t sector = offset / kSectorBytes; sector * kSectorBytes < offset + bytes.size(); ++sector) {
    inode.unsynced.insert(sector);
  }
}

absl::Status FaultyFileSystem::Write(Inode& inode, const std::string& path, uint64_t offset,
                                     std::string_view bytes) {
  const absl::Status fault = Begin("write", path);
  if (absl::IsAborted(fault)) {
    // Whatever reached the cache before the power went; Crash() then tears it.
    if (power_ == false) WriteSectors(inode, offset, bytes);
    return fault;
  }
  if (!fault.ok()) {
    // The kernel takes a write page by page; it never stops inside a sector.
    const uint64_t end = (offset + rng_.Below(bytes.size() + 1)) / kSectorBytes * kSectorBytes;
    if (end > offset) WriteSectors(inode, offset, bytes.substr(0, end - offset));
    return fault;
  }
  const size_t growth = std::max(inode.cache.size(), offset + bytes.size()) - inode.cache.size();
  const size_t used = bytes_used();
  if (growth > 0 && used + growth > capacity_) {
    const size_t room = capacity_ > used ? capacity_ - used : 0;
    WriteSectors(inode, offset, bytes.substr(0, std::min(bytes.size(), room)));
    return absl::ResourceExhaustedError(absl::StrCat("cannot write ", path, ": No space left on device"));
  }
  WriteSectors(inode, offset, bytes);
  return absl::OkStatus();
}

void FaultyFileSystem::KeepSector(Inode& inode, size_t sector) {
  const size_t from = sector * kSectorBytes;
  if (from >= inode.cache.size()) return;
  const std::string_view bytes = std::string_view(inode.cache).substr(from, kSectorBytes);
  if (inode.disk.size() < from + bytes.size()) inode.disk.resize(from + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), inode.disk.begin() + static_cast<ptrdiff_t>(from));
}

absl::Status FaultyFileSystem::Sync(Inode& inode, const std::string& path) {
  const absl::Status fault = Begin("sync", path);
  if (absl::IsAborted(fault)) return fault;
  if (fault.ok()) {
    for (const size_t sector : inode.unsynced) KeepSector(inode, sector);
  } else {
    for (const size_t sector : inode.unsynced) {
      if (rng_.Chance(1, 2)) KeepSector(inode, sector);
    }
  }
  inode.unsynced.clear();
  return fault;
}

void FaultyFileSystem::Apply(const DirectoryChange& change, Entries& entries) {
  if (!change.remove.empty()) entries.erase(change.remove);
  if (!change.put.empty()) entries[change.put] = change.inode;
}

void FaultyFileSystem::Change(DirectoryChange change) {
  Apply(change, entries_);
  changes_.push_back(std::move(change));
}

absl::StatusOr<std::unique_ptr<File>> FaultyFileSystem::Create(const std::string& path) {
  RETURN_IF_ERROR(Begin("create", path));
  if (!directories_.contains(DirectoryOf(path))) return NotFound(path);
  auto inode = std::make_shared<Inode>();
  Change({.put = path, .inode = inode});
  return std::make_unique<OpenFile>(*this, std::move(inode), path);
}

absl::StatusOr<std::unique_ptr<File>> FaultyFileSystem::Open(const std::string& path) {
  if (!power_) return absl::AbortedError("the machine has crashed");
  const auto found = entries_.find(path);
  if (found == entries_.end()) return NotFound(path);
  return std::make_unique<OpenFile>(*this, found->second, path);
}

absl::StatusOr<std::vector<std::string>> FaultyFileSystem::List(const std::string& directory) const {
  if (!power_) return absl::AbortedError("the machine has crashed");
  if (!directories_.contains(directory)) return NotFound(directory);
  std::vector<std::string> names;
  for (const auto& [path, inode] : entries_) {
    if (DirectoryOf(path) == directory) names.push_back(path.substr(directory.size() + 1));
  }
  return names;
}

absl::Status FaultyFileSystem::CreateDirectory(const std::string& path) {
  RETURN_IF_ERROR(Begin("create directory", path));
  directories_.insert(path);
  return absl::OkStatus();
}

absl::Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(Begin("rename", from));
  const auto found = entries_.find(from);
  if (found == entries_.end()) return NotFound(from);
  Change({.remove = from, .put = to, .inode = found->second});
  return absl::OkStatus();
}

absl::Status FaultyFileSystem::Remove(const std::string& path) {
  RETURN_IF_ERROR(Begin("remove", path));
  if (!entries_.contains(path)) return NotFound(path);
  Change({.remove = path});
  return absl::OkStatus();
}

absl::Status FaultyFileSystem::SyncDirectory(const std::string& directory) {
  RETURN_IF_ERROR(Begin("sync directory", directory));
  std::erase_if(changes_, [&](const DirectoryChange& change) {
    if (DirectoryOf(change.put.empty() ? change.remove : change.put) != directory) return false;
    Apply(change, durable_);
    return true;
  });
  return absl::OkStatus();
}

void FaultyFileSystem::Crash(Unsynced unsynced) {
  const auto kept = [&] {
    return unsynced == Unsynced::kKept || (unsynced == Unsynced::kRandom && rng_.Chance(1, 2));
  };
  for (const DirectoryChange& change : std::exchange(changes_, {})) {
    if (kept()) Apply(change, durable_);
  }
  entries_ = durable_;
  // Some crashes lose nearly nothing of a file and some nearly all: both ends matter more than the middle.
  for (auto& [path, inode] : entries_) {
    const uint64_t of_ten = rng_.Below(11);
    for (const size_t sector : std::exchange(inode->unsynced, {})) {
      const bool keep = unsynced == Unsynced::kRandom ? rng_.Chance(of_ten, 10) : unsynced == Unsynced::kKept;
      if (keep) KeepSector(*inode, sector);
    }
    inode->cache = inode->disk;
  }
  ++incarnation_;
  power_ = true;
}

size_t FaultyFileSystem::bytes_used() const {
  size_t sum = 0;
  for (const auto& [path, inode] : entries_) sum += inode->cache.size();
  return sum;
}

std::vector<std::string> FaultyFileSystem::Paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, inode] : entries_) paths.push_back(path);
  return paths;
}

std::string FaultyFileSystem::Content(const std::string& path) const {
  const auto found = entries_.find(path);
  CHECK(found != entries_.end());
  return found->second->cache;
}

void FaultyFileSystem::SetContent(const std::string& path, std::string content) {
  directories_.insert(DirectoryOf(path));
  auto inode = std::make_shared<Inode>();
  inode->disk = inode->cache = std::move(content);
  entries_[path] = durable_[path] = std::move(inode);
}

void FaultyFileSystem::FlipBit(const std::string& path, size_t bit) {
  std::string content = Content(path);
  CHECK_LT(bit / 8, content.size());
  content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << (bit % 8)));
  SetContent(path, std::move(content));
}

void FaultyFileSystem::ZeroSector(const std::string& path, size_t sector) {
  std::string content = Content(path);
  CHECK_LE((sector + 1) * kSectorBytes, content.size());
  content.replace(sector * kSectorBytes, kSectorBytes, kSectorBytes, '\0');
  SetContent(path, std::move(content));
}

bool FaultyFileSystem::FlipRandomBit() {
  std::vector<std::string> paths = Paths();
  std::erase_if(paths, [this](const std::string& path) { return entries_.at(path)->cache.empty(); });
  if (paths.empty()) return false;
  const std::string& path = paths[rng_.Below(paths.size())];
  FlipBit(path, rng_.Below(entries_.at(path)->cache.size() * 8));
  return true;
}

}  // namespace quorate::storage
