#include "app/place_file.h"

#include <fmt/format.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "storage/atomic_file.h"

namespace quorate::app {
namespace {

constexpr uint64_t kVersion = 1;

std::string Body(const JoinedPlace& place, uint64_t version) {
  return fmt::format("quorate-place {}\ngroup {}\nmember {}\nname {}\n", version, place.group.value,
                     place.member.value, place.group_name);
}

std::string FileIn(const std::string& path) { return path + "/place"; }

}  // namespace

std::string EncodePlace(const JoinedPlace& place) {
  const std::string body = Body(place, kVersion);
  return body + fmt::format("crc {:08x}\n", Crc32c(body));
}

absl::StatusOr<JoinedPlace> DecodePlace(const std::string& text) {
  const absl::Status damaged = absl::DataLossError("the file 'place' is damaged");
  const size_t crc_at = text.rfind("crc ");
  if (crc_at == std::string::npos) return damaged;
  const std::string body = text.substr(0, crc_at);
  if (text.substr(crc_at) != fmt::format("crc {:08x}\n", Crc32c(body))) return damaged;
  std::vector<std::string> values;
  for (const absl::string_view line : absl::StrSplit(body, '\n')) {
    const size_t space = line.find(' ');
    if (space != absl::string_view::npos) values.emplace_back(line.substr(space + 1));
  }
  uint64_t version = 0;
  JoinedPlace place;
  if (values.empty() || !absl::SimpleAtoi(values[0], &version)) return damaged;
  if (version != kVersion) {
    return absl::FailedPreconditionError(
        fmt::format("version {} of the file 'place' is not known to this program", version));
  }
  if (values.size() != 4 || !absl::SimpleAtoi(values[1], &place.group.value) ||
      !absl::SimpleAtoi(values[2], &place.member.value) || !place.group || !place.member) {
    return damaged;
  }
  place.group_name = values[3];
  if (Body(place, version) != body) return damaged;  // written by us, so there is one way to write it
  return place;
}

absl::Status SavePlace(const std::string& path, const JoinedPlace& place) {
  return storage::ReplaceFile(FileIn(path), EncodePlace(place));
}

absl::StatusOr<JoinedPlace> LoadPlace(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, storage::ReadSmallFile(FileIn(path)));
  auto place = DecodePlace(text);
  if (place.ok()) return place;
  return absl::Status(place.status().code(),
                      fmt::format("data directory {}: {}", path, MessageOf(place.status())));
}

}  // namespace quorate::app
