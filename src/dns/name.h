// Domain names (RFC 1034 3.1, 1035 3.1, 4343, 4034 6.1).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::dns {

// A name as uncompressed wire bytes in somebody else's memory: labels, then the root label. Always
// well-formed.
using NameView = std::string_view;

// ASCII letters only (RFC 4343): other bytes stay.
inline char FoldCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Of a NameView. None of these allocates.
NameView ParentOf(NameView name);       // of the root: the root
size_t LabelCountOf(NameView name);     // without the root label
bool SameName(NameView a, NameView b);  // whatever their case
bool IsAtOrBelow(NameView name, NameView ancestor);
// The length of the uncompressed name that `bytes` begin with, or 0: no well-formed name there.
size_t NameLengthAt(std::string_view bytes);

// An absolute domain name, of at most 255 octets and labels of at most 63. Keeps the case it was given;
// compares without it.
class Name {
 public:
  Name() : wire_(1, '\0') {}  // the root

  // The whole of `wire` is one uncompressed name, or nullopt.
  static std::optional<Name> FromWire(std::string_view wire);
  // `view` is well-formed, as a NameView always is.
  static Name FromView(NameView view) { return Name(std::string(view)); }
  // Master-file form (RFC 1035 5.1: \DDD, \X); a relative name is completed with `origin`. "@" is the origin.
  // The error says what is wrong, for people.
  static Result<Name, std::string> FromText(std::string_view text, const Name& origin = Name());

  NameView wire() const { return wire_; }
  std::string ToText() const;  // absolute, with the trailing dot; "." for the root

  bool IsRoot() const { return wire_.size() == 1; }
  bool IsWildcard() const { return wire_.size() > 2 && wire_[0] == 1 && wire_[1] == '*'; }
  size_t LabelCount() const;  // without the root label
  Name Parent() const;        // of the root: the root
  // Whether this is `ancestor` or below it.
  bool IsAtOrBelow(const Name& ancestor) const;
  Name Folded() const;
  // nullopt: would be longer than 255 octets.
  static std::optional<Name> Concatenate(std::string_view leading_labels, const Name& suffix);

  // Sorts bytewise as RFC 4034 6.1 sorts names: folded labels from the root down, each ended by 0x00 (0x00
  // and 0x01 inside a label are written 01 01 and 01 02). The store's keys are made of it. Of the root:
  // empty.
  std::string CanonicalKey() const;
  static std::optional<Name> FromCanonicalKey(std::string_view key);

  friend bool operator==(const Name& a, const Name& b);
  friend std::strong_ordering operator<=>(const Name& a, const Name& b);  // canonical order

 private:
  explicit Name(std::string wire) : wire_(std::move(wire)) {}
  std::string wire_;
};

}  // namespace quorate::dns
