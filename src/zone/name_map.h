// A persistent map from names to counted leaves: a hash array mapped trie (Bagwell 2001) with path copying. A
// copy is O(1) and shares everything; a change copies one path of it.
#pragma once

#include <cstdint>

#include "zone/name_hash.h"
#include "zone/ref_ptr.h"
#include "zone/trie.h"

namespace quorate::zone {

// Leaf: counted (see RefPtr), with `dns::NameView key() const`, a name in any case. `hash` is always NameHash
// of the key. Reading: any thread. Changing one map object: one thread; other copies never notice.
template <class Leaf>
class NameMap {
 public:
  NameMap() : trie_(kOps) {}

  // No allocation. `folded` is in lower case.
  const Leaf* Find(uint64_t hash, dns::NameView folded) const {
    return static_cast<const Leaf*>(trie_.Find(hash, folded));
  }
  // Adds the leaf, or puts it in the place of the one with its key.
  void Put(uint64_t hash, RefPtr<Leaf> leaf) { trie_.Put(hash, leaf.Release()); }
  // False: was not there.
  bool Erase(uint64_t hash, dns::NameView folded) { return trie_.Erase(hash, folded); }
  size_t size() const { return trie_.size(); }
  // In no meaningful order: sort what comes of it.
  template <class Visit>
  void ForEach(Visit visit) const {
    trie_.ForEach([&](const void* leaf) { visit(*static_cast<const Leaf*>(leaf)); });
  }

 private:
  static const Leaf& As(const void* leaf) { return *static_cast<const Leaf*>(leaf); }
  static constexpr TrieOps kOps{
      .key = [](const void* leaf) { return As(leaf).key(); },
      .hash = [](const void* leaf) { return NameHash(As(leaf).key()); },
      .ref = [](const void* leaf) { As(leaf).Ref(); },
      .unref = [](const void* leaf) { As(leaf).Unref(); },
  };

  Trie trie_;
};

}  // namespace quorate::zone
