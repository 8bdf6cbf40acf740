// CDS, CDNSKEY and CSYNC: what a zone tells its parent (RFC 7344, 7477, 8078). Asked by the doors before they
// propose; not when a command is applied, since states with older records must still load. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dns/rr.h"

namespace quorate::zone {

// Why such a record cannot be had: it is not at the apex (RFC 7344 4.1, 7477 2.1), or its algorithm is 0 and
// it is not the delete form, `0 0 0 00` or `0 3 0 AA==` (RFC 8078 4). nullopt: nothing is wrong; other types
// too.
std::optional<std::string> WhyNoChildRecord(const dns::Name& apex, const dns::Name& owner, dns::RRType type,
                                            std::string_view rdata);
// The delete form stands alone in its RRset (RFC 8078 4).
std::optional<std::string> WhyNoChildRRset(dns::RRType type, std::span<const std::string> rdata);

}  // namespace quorate::zone
