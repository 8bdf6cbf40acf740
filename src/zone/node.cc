#include "zone/node.h"

#include <algorithm>
#include <new>

#include "base/check.h"

namespace quorate::zone {
namespace {

// A node with more data keeps them apart: a parent of a million names is made anew a million times.
constexpr size_t kInlineBytesMax = 2048;
constexpr size_t kRRsetHeaderBytes = 2 + 4 + 4 + 4;

template <class T>
void Append(char*& at, T value) {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

template <class T>
T Take(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

size_t RdataBytes(const dns::RRset& rrset) {
  size_t bytes = 0;
  for (const std::string& rdata : rrset.rdata) bytes += sizeof(uint16_t) + rdata.size();
  return bytes;
}

void AppendRRset(char*& at, const dns::RRset& rrset) {
  Append(at, static_cast<uint16_t>(rrset.type));
  Append(at, rrset.ttl);
  Append(at, static_cast<uint32_t>(rrset.rdata.size()));
  Append(at, static_cast<uint32_t>(RdataBytes(rrset)));
  for (const std::string& rdata : rrset.rdata) {
    CHECK_LE(rdata.size(), 65535u);
    Append(at, static_cast<uint16_t>(rdata.size()));
    std::memcpy(at, rdata.data(), rdata.size());
    at += rdata.size();
  }
}

}  // namespace

dns::RRset RRsetView::Materialize() const {
  dns::RRset out{.owner = dns::Name::FromView(owner), .type = type, .ttl = ttl};
  out.rdata.reserve(count);
  for (const std::string_view rdata : *this) out.rdata.emplace_back(rdata);
  return out;
}

Node* Node::Allocate(size_t data_bytes) {
  if (data_bytes <= kInlineBytesMax) return new (::operator new(sizeof(Node) + data_bytes)) Node;
  Node* node = new (::operator new(sizeof(Node) + sizeof(Block*))) Node;
  node->flags_ = kApart;
  node->block() = new (::operator new(sizeof(Block) + data_bytes)) Block;
  return node;
}

void Node::Unref() const {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if ((flags_ & kApart) != 0 && block()->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block()->~Block();
    ::operator delete(block());
  }
  this->~Node();
  ::operator delete(const_cast<Node*>(this));
}

RefPtr<Node> Node::Make(dns::NameView owner, std::span<const dns::RRset> rrsets, uint32_t child_count,
                        bool has_wildcard_child) {
  size_t bytes = 0;
  for (const dns::RRset& rrset : rrsets) bytes += kRRsetHeaderBytes + RdataBytes(rrset);
  Node* node = Allocate(owner.size() + bytes);
  node->child_count_ = child_count;
  node->rrset_bytes_ = static_cast<uint32_t>(bytes);
  node->rrset_count_ = static_cast<uint16_t>(rrsets.size());
  node->owner_size_ = static_cast<uint8_t>(owner.size());
  if (has_wildcard_child) node->flags_ |= kHasWildcardChild;
  const auto is_of_hash = [](const dns::RRset& set) {
    return set.type == dns::RRType::kNSEC3 || set.type == dns::RRType::kRRSIG;
  };
  if (!rrsets.empty() && rrsets.back().type == dns::RRType::kNSEC3 &&
      std::all_of(rrsets.begin(), rrsets.end(), is_of_hash))
    node->flags_ |= kHashOnly;
  char* at = node->data();
  std::memcpy(at, owner.data(), owner.size());
  at += owner.size();
  for (const dns::RRset& rrset : rrsets) {
    CHECK(!rrset.rdata.empty());
    CHECK(&rrset == rrsets.data() || (&rrset)[-1].type < rrset.type);
    if (rrset.type == dns::RRType::kNS) node->flags_ |= kHasNs;
    if (rrset.type == dns::RRType::kDNAME) node->flags_ |= kHasDname;
    if (rrset.type == dns::RRType::kCNAME) node->flags_ |= kHasCname;
    AppendRRset(at, rrset);
  }
  return RefPtr<Node>::Adopt(node);
}

RefPtr<Node> Node::WithChildren(uint32_t child_count, bool has_wildcard_child) const {
  const bool apart = (flags_ & kApart) != 0;
  const size_t bytes = owner_size_ + rrset_bytes_;
  Node* node = new (::operator new(sizeof(Node) + (apart ? sizeof(Block*) : bytes))) Node;
  node->child_count_ = child_count;
  node->rrset_bytes_ = rrset_bytes_;
  node->rrset_count_ = rrset_count_;
  node->owner_size_ = owner_size_;
  node->flags_ =
      static_cast<uint8_t>((flags_ & ~kHasWildcardChild) | (has_wildcard_child ? kHasWildcardChild : 0));
  if (apart) {
    block()->refs.fetch_add(1, std::memory_order_relaxed);
    node->block() = block();
  } else {
    std::memcpy(node->data(), data(), bytes);
  }
  return RefPtr<Node>::Adopt(node);
}

RRsetView Node::ViewAt(const char* at) const {
  RRsetView view;
  view.owner = owner();
  view.type = static_cast<dns::RRType>(Take<uint16_t>(at));
  view.ttl = Take<uint32_t>(at);
  view.count = Take<uint32_t>(at);
  const auto bytes = Take<uint32_t>(at);
  view.packed = {at, bytes};
  return view;
}

RRsetView Node::Find(dns::RRType type) const {
  const char* at = data() + owner_size_;
  for (uint32_t i = 0; i < rrset_count_; ++i) {
    const RRsetView view = ViewAt(at);
    if (view.type == type) return view;
    if (view.type > type) break;
    at = view.packed.data() + view.packed.size();
  }
  return {};
}

size_t Node::RecordCount() const {
  size_t count = 0;
  ForEach([&](const RRsetView& view) { count += view.size(); });
  return count;
}

bool Node::SameData(const Node& other) const {
  return owner_size_ == other.owner_size_ && rrset_bytes_ == other.rrset_bytes_ &&
         std::memcmp(data(), other.data(), owner_size_ + size_t{rrset_bytes_}) == 0;
}

std::vector<dns::RRset> Node::Materialize() const {
  std::vector<dns::RRset> out;
  out.reserve(rrset_count_);
  ForEach([&](const RRsetView& view) { out.push_back(view.Materialize()); });
  return out;
}

}  // namespace quorate::zone
