#include "zone/name_hash.h"

#include <bit>
#include <cstring>

namespace quorate::zone {
namespace {

struct SipState {
  uint64_t v0, v1, v2, v3;

  SipState(uint64_t k0, uint64_t k1)
      : v0(k0 ^ 0x736f6d6570736575ULL),
        v1(k1 ^ 0x646f72616e646f6dULL),
        v2(k0 ^ 0x6c7967656e657261ULL),
        v3(k1 ^ 0x7465646279746573ULL) {}

  void Round() {
    v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
    v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
    v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
  }
  void Absorb(uint64_t block) {
    v3 ^= block;
    Round();
    v0 ^= block;
  }
  uint64_t Finish() {
    v2 ^= 0xff;
    Round(), Round(), Round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

constexpr uint64_t kKey = 0x51756f7261746521ULL;

}  // namespace

uint64_t RootHash() { return 0x9ae16a3b2f90404fULL; }

uint64_t ChildHash(uint64_t parent, std::string_view folded_label) {
  SipState state(kKey, parent);
  const char* at = folded_label.data();
  size_t left = folded_label.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t block;
    std::memcpy(&block, at, 8);
    state.Absorb(block);
  }
  uint64_t last = 0;
  std::memcpy(&last, at, left);
  state.Absorb(last | uint64_t{folded_label.size()} << 56);
  return state.Finish();
}

uint64_t NameHash(dns::NameView name) {
  const FoldedName folded(name);
  uint64_t hash = RootHash();
  for (size_t labels = 1; labels <= folded.label_count(); ++labels)
    hash = ChildHash(hash, folded.Label(labels));
  return hash;
}

FoldedName::FoldedName(dns::NameView name) : size_(name.size()) {
  for (size_t i = 0; i < name.size(); ++i) bytes_[i] = dns::FoldCase(name[i]);
  for (size_t i = 0; bytes_[i] != '\0'; i += 1u + static_cast<uint8_t>(bytes_[i])) {
    starts_[label_count_++] = static_cast<uint8_t>(i);
  }
}

}  // namespace quorate::zone
