#include "dns/rr.h"

#include <algorithm>

#include "dns/rdata.h"

namespace quorate::dns {
namespace {

uint32_t ReadU32(std::string_view bytes) {
  uint32_t v = 0;
  for (size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<uint8_t>(bytes[i]);
  return v;
}

void AppendU32(uint32_t v, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(v >> shift));
}

// Two forms may be the same record (RFC 4034 6.2) and differ in case: which of them stays must not depend on
// the order in which they came.
struct Keyed {
  std::string canonical, rdata;
  bool operator<(const Keyed& other) const {
    return canonical != other.canonical ? canonical < other.canonical : rdata < other.rdata;
  }
};

}  // namespace

// RFC 6895 3.1: 0 and 65535 are reserved, 128 to 255 are queries and metas; OPT is the one meta type below.
bool IsMetaType(RRType type) {
  const auto value = static_cast<uint16_t>(type);
  return value == 0 || value == 65535 || type == RRType::kOPT || (value >= 128 && value <= 255);
}

void Canonicalize(RRset& rrset) {
  if (rrset.rdata.size() < 2) return;
  const RdataShape* shape = ShapeOf(rrset.type);
  if (shape == nullptr || !shape->folded) {
    std::sort(rrset.rdata.begin(), rrset.rdata.end());
    rrset.rdata.erase(std::unique(rrset.rdata.begin(), rrset.rdata.end()), rrset.rdata.end());
    return;
  }
  std::vector<Keyed> keyed;
  keyed.reserve(rrset.rdata.size());
  for (std::string& rdata : rrset.rdata) {
    std::string canonical = CanonicalRdata(rrset.type, rdata);
    keyed.push_back({std::move(canonical), std::move(rdata)});
  }
  std::sort(keyed.begin(), keyed.end());
  rrset.rdata.clear();
  for (size_t i = 0; i < keyed.size(); ++i) {
    if (i > 0 && keyed[i].canonical == keyed[i - 1].canonical) continue;
    rrset.rdata.push_back(std::move(keyed[i].rdata));
  }
}

bool IsNewer(Serial a, Serial b) {
  const uint32_t ahead = a.value - b.value;
  return ahead != 0 && ahead < 0x80000000u;
}

std::optional<Soa> ParseSoa(std::string_view rdata) {
  if (!Matches(*ShapeOf(RRType::kSOA), rdata)) return std::nullopt;
  Soa soa;
  const size_t mname = NameLengthAt(rdata);
  soa.mname = Name::FromView(rdata.substr(0, mname));
  rdata.remove_prefix(mname);
  const size_t rname = NameLengthAt(rdata);
  soa.rname = Name::FromView(rdata.substr(0, rname));
  rdata.remove_prefix(rname);
  soa.serial = {ReadU32(rdata)};
  soa.refresh = ReadU32(rdata.substr(4));
  soa.retry = ReadU32(rdata.substr(8));
  soa.expire = ReadU32(rdata.substr(12));
  soa.minimum = ReadU32(rdata.substr(16));
  return soa;
}

std::string EncodeSoa(const Soa& soa) {
  std::string out = std::string(soa.mname.wire()) + std::string(soa.rname.wire());
  for (const uint32_t v : {soa.serial.value, soa.refresh, soa.retry, soa.expire, soa.minimum})
    AppendU32(v, out);
  return out;
}

}  // namespace quorate::dns
