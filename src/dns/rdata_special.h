// The few rdata that no list of fields describes.
#pragma once

#include <string_view>

namespace quorate::dns {

bool IsLocation(std::string_view rdata);          // LOC, RFC 1876 2
bool AreAddressPrefixes(std::string_view rdata);  // APL, RFC 3123 4; none at all is well-formed
bool IsIpsecKey(std::string_view rdata);          // RFC 4025 2
bool AreSvcParams(std::string_view params);       // of SVCB and HTTPS, RFC 9460 2.2, 7, 8

}  // namespace quorate::dns
