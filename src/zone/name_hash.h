// Hashes of names, label by label from the root down, so that a walk down the tree hashes each label once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dns/name.h"

namespace quorate::zone {

// SipHash-1-3 (Aumasson, Bernstein 2012) of the label, keyed by the parent's hash: names that users choose
// cannot be made to collide cheaply, and where two do collide the map sorts them. The same on every replica,
// for ever.
uint64_t RootHash();
uint64_t ChildHash(uint64_t parent, std::string_view folded_label);
uint64_t NameHash(dns::NameView name);  // in any case

// A name in lower case on the stack, with its labels in reach. No allocation.
class FoldedName {
 public:
  explicit FoldedName(dns::NameView name);

  dns::NameView view() const { return {bytes_.data(), size_}; }
  size_t label_count() const { return label_count_; }  // without the root label
  // The name of the last `labels` labels: 0 is the root, label_count() all of it.
  dns::NameView Suffix(size_t labels) const {
    return view().substr(labels == 0 ? size_ - 1 : starts_[label_count_ - labels]);
  }
  // The label that Suffix(labels) begins with; labels >= 1.
  std::string_view Label(size_t labels) const {
    const dns::NameView suffix = Suffix(labels);
    return suffix.substr(1, static_cast<uint8_t>(suffix[0]));
  }

 private:
  std::array<char, 255> bytes_;
  std::array<uint8_t, 128> starts_;
  size_t size_;
  size_t label_count_ = 0;
};

}  // namespace quorate::zone
