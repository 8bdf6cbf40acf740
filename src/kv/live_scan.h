// The live keys of a store whose map goes by pair by pair, as in a snapshot: without a map, and without
// trust.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"

namespace quorate::kv {

// One thread.
class LiveScan {
 public:
  struct Live {
    std::string key;
    std::string_view value;  // into map_value
  };
  // A pair of the map; they come in the order of their keys. Gives the newest version of a key that is not
  // deleted; nothing for all else, also what is not of the store. The error: no pair of a store.
  Result<std::optional<Live>, std::string> Add(std::string_view map_key, std::string_view map_value);

  Revision revision() const { return revision_; }  // of the newest change
  uint64_t keys() const { return keys_; }          // live

 private:
  std::string last_prefix_;
  Revision revision_{1};
  uint64_t keys_ = 0;
};

}  // namespace quorate::kv
