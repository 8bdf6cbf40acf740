#include "model/visited.h"

#include <cstring>

#include "base/check.h"

namespace quorate::model {
namespace {

uint64_t Mix(uint64_t x) {  // the finalizer of splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

Fingerprint FingerprintOf(const void* data, size_t size) {
  CHECK_EQ(size % 8, 0u);
  uint64_t a = 0x9e3779b97f4a7c15ull, b = 0xc2b2ae3d27d4eb4full;
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (size_t at = 0; at < size; at += 8) {
    uint64_t word;
    std::memcpy(&word, bytes + at, 8);
    // Both halves are a 128-bit product, folded; they start and multiply differently.
    const auto left = static_cast<unsigned __int128>(a ^ word) * 0xff51afd7ed558ccdull;
    const auto right = static_cast<unsigned __int128>(b + word) * 0x9fb21c651e98df25ull;
    a = static_cast<uint64_t>(left) ^ static_cast<uint64_t>(left >> 64);
    b = static_cast<uint64_t>(right) ^ static_cast<uint64_t>(right >> 64) ^ (b << 17);
  }
  return {Mix(a), static_cast<uint32_t>(Mix(b ^ 0x2545f4914f6cdd1dull))};
}

Visited::Visited() : table_(1 << 16, kNone) {}

bool Visited::Insert(const Fingerprint& fingerprint, uint32_t parent) {
  if ((entries_.size() + 1) * 4 > table_.size() * 3) Grow();
  const size_t mask = table_.size() - 1;
  size_t slot = fingerprint.low & mask;
  while (table_[slot] != kNone) {
    const Entry& entry = entries_[table_[slot]];
    if (entry.low == fingerprint.low && entry.high == fingerprint.high) return false;
    slot = (slot + 1) & mask;
  }
  CHECK_LT(entries_.size(), size_t{kNone});
  table_[slot] = static_cast<uint32_t>(entries_.size());
  entries_.push_back({fingerprint.low, fingerprint.high, parent});
  return true;
}

void Visited::Grow() {
  table_.assign(table_.size() * 2, kNone);
  const size_t mask = table_.size() - 1;
  for (uint32_t id = 0; id < entries_.size(); ++id) {
    size_t slot = entries_[id].low & mask;
    while (table_[slot] != kNone) slot = (slot + 1) & mask;
    table_[slot] = id;
  }
}

}  // namespace quorate::model
