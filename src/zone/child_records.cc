#include "zone/child_records.h"

#include <algorithm>

#include "dns/presentation.h"

namespace quorate::zone {
namespace {

using dns::RRType;

// Key tag or flags, then two octets of which one is the algorithm; then at least one more.
constexpr size_t kCdsAlgorithmAt = 2, kCdnskeyAlgorithmAt = 3, kFixedBytes = 4;
constexpr std::string_view kCdsDelete("\0\0\0\0\0", 5), kCdnskeyDelete("\0\0\3\0\0", 5);

bool HasNoAlgorithm(RRType type, std::string_view rdata) {
  if (rdata.size() < kFixedBytes) return false;
  return rdata[type == RRType::kCDS ? kCdsAlgorithmAt : kCdnskeyAlgorithmAt] == 0;
}

}  // namespace

std::optional<std::string> WhyNoChildRecord(const dns::Name& apex, const dns::Name& owner, RRType type,
                                            std::string_view rdata) {
  if (type != RRType::kCDS && type != RRType::kCDNSKEY && type != RRType::kCSYNC) return std::nullopt;
  if (!(owner == apex)) {
    return dns::TypeToText(type) + " stands only at the apex of a zone (RFC " +
           (type == RRType::kCSYNC ? "7477 2.1)" : "7344 4.1)");
  }
  if (type == RRType::kCDS && HasNoAlgorithm(type, rdata) && rdata != kCdsDelete)
    return "a CDS with algorithm 0 asks for deletion, and must be `0 0 0 00` (RFC 8078 4)";
  if (type == RRType::kCDNSKEY && HasNoAlgorithm(type, rdata) && rdata != kCdnskeyDelete)
    return "a CDNSKEY with algorithm 0 asks for deletion, and must be `0 3 0 AA==` (RFC 8078 4)";
  return std::nullopt;
}

std::optional<std::string> WhyNoChildRRset(RRType type, std::span<const std::string> rdata) {
  if (rdata.size() < 2 || (type != RRType::kCDS && type != RRType::kCDNSKEY)) return std::nullopt;
  const bool deletes = std::any_of(rdata.begin(), rdata.end(),
                                   [&](const std::string& each) { return HasNoAlgorithm(type, each); });
  const bool alone =
      std::all_of(rdata.begin(), rdata.end(), [&](const std::string& each) { return each == rdata.front(); });
  if (!deletes || alone) return std::nullopt;
  return "the " + dns::TypeToText(type) + " that asks for deletion must be the only one (RFC 8078 4)";
}

}  // namespace quorate::zone
