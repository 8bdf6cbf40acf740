// Which watcher hears of which key. Pure and not locked: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "kv/types.h"

namespace quorate::kv {

class WatchIndex {
 public:
  // `id` must not be in the index.
  void Add(uint64_t id, KeyRange range);
  void Remove(uint64_t id);  // nothing happens if it is not there
  // Calls `visit` once for each watcher of `key`. It must not change the index. Costs a look-up plus the
  // number of watchers of ranges (not of single keys).
  void Match(std::string_view key, const std::function<void(uint64_t id)>& visit) const;
  size_t size() const { return by_id_.size(); }

 private:
  std::map<uint64_t, KeyRange> by_id_;
  std::map<std::string, std::set<uint64_t>, std::less<>> single_;
  std::set<uint64_t> ranges_;
};

}  // namespace quorate::kv
