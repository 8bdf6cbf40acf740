#include "kv/live_scan.h"

#include "kv/key_layout.h"

namespace quorate::kv {

Result<std::optional<LiveScan::Live>, std::string> LiveScan::Add(std::string_view map_key,
                                                                 std::string_view map_value) {
  const std::optional<Live> nothing;
  if (map_key == kCurrentKey) {
    const auto revision = ParseRevision(map_value);
    if (!revision) return std::string("the store's revision is none");
    revision_ = *revision;
    return nothing;
  }
  const auto place = ParseRecordKey(map_key);
  if (!place || place->prefix == last_prefix_) return nothing;  // or an older version
  last_prefix_ = place->prefix;
  const auto record = ParseRecord(map_value);
  if (!record) return std::string("the store holds a record that is none");
  if (record->tombstone) return nothing;
  ++keys_;
  return std::optional(Live{KeyOfPrefix(place->prefix), record->value});
}

}  // namespace quorate::kv
