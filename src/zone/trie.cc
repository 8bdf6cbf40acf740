#include "zone/trie.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <compare>
#include <cstring>
#include <new>

#include "base/check.h"

namespace quorate::zone {

// Its slots follow it in memory: one for each bit of `bitmap`, or, in a bucket, `count` leaves sorted by
// name.
struct alignas(alignof(uint64_t)) Trie::Branch {
  std::atomic<uint32_t> refs{1};
  uint32_t bitmap = 0;
  uint32_t count = 0;

  Slot* slots() { return reinterpret_cast<Slot*>(this + 1); }
  const Slot* slots() const { return reinterpret_cast<const Slot*>(this + 1); }

  static Branch* New(uint32_t bitmap, uint32_t count) {
    auto* branch = new (::operator new(sizeof(Branch) + count * sizeof(Slot))) Branch;
    branch->bitmap = bitmap;
    branch->count = count;
    return branch;
  }
  // Its slots must be gone already.
  static void Free(Branch* branch) {
    branch->~Branch();
    ::operator delete(branch);
  }
};

namespace {

constexpr unsigned kBitsPerLevel = 5;
constexpr unsigned kBucketShift = 65;  // the first level without a bit of the hash left

bool IsLeaf(uintptr_t slot) { return (slot & 1) != 0; }
const void* LeafOf(uintptr_t slot) { return reinterpret_cast<const void*>(slot - 1); }
uintptr_t LeafSlot(const void* leaf) { return reinterpret_cast<uintptr_t>(leaf) + 1; }
uint32_t BitAt(uint64_t hash, unsigned shift) { return uint32_t{1} << (hash >> shift & 31); }
uint32_t PlaceOf(uint32_t bitmap, uint32_t bit) {
  return static_cast<uint32_t>(std::popcount(bitmap & (bit - 1)));
}

// Any total order that ignores case will do.
std::strong_ordering CompareNames(dns::NameView a, dns::NameView b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return static_cast<uint8_t>(dns::FoldCase(x)) <=> static_cast<uint8_t>(dns::FoldCase(y));
  });
}

}  // namespace

static_assert(sizeof(uintptr_t) == 8);

Trie::Trie(const Trie& other) : ops_(other.ops_), root_(other.root_), size_(other.size_) { RefSlot(root_); }

Trie& Trie::operator=(Trie other) noexcept {
  std::swap(ops_, other.ops_);
  std::swap(root_, other.root_);
  std::swap(size_, other.size_);
  return *this;
}

Trie::~Trie() { UnrefSlot(root_); }

void Trie::RefSlot(Slot slot) const {
  if (slot == 0) return;
  if (IsLeaf(slot)) {
    ops_->ref(LeafOf(slot));
  } else {
    reinterpret_cast<Branch*>(slot)->refs.fetch_add(1, std::memory_order_relaxed);
  }
}

void Trie::UnrefSlot(Slot slot) const {
  if (slot == 0) return;
  if (IsLeaf(slot)) return ops_->unref(LeafOf(slot));
  auto* branch = reinterpret_cast<Branch*>(slot);
  if (branch->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  for (uint32_t i = 0; i < branch->count; ++i) UnrefSlot(branch->slots()[i]);
  Branch::Free(branch);
}

const void* Trie::Find(uint64_t hash, dns::NameView folded) const {
  Slot slot = root_;
  for (unsigned shift = 0; slot != 0 && !IsLeaf(slot); shift += kBitsPerLevel) {
    const auto* branch = reinterpret_cast<const Branch*>(slot);
    if (shift == kBucketShift) {
      const auto [at, found] = PlaceInBucket(*branch, folded);
      return found ? LeafOf(branch->slots()[at]) : nullptr;
    }
    const uint32_t bit = BitAt(hash, shift);
    if ((branch->bitmap & bit) == 0) return nullptr;
    slot = branch->slots()[PlaceOf(branch->bitmap, bit)];
  }
  if (slot == 0 || !dns::SameName(ops_->key(LeafOf(slot)), folded)) return nullptr;
  return LeafOf(slot);
}

std::pair<uint32_t, bool> Trie::PlaceInBucket(const Branch& bucket, dns::NameView name) const {
  const Slot* end = bucket.slots() + bucket.count;
  const Slot* at = std::lower_bound(bucket.slots(), end, name, [this](Slot slot, dns::NameView n) {
    return CompareNames(ops_->key(LeafOf(slot)), n) < 0;
  });
  const bool found = at != end && dns::SameName(ops_->key(LeafOf(*at)), name);
  return {static_cast<uint32_t>(at - bucket.slots()), found};
}

void Trie::Put(uint64_t hash, const void* leaf) {
  bool added = false;
  root_ = PutIn(root_, 0, hash, leaf, added);
  size_ += added ? 1 : 0;
}

bool Trie::Erase(uint64_t hash, dns::NameView folded) {
  if (Find(hash, folded) == nullptr) return false;
  root_ = EraseIn(root_, 0, hash, folded);
  --size_;
  return true;
}

Trie::Branch* Trie::Sole(Branch* branch) const {
  if (branch->refs.load(std::memory_order_acquire) == 1) return branch;
  Branch* copy = Branch::New(branch->bitmap, branch->count);
  std::memcpy(copy->slots(), branch->slots(), branch->count * sizeof(Slot));
  for (uint32_t i = 0; i < copy->count; ++i) RefSlot(copy->slots()[i]);
  UnrefSlot(reinterpret_cast<Slot>(branch));
  return copy;
}

namespace {

// Copies `count` slots, leaving a hole at `at`.
void CopyAround(const uintptr_t* from, uintptr_t* to, uint32_t count, uint32_t at) {
  std::memcpy(to, from, at * sizeof *to);
  std::memcpy(to + at + 1, from + at, (count - at) * sizeof *to);
}

}  // namespace

Trie::Slot Trie::PutIn(Slot slot, unsigned shift, uint64_t hash, const void* leaf, bool& added) const {
  if (slot == 0 || (IsLeaf(slot) && dns::SameName(ops_->key(LeafOf(slot)), ops_->key(leaf)))) {
    added = slot == 0;
    UnrefSlot(slot);
    return LeafSlot(leaf);
  }
  if (IsLeaf(slot)) {
    added = true;
    return Join(LeafOf(slot), ops_->hash(LeafOf(slot)), leaf, hash, shift);
  }
  Branch* branch = Sole(reinterpret_cast<Branch*>(slot));
  const bool is_bucket = shift == kBucketShift;
  const uint32_t bit = is_bucket ? 0 : BitAt(hash, shift);
  const auto [at, found] = is_bucket ? PlaceInBucket(*branch, ops_->key(leaf))
                                     : std::pair{PlaceOf(branch->bitmap, bit), (branch->bitmap & bit) != 0};
  if (found) {
    Slot& child = branch->slots()[at];
    child = PutIn(child, shift + kBitsPerLevel, hash, leaf, added);
    return reinterpret_cast<Slot>(branch);
  }
  added = true;
  Branch* wider = Branch::New(branch->bitmap | bit, branch->count + 1);
  CopyAround(branch->slots(), wider->slots(), branch->count, at);
  wider->slots()[at] = LeafSlot(leaf);
  Branch::Free(branch);
  return reinterpret_cast<Slot>(wider);
}

Trie::Slot Trie::Join(const void* a, uint64_t hash_a, const void* b, uint64_t hash_b, unsigned shift) const {
  if (shift == kBucketShift) {
    Branch* bucket = Branch::New(0, 2);
    const bool a_first = CompareNames(ops_->key(a), ops_->key(b)) < 0;
    bucket->slots()[0] = LeafSlot(a_first ? a : b);
    bucket->slots()[1] = LeafSlot(a_first ? b : a);
    return reinterpret_cast<Slot>(bucket);
  }
  const uint32_t bit_a = BitAt(hash_a, shift), bit_b = BitAt(hash_b, shift);
  if (bit_a == bit_b) {
    Branch* branch = Branch::New(bit_a, 1);
    branch->slots()[0] = Join(a, hash_a, b, hash_b, shift + kBitsPerLevel);
    return reinterpret_cast<Slot>(branch);
  }
  Branch* branch = Branch::New(bit_a | bit_b, 2);
  branch->slots()[0] = LeafSlot(bit_a < bit_b ? a : b);
  branch->slots()[1] = LeafSlot(bit_a < bit_b ? b : a);
  return reinterpret_cast<Slot>(branch);
}

// The leaf is there: Erase has looked.
Trie::Slot Trie::EraseIn(Slot slot, unsigned shift, uint64_t hash, dns::NameView folded) const {
  if (IsLeaf(slot)) {
    UnrefSlot(slot);
    return 0;
  }
  Branch* branch = Sole(reinterpret_cast<Branch*>(slot));
  const bool is_bucket = shift == kBucketShift;
  const uint32_t bit = is_bucket ? 0 : BitAt(hash, shift);
  const uint32_t at = is_bucket ? PlaceInBucket(*branch, folded).first : PlaceOf(branch->bitmap, bit);
  const Slot next = EraseIn(branch->slots()[at], shift + kBitsPerLevel, hash, folded);
  branch->slots()[at] = next;
  if (next == 0 && branch->count > 1) {
    Branch* narrower = Branch::New(branch->bitmap & ~bit, branch->count - 1);
    std::memcpy(narrower->slots(), branch->slots(), at * sizeof(Slot));
    std::memcpy(narrower->slots() + at, branch->slots() + at + 1, (narrower->count - at) * sizeof(Slot));
    Branch::Free(branch);
    branch = narrower;
  }
  // A branch of a single leaf, or of nothing, is not one.
  if (branch->count > 1 || (branch->slots()[0] != 0 && !IsLeaf(branch->slots()[0]))) {
    return reinterpret_cast<Slot>(branch);
  }
  const Slot only = branch->slots()[0];
  Branch::Free(branch);
  return only;
}

void Trie::ForEach(const std::function<void(const void*)>& visit) const { VisitSlot(root_, visit); }

void Trie::VisitSlot(Slot slot, const std::function<void(const void*)>& visit) const {
  if (slot == 0) return;
  if (IsLeaf(slot)) return visit(LeafOf(slot));
  const auto* branch = reinterpret_cast<const Branch*>(slot);
  for (uint32_t i = 0; i < branch->count; ++i) VisitSlot(branch->slots()[i], visit);
}

}  // namespace quorate::zone
