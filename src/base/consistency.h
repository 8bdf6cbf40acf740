// What a reader gets when a linearizable answer cannot be had (promise P5): chosen per zone for DNS, per
// request at the store's doors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"

namespace quorate {

struct Consistency {
  enum class Kind : uint8_t {
    kLinearizable,  // no answer (SERVFAIL, Unavailable)
    kBounded,       // an answer that was right at most `bound` ago
    kLocal,         // whatever is applied here
  };
  Kind kind = Kind::kLinearizable;
  Duration bound{0};  // of kBounded; whole seconds, 1 s to kConsistencyBoundMax
  bool operator==(const Consistency&) const = default;
};

// Whichever promises more: linearizable, then the smaller bound, then local.
const Consistency& Strictest(const Consistency& a, const Consistency& b);

inline constexpr Duration kConsistencyBoundMax = std::chrono::hours(24);

// "linearizable", "bounded=5s" or "local"; nullopt: anything else.
std::optional<Consistency> ParseConsistency(std::string_view text);
std::string ToText(const Consistency& consistency);

}  // namespace quorate
