#include "storage/memory/persistent_map.h"

#include <utility>

namespace quorate::storage {
namespace {

// FNV-1a, then a mix: the treap's heap order comes from the keys alone, so equal runs build equal trees.
uint64_t PriorityOf(std::string_view key) {
  uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : key) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ULL;
  return h ^ (h >> 32);
}

}  // namespace

struct PersistentMap::Node {
  std::shared_ptr<const Pair> pair;
  uint64_t priority = 0;
  Link left, right;
};

PersistentMap::Link PersistentMap::MakeNode(const Node& like, Link left, Link right) {
  return std::make_shared<const Node>(Node{like.pair, like.priority, std::move(left), std::move(right)});
}

PersistentMap::Link PersistentMap::Inserted(const Link& at, const Node& leaf) {
  if (at == nullptr) return MakeNode(leaf, nullptr, nullptr);
  const int order = leaf.pair->key.compare(at->pair->key);
  if (order == 0) return MakeNode(leaf, at->left, at->right);
  if (order < 0) {
    Link child = Inserted(at->left, leaf);
    if (child->priority <= at->priority) return MakeNode(*at, std::move(child), at->right);
    return MakeNode(*child, child->left, MakeNode(*at, child->right, at->right));
  }
  Link child = Inserted(at->right, leaf);
  if (child->priority <= at->priority) return MakeNode(*at, at->left, std::move(child));
  return MakeNode(*child, MakeNode(*at, at->left, child->left), child->right);
}

PersistentMap::Link PersistentMap::Merged(const Link& left, const Link& right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  if (left->priority > right->priority) return MakeNode(*left, left->left, Merged(left->right, right));
  return MakeNode(*right, Merged(left, right->left), right->right);
}

PersistentMap::Link PersistentMap::Erased(const Link& at, std::string_view key) {
  const int order = key.compare(at->pair->key);
  if (order == 0) return Merged(at->left, at->right);
  if (order < 0) return MakeNode(*at, Erased(at->left, key), at->right);
  return MakeNode(*at, at->left, Erased(at->right, key));
}

void PersistentMap::Put(std::string_view key, std::string_view value) {
  Node leaf;
  leaf.pair = std::make_shared<const Pair>(Pair{std::string(key), std::string(value)});
  leaf.priority = PriorityOf(key);
  root_ = Inserted(root_, leaf);
}

void PersistentMap::Erase(std::string_view key) {
  if (Find(key) != nullptr) root_ = Erased(root_, key);
}

const PersistentMap::Pair* PersistentMap::Find(std::string_view key) const {
  const Pair* at = First(key);
  return at != nullptr && at->key == key ? at : nullptr;
}

// `goes_left` splits the keys into a low part (false) and a high part (true). The greatest of the low part
// (want_left), or the least of the high one.
template <class GoesLeft>
const PersistentMap::Pair* PersistentMap::Boundary(GoesLeft goes_left, bool want_left) const {
  const Pair* best = nullptr;
  for (const Node* at = root_.get(); at != nullptr;) {
    const bool high = goes_left(at->pair->key);
    if (high != want_left) best = at->pair.get();
    at = high ? at->left.get() : at->right.get();
  }
  return best;
}

const PersistentMap::Pair* PersistentMap::First(std::string_view at_least) const {
  return Boundary([&](std::string_view k) { return k >= at_least; }, false);
}
const PersistentMap::Pair* PersistentMap::FirstAfter(std::string_view key) const {
  return Boundary([&](std::string_view k) { return k > key; }, false);
}
const PersistentMap::Pair* PersistentMap::Last(std::string_view at_most) const {
  return Boundary([&](std::string_view k) { return k > at_most; }, true);
}
const PersistentMap::Pair* PersistentMap::LastBefore(std::string_view key) const {
  return Boundary([&](std::string_view k) { return k >= key; }, true);
}

}  // namespace quorate::storage
