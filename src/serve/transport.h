// What a request came by.
#pragma once

#include <cstdint>

namespace quorate::serve {

enum class Transport : uint8_t { kUdp, kTcp, kTls };

// The client's address is proved, and a response may be of any size.
constexpr bool IsStream(Transport transport) { return transport != Transport::kUdp; }

}  // namespace quorate::serve
