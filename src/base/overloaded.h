// Exhaustive dispatch over a variant: an alternative without a handler does not compile.
#pragma once

namespace quorate {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace quorate
