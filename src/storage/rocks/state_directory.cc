#include "storage/rocks/state_directory.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "storage/atomic_file.h"

namespace quorate::storage::rocks {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "state-";

// nullopt: not a database's name.
std::optional<uint64_t> NumberOf(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string digits(name.substr(kPrefix.size()));
  uint64_t number = 0;
  if (!absl::SimpleAtoi(digits, &number) || number == 0 || std::to_string(number) != digits)
    return std::nullopt;
  return number;
}

absl::Status Failed(absl::string_view what, const std::string& path, const std::error_code& error) {
  return DiskError(DiskFault::kWrite, error.value(), absl::StrCat("cannot ", what, " ", path));
}

absl::StatusOr<std::vector<uint64_t>> ListDatabases(const std::string& path) {
  std::vector<uint64_t> numbers;
  std::error_code error;
  fs::directory_iterator at(path, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (const auto number = NumberOf(at->path().filename().string())) numbers.push_back(*number);
  }
  if (error) return Failed("list", path, error);
  return numbers;
}

}  // namespace

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error ? Failed("remove", path, error) : absl::OkStatus();
}

std::string StateDirectory::PathOf(uint64_t number) const { return absl::StrCat(path_, "/state-", number); }

absl::StatusOr<StateDirectory> StateDirectory::Open(const std::string& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (error) return Failed("create directory", path, error);
  const fs::path parent = fs::path(path).parent_path();
  RETURN_IF_ERROR(SyncDirectory(parent.empty() ? "." : parent.string()));
  StateDirectory directory(path);
  RETURN_IF_ERROR(directory.ReadCurrent());
  RETURN_IF_ERROR(directory.RemoveLeftovers());
  return directory;
}

absl::Status StateDirectory::ReadCurrent() {
  const std::string current = absl::StrCat(path_, "/CURRENT");
  auto content = ReadSmallFile(current);
  if (absl::IsNotFound(content.status())) {
    // CURRENT is written before the first database is made.
    ASSIGN_OR_RETURN(const auto databases, ListDatabases(path_));
    if (!databases.empty())
      return absl::DataLossError(absl::StrCat("the applied state lacks its file ", current));
    return Switch(1);
  }
  if (!content.ok()) return content.status();
  if (content->empty() || content->back() != '\n')
    return absl::DataLossError(absl::StrCat(current, " is damaged"));
  const auto number = NumberOf(std::string_view(*content).substr(0, content->size() - 1));
  if (!number.has_value()) return absl::DataLossError(absl::StrCat(current, " is damaged"));
  current_ = last_ = *number;
  return absl::OkStatus();
}

absl::Status StateDirectory::RemoveLeftovers() {
  ASSIGN_OR_RETURN(const auto databases, ListDatabases(path_));
  for (const uint64_t number : databases) {
    last_ = std::max(last_, number);
    if (number != current_) RETURN_IF_ERROR(RemoveTree(PathOf(number)));
  }
  return SyncDirectory(path_);
}

absl::Status StateDirectory::Switch(uint64_t number) {
  RETURN_IF_ERROR(SyncDirectory(path_));
  RETURN_IF_ERROR(ReplaceFile(absl::StrCat(path_, "/CURRENT"), absl::StrCat("state-", number, "\n")));
  current_ = number;
  last_ = std::max(last_, number);
  return absl::OkStatus();
}

}  // namespace quorate::storage::rocks
