// A type for every number that crosses a function: a term is not an index is not a revision.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>

namespace quorate {

template <class Tag>
struct StrongInt {
  uint64_t value = 0;

  constexpr auto operator<=>(const StrongInt&) const = default;
  constexpr explicit operator bool() const { return value != 0; }

  constexpr StrongInt operator+(uint64_t n) const { return {value + n}; }
  constexpr StrongInt operator-(uint64_t n) const { return {value - n}; }
  constexpr uint64_t operator-(StrongInt other) const { return value - other.value; }
  constexpr StrongInt& operator++() { return ++value, *this; }

  friend std::ostream& operator<<(std::ostream& out, StrongInt v) { return out << v.value; }
  template <class H>
  friend H AbslHashValue(H h, StrongInt v) {
    return H::combine(std::move(h), v.value);
  }
};

}  // namespace quorate

template <class Tag>
struct std::hash<quorate::StrongInt<Tag>> {
  size_t operator()(quorate::StrongInt<Tag> v) const { return std::hash<uint64_t>()(v.value); }
};
