// Where the names are inside record data: for those types whose names may be compressed on the wire (RFC
// 1035), or that old senders compress (RFC 3597 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dns/rr.h"
#include "wire/error.h"

namespace quorate::wire {

// The fields of a type, one character each: '1'..'9' that many octets, 'n' a name, 's' a character-string,
// '*' whatever is left (last only). Empty: opaque, any octets.
std::string_view RdataLayout(dns::RRType type);

// Whether names in the rdata of `type` may be written compressed: the types of RFC 1035 only (RFC 3597 4).
bool MayCompressRdata(dns::RRType type);

// Appends the rdata at [offset, offset + length) of `message` to `out`, its names uncompressed. The data must
// fill `length` exactly.
std::optional<WireError> DecodeRdata(Bytes message, size_t offset, size_t length, dns::RRType type,
                                     std::string& out);

}  // namespace quorate::wire
