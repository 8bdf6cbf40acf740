// The place of a replica that was added to a running group, kept in its data directory: a later start needs
// to be told nothing.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/types.h"

namespace quorate::app {

struct JoinedPlace {
  GroupId group;
  MemberId member;
  std::string group_name;  // a line of text
  bool operator==(const JoinedPlace&) const = default;
};

// The text of the file (docs/formats.md, "Data directory").
std::string EncodePlace(const JoinedPlace& place);
// kDataLoss: damaged. kFailedPrecondition: a version that this program does not know.
absl::StatusOr<JoinedPlace> DecodePlace(const std::string& text);

// In the data directory `path`. Blocks for a sync.
absl::Status SavePlace(const std::string& path, const JoinedPlace& place);
// kNotFound: it did not join.
absl::StatusOr<JoinedPlace> LoadPlace(const std::string& path);

}  // namespace quorate::app
