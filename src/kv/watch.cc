#include "kv/watch.h"

#include "base/check.h"

namespace quorate::kv {

void WatchIndex::Add(uint64_t id, KeyRange range) {
  const auto [it, fresh] = by_id_.emplace(id, std::move(range));
  CHECK(fresh);
  if (it->second.Single()) {
    single_[it->second.key].insert(id);
  } else {
    ranges_.insert(id);
  }
}

void WatchIndex::Remove(uint64_t id) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return;
  if (const auto single = single_.find(it->second.key); it->second.Single() && single != single_.end()) {
    single->second.erase(id);
    if (single->second.empty()) single_.erase(single);
  }
  ranges_.erase(id);
  by_id_.erase(it);
}

void WatchIndex::Match(std::string_view key, const std::function<void(uint64_t)>& visit) const {
  if (const auto single = single_.find(key); single != single_.end()) {
    for (uint64_t id : single->second) visit(id);
  }
  for (uint64_t id : ranges_) {
    if (by_id_.at(id).Contains(key)) visit(id);
  }
}

}  // namespace quorate::kv
