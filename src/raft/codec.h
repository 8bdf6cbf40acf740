// Configurations and messages as bytes: what a transport sends and what a log or snapshot keeps. Pure; never
// throws. Decoding validates: a result can be given to the core or kept as it is. The format is in
// docs/formats.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "raft/messages.h"
#include "raft/types.h"

namespace quorate::raft {

// Terms, indices and rounds above this are refused from any wire or disk, so that adding one never wraps.
inline constexpr uint64_t kNumberMax = uint64_t{1} << 62;

std::string EncodeConfiguration(const Configuration& configuration);
// nullopt: malformed, unknown version, members not in order of their ids, an id of 0, more than
// limits::kMembersMax, or members without a voter. No members at all is a configuration too: that of a
// replica not yet told its group.
std::optional<Configuration> DecodeConfiguration(std::string_view bytes);

// Of a version that this program does not know: that is no damage.
bool IsNewerConfiguration(std::string_view bytes);

std::string EncodeSnapshotMeta(const SnapshotMeta& meta);
std::optional<SnapshotMeta> DecodeSnapshotMeta(std::string_view bytes);

// Members of the version before read 2; what only 3 can say is not for them.
inline constexpr uint8_t kMessageVersionMin = 2;
inline constexpr uint8_t kMessageVersion = 3;
bool CanEncode(const Message& message, uint8_t version);

// Entries of an AppendEntries must be contiguous after prev_index (checked: they are ours).
void EncodeMessage(const Message& message, ByteWriter& out, uint8_t version = kMessageVersion);
// nullopt: malformed, unknown version or kind, or a number, payload or count beyond its limit. Entries are
// contiguous by construction, of terms that never fall and never exceed the sender's; configuration entries
// decode.
std::optional<Message> DecodeMessage(std::string_view bytes);

}  // namespace quorate::raft
