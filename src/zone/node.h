// A node of the DNS tree (RFC 1034 3.1): one name of a zone with all its RRsets, packed into one block that
// never changes.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/rr.h"
#include "zone/ref_ptr.h"

namespace quorate::zone {

// An RRset inside a zone version: valid as long as the version is held. Without rdata it stands for "none".
struct RRsetView {
  dns::NameView owner;
  dns::RRType type = dns::RRType::kA;
  uint32_t ttl = 0;

  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    using pointer = const std::string_view*;
    using reference = std::string_view;

    Iterator() = default;
    explicit Iterator(const char* at) : at_(at) {}
    std::string_view operator*() const { return {at_ + sizeof(uint16_t), Length()}; }
    Iterator& operator++() {
      at_ += sizeof(uint16_t) + Length();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    uint16_t Length() const {
      uint16_t length;
      std::memcpy(&length, at_, sizeof length);
      return length;
    }
    const char* at_ = nullptr;
  };
  // rdata in canonical order (RFC 4034 6.3), uncompressed.
  Iterator begin() const { return Iterator(packed.data()); }
  Iterator end() const { return Iterator(packed.data() + packed.size()); }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  explicit operator bool() const { return count != 0; }
  dns::RRset Materialize() const;

  std::string_view packed;  // each rdata: length:u16 (this machine's order), octets
  uint32_t count = 0;
};

// Immutable, counted, safe from any thread. A node without RRsets is an empty non-terminal (RFC 4592 2.2.2).
class Node {
 public:
  // `rrsets` are canonical, in ascending order of type, without an empty one.
  static RefPtr<Node> Make(dns::NameView owner, std::span<const dns::RRset> rrsets, uint32_t child_count,
                           bool has_wildcard_child);
  // The same node with other children.
  RefPtr<Node> WithChildren(uint32_t child_count, bool has_wildcard_child) const;

  dns::NameView owner() const { return {data(), owner_size_}; }  // in the case it was given
  dns::NameView key() const { return owner(); }

  // None: an empty view.
  RRsetView Find(dns::RRType type) const;
  size_t rrset_count() const { return rrset_count_; }
  bool IsEmptyNonTerminal() const { return rrset_count_ == 0; }
  bool HasNs() const { return (flags_ & kHasNs) != 0; }  // below the apex: a delegation point
  bool HasDname() const { return (flags_ & kHasDname) != 0; }
  bool HasCname() const { return (flags_ & kHasCname) != 0; }
  // Nothing but an NSEC3 record, whose name is a hash: no name that could be asked for (RFC 5155 7.2.8).
  bool IsHashOnly() const { return (flags_ & kHashOnly) != 0 && child_count_ == 0; }
  bool HasWildcardChild() const { return (flags_ & kHasWildcardChild) != 0; }
  uint32_t child_count() const { return child_count_; }  // names one label below
  size_t RecordCount() const;
  // The RRsets are the same, whatever the children.
  bool SameData(const Node& other) const;

  // Calls `visit(RRsetView)` for each RRset in ascending order of type.
  template <class Visit>
  void ForEach(Visit visit) const {
    const char* at = data() + owner_size_;
    for (uint32_t i = 0; i < rrset_count_; ++i) {
      const RRsetView view = ViewAt(at);
      at = view.packed.data() + view.packed.size();
      visit(view);
    }
  }
  std::vector<dns::RRset> Materialize() const;

  void Ref() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() const;
  bool IsShared() const { return refs_.load(std::memory_order_acquire) > 1; }

 private:
  enum Flag : uint8_t {
    kHasNs = 1,
    kHasDname = 2,
    kHasCname = 4,
    kHasWildcardChild = 8,
    kApart = 16,
    kHashOnly = 32
  };
  // The data of a large node, shared by its versions that differ only in children.
  struct Block {
    std::atomic<uint32_t> refs{1};
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };

  Node() = default;
  static Node* Allocate(size_t data_bytes);
  Block*& block() { return *reinterpret_cast<Block**>(this + 1); }
  Block* block() const { return *reinterpret_cast<Block* const*>(this + 1); }
  const char* data() const {
    return (flags_ & kApart) != 0 ? block()->data() : reinterpret_cast<const char*>(this + 1);
  }
  char* data() { return const_cast<char*>(std::as_const(*this).data()); }
  RRsetView ViewAt(const char* at) const;

  mutable std::atomic<uint32_t> refs_{1};
  uint32_t child_count_ = 0;
  uint32_t rrset_bytes_ = 0;
  uint16_t rrset_count_ = 0;
  uint8_t flags_ = 0;
  uint8_t owner_size_ = 0;
  // Then the data, or a Block* if they stand apart: the owner, then each RRset:
  // type:u16 ttl:u32 count:u32 bytes:u32 rdata
};

}  // namespace quorate::zone
