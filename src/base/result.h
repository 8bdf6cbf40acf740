// Result<T, E>: a value, or an error in the vocabulary of its layer. For parsers and pure code; the edges use
// absl::StatusOr.
#pragma once

#include <utility>
#include <variant>

#include "base/check.h"

namespace quorate {

template <class T, class E>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  const T& operator*() const& { return Value(); }
  T& operator*() & { return Value(); }
  T&& operator*() && { return std::move(Value()); }
  const T* operator->() const { return &Value(); }
  T* operator->() { return &Value(); }
  const E& error() const {
    CHECK(!ok());
    return std::get<1>(state_);
  }

 private:
  T& Value() {
    CHECK(ok());
    return std::get<0>(state_);
  }
  const T& Value() const {
    CHECK(ok());
    return std::get<0>(state_);
  }
  std::variant<T, E> state_;
};

}  // namespace quorate
