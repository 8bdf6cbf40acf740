#include "base/bytes.h"
#include "rsm/api.h"

namespace quorate::rsm {

std::string StampCommand(const Stamp& stamp, std::string_view command) {
  ByteWriter out(16 + command.size());
  out.U64(static_cast<uint64_t>(stamp.group_time.count()));
  out.U64(static_cast<uint64_t>(stamp.wall_time.since_epoch.count()));
  out.Raw(command);
  return out.Take();
}

std::optional<StampedCommand> ParseStamped(std::string_view payload) {
  ByteReader in(payload);
  StampedCommand stamped;
  stamped.stamp.group_time = Duration(static_cast<int64_t>(in.U64()));
  stamped.stamp.wall_time = {Duration(static_cast<int64_t>(in.U64()))};
  if (!in.ok()) return std::nullopt;
  stamped.command = in.Raw(in.remaining());
  return stamped;
}

}  // namespace quorate::rsm
