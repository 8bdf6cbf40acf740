// The trie of NameMap, without the type of its leaves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "dns/name.h"

namespace quorate::zone {

// What the trie must know of its leaves.
struct TrieOps {
  dns::NameView (*key)(const void* leaf);
  uint64_t (*hash)(const void* leaf);  // of its key
  void (*ref)(const void* leaf);
  void (*unref)(const void* leaf);
};

// Five bits of the hash a level; at the bottom, 13 levels down, leaves with one hash stand sorted by name, so
// that no choice of names makes a look-up slow.
class Trie {
 public:
  explicit Trie(const TrieOps& ops) : ops_(&ops) {}
  Trie(const Trie& other);
  Trie(Trie&& other) noexcept
      : ops_(other.ops_), root_(std::exchange(other.root_, 0)), size_(std::exchange(other.size_, 0)) {}
  Trie& operator=(Trie other) noexcept;
  ~Trie();

  const void* Find(uint64_t hash, dns::NameView folded) const;
  // Takes over one reference of the leaf.
  void Put(uint64_t hash, const void* leaf);
  bool Erase(uint64_t hash, dns::NameView folded);
  size_t size() const { return size_; }
  void ForEach(const std::function<void(const void*)>& visit) const;

 private:
  // 0: nothing. Odd: a leaf (its address plus one). Even: a branch.
  using Slot = uintptr_t;
  struct Branch;

  void RefSlot(Slot slot) const;
  void UnrefSlot(Slot slot) const;
  // Both take over one reference of `slot` and give one of what they return. What only this trie refers to is
  // changed in place, the rest is copied.
  Slot PutIn(Slot slot, unsigned shift, uint64_t hash, const void* leaf, bool& added) const;
  Slot EraseIn(Slot slot, unsigned shift, uint64_t hash, dns::NameView folded) const;
  Slot Join(const void* a, uint64_t hash_a, const void* b, uint64_t hash_b, unsigned shift) const;
  Branch* Sole(Branch* branch) const;
  // The place of the leaf with this name among a bucket's, and whether it is there.
  std::pair<uint32_t, bool> PlaceInBucket(const Branch& bucket, dns::NameView name) const;
  void VisitSlot(Slot slot, const std::function<void(const void*)>& visit) const;

  const TrieOps* ops_;
  Slot root_ = 0;
  size_t size_ = 0;
};

}  // namespace quorate::zone
