// The set of states seen: 96 bits of fingerprint and the parent of each, 16 bytes a state and a table of
// 32-bit ids. Two states with one fingerprint are taken for one: for n states the chance that any two collide
// is about n^2 / 2^97, 6e-14 for a hundred million.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quorate::model {

struct Fingerprint {
  uint64_t low = 0;
  uint32_t high = 0;
  bool operator==(const Fingerprint&) const = default;
};

// Of a multiple of eight bytes.
Fingerprint FingerprintOf(const void* data, size_t size);

class Visited {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  Visited();
  // True if it is new; it then has the id size() - 1. `parent` is the id of the state it came from.
  bool Insert(const Fingerprint& fingerprint, uint32_t parent);
  size_t size() const { return entries_.size(); }
  Fingerprint fingerprint(uint32_t id) const { return {entries_[id].low, entries_[id].high}; }
  uint32_t parent(uint32_t id) const { return entries_[id].parent; }
  size_t bytes() const { return entries_.capacity() * sizeof(Entry) + table_.capacity() * sizeof(uint32_t); }

 private:
  struct Entry {
    uint64_t low;
    uint32_t high;
    uint32_t parent;
  };
  void Grow();

  std::vector<Entry> entries_;
  std::vector<uint32_t> table_;  // open addressing, linear; at most three quarters full
};

}  // namespace quorate::model
