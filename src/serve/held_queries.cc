#include "serve/held_queries.h"

#include <cstring>

namespace quorate::serve {

// new[] leaves the octets untouched, so that what is never used never becomes resident.
HeldQueries::HeldQueries(size_t queries_max, size_t bytes_max)
    : slots_(queries_max), bytes_max_(bytes_max), bytes_(new uint8_t[bytes_max]) {}

std::optional<uint32_t> HeldQueries::FindRoom(size_t size) const {
  if (count_ == 0) return size <= bytes_max_ ? std::optional<uint32_t>(0) : std::nullopt;
  const size_t read_at = front().offset;
  // In use is [read_at, write_at_), or, when the ring has wrapped, all but [write_at_, read_at). write_at_
  // never catches up with read_at while there is something: equal would look empty.
  if (write_at_ > read_at) {
    if (write_at_ + size <= bytes_max_) return static_cast<uint32_t>(write_at_);
    return size < read_at ? std::optional<uint32_t>(0) : std::nullopt;
  }
  return write_at_ + size < read_at ? std::optional<uint32_t>(static_cast<uint32_t>(write_at_))
                                    : std::nullopt;
}

bool HeldQueries::TryPush(HeldQuery query, wire::Bytes bytes) {
  if (count_ == slots_.size() || bytes.empty()) return false;
  const auto room = FindRoom(bytes.size());
  if (!room) return false;
  std::memcpy(bytes_.get() + *room, bytes.data(), bytes.size());
  write_at_ = *room + bytes.size();
  query.offset = *room;
  query.size = static_cast<uint32_t>(bytes.size());
  slots_[(first_ + count_) % slots_.size()] = query;
  ++count_;
  return true;
}

void HeldQueries::PopDone() {
  while (count_ > 0 && front().done) {
    first_ = (first_ + 1) % slots_.size();
    --count_;
  }
}

}  // namespace quorate::serve
