// The names that people give to the parts of a deployment.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quorate::oracle {

// Letters, digits, `-`, `_` and `.`; 1 to 64 of them. For regions, groups and instances.
bool IsPlainName(std::string_view name);

// "ip:port" or "[ip6]:port" (or a host name) with a port of 1 to 65535.
bool IsAddress(std::string_view address);

// The zone's name absolute and in lower case ("Example.ORG" -> "example.org."). Nothing when it is no domain
// name of at most 255 octets with labels of 1 to 63 letters, digits, `-` and `_` (escapes are not for zones
// of a layout).
std::optional<std::string> CanonicalZone(std::string_view zone);

}  // namespace quorate::oracle
