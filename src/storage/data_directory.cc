#include "storage/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/crc32c.h"
#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "storage/atomic_file.h"
#include "storage/data_directory_names.h"
#include "storage/disk_reserve.h"

namespace quorate::storage {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kVersion = 2;
constexpr size_t kLinesV1 = 6, kLinesV2 = 8;

// RFC 4122 4.4: version 4, random.
std::string DrawUuid() {
  uint64_t high = DrawInstance(), low = DrawInstance();
  high = (high & ~uint64_t{0xf000}) | 0x4000;
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xffff, high & 0xffff,
                         low >> 48, low & 0xffffffffffff);
}

absl::Status Failed(absl::string_view what, const std::string& path) {
  return DiskError(DiskFault::kWrite, errno, absl::StrCat("data directory: cannot ", what, " ", path));
}

// Who holds the lock, as far as it wrote that down.
std::string HolderOf(const std::string& lock_path) {
  const auto content = ReadSmallFile(lock_path);
  uint64_t pid = 0;
  if (!content.ok() || !absl::SimpleAtoi(*content, &pid)) return "another process";
  return absl::StrCat("another process (pid ", pid, ")");
}

// The descriptor of the locked file.
absl::StatusOr<int> Lock(const std::string& path) {
  const std::string lock_path = path + "/lock";
  const int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return Failed("open", lock_path);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const bool held = errno == EWOULDBLOCK;
    const absl::Status status = held ? absl::UnavailableError(absl::StrCat(
                                           "data directory ", path, " is in use by ", HolderOf(lock_path)))
                                     : Failed("lock", lock_path);
    ::close(fd);
    return status;
  }
  // For the reader of an error message only: the lock itself is the flock, and a full disk no reason to stop.
  const std::string pid = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(fd, 0) != 0 || (::pwrite(fd, pid.data(), pid.size(), 0) < 0 && errno != ENOSPC)) {
    const absl::Status status = Failed("write", lock_path);
    ::close(fd);
    return status;
  }
  return fd;
}

// A directory with something in it that we did not put there is not taken over.
absl::Status CheckUnused(const std::string& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename();
    if (name == "lock" || name == "identity.tmp" || name == kReserveName) continue;
    if (name == "wal" || name == "state" || name.starts_with("damaged-")) {
      return absl::DataLossError(
          absl::StrCat("data directory ", path, " holds data (", name, ") but has lost its file 'identity'"));
    }
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not a data directory of Quorate, and not empty (", name, ")"));
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", path));
  return absl::OkStatus();
}

std::string BodyV1(const Identity& identity, uint64_t version) {
  return absl::StrCat("quorate-data ", version, "\nuuid ", identity.uuid, "\ngroup ", identity.group.value,
                      "\nmember ", identity.member.value, "\nincarnation ", identity.incarnation, "\nlog ",
                      identity.has_log ? "yes" : "no", "\n");
}

std::string Body(const Identity& identity) {
  return absl::StrCat(BodyV1(identity, kVersion), "instance ", identity.instance, "\nrepairs ",
                      identity.repairs, "\n");
}

}  // namespace

std::string EncodeIdentity(const Identity& identity) {
  const std::string body = Body(identity);
  return absl::StrCat(body, absl::StrFormat("crc %08x\n", Crc32c(body)));
}

absl::StatusOr<Identity> DecodeIdentity(const std::string& text) {
  const absl::Status damaged = absl::DataLossError("the file 'identity' is damaged");
  const size_t crc_at = text.rfind("crc ");
  if (crc_at == std::string::npos) return damaged;
  const std::string body = text.substr(0, crc_at);
  if (text.substr(crc_at) != absl::StrFormat("crc %08x\n", Crc32c(body))) return damaged;
  std::vector<std::string> values;
  for (const absl::string_view line : absl::StrSplit(body, '\n', absl::SkipEmpty())) {
    const size_t space = line.find(' ');
    if (space == absl::string_view::npos) return damaged;
    values.emplace_back(line.substr(space + 1));
  }
  uint64_t version = 0;
  if (values.empty() || !absl::SimpleAtoi(values[0], &version)) return damaged;
  if (version == 0 || version > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("data format version ", version,
                     " is not known to this program, which reads versions 1 to ", kVersion));
  }
  Identity identity;
  if (values.size() != (version == 1 ? kLinesV1 : kLinesV2) ||
      !absl::SimpleAtoi(values[2], &identity.group.value) ||
      !absl::SimpleAtoi(values[3], &identity.member.value) ||
      !absl::SimpleAtoi(values[4], &identity.incarnation)) {
    return damaged;
  }
  identity.uuid = values[1];
  identity.has_log = values[5] == "yes";
  if (version > 1 && (!absl::SimpleAtoi(values[6], &identity.instance) || identity.instance == 0 ||
                      !absl::SimpleAtoi(values[7], &identity.repairs))) {
    return damaged;
  }
  // Written by us, so there is one way to write it.
  if ((version == 1 ? BodyV1(identity, 1) : Body(identity)) != body) return damaged;
  return identity;
}

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return Failed("create", path);
  ASSIGN_OR_RETURN(const int lock, Lock(path));
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path, lock));
  RETURN_IF_ERROR(directory->Load());
  return directory;
}

DataDirectory::~DataDirectory() { ::close(lock_); }

absl::Status DataDirectory::Load() {
  auto text = ReadSmallFile(path_ + "/identity");
  if (absl::IsNotFound(text.status())) {
    RETURN_IF_ERROR(CheckUnused(path_));
    const fs::path parent = fs::path(path_).parent_path();
    RETURN_IF_ERROR(SyncDirectory(parent.empty() ? "." : parent.string()));
    return Save({.uuid = DrawUuid(), .incarnation = 1, .instance = DrawInstance()});
  }
  if (!text.ok()) return text.status();
  auto identity = DecodeIdentity(*text);
  if (!identity.ok()) {
    return absl::Status(identity.status().code(),
                        absl::StrCat("data directory ", path_, ": ", identity.status().message()));
  }
  damage_ = ReadSmallFile(path_ + "/" + kDamageName).value_or("");
  ++identity->incarnation;
  if (identity->instance == 0) identity->instance = DrawInstance();  // of version 1
  return Save(*identity);
}

absl::Status DataDirectory::Save(const Identity& identity) {
  const std::string file = path_ + "/identity";
  absl::Status saved = ReplaceFile(file, EncodeIdentity(identity));
  if (DiskFaultOf(saved) == DiskFault::kFull) {
    ReleaseReserve(path_);  // what it is for: to start, and to be emptied
    saved = ReplaceFile(file, EncodeIdentity(identity));
  }
  RETURN_IF_ERROR(saved);
  identity_ = identity;
  return absl::OkStatus();
}

absl::Status DataDirectory::Assign(GroupId group, MemberId member) {
  if (!group || !member) return absl::InvalidArgumentError("group and member are numbers from 1 on");
  if (identity_.group == group && identity_.member == member) return absl::OkStatus();
  if (identity_.member) {
    return absl::FailedPreconditionError(
        absl::StrCat("data directory ", path_, " belongs to member ", identity_.member.value, " of group ",
                     identity_.group.value, ", not to member ", member.value, " of group ", group.value));
  }
  Identity next = identity_;
  next.group = group;
  next.member = member;
  return Save(next);
}

absl::Status DataDirectory::MarkLogBegun() {
  if (identity_.has_log) return absl::OkStatus();
  Identity next = identity_;
  next.has_log = true;
  return Save(next);
}

}  // namespace quorate::storage
