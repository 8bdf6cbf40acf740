#include "zone/changes.h"

#include "base/check.h"

namespace quorate::zone {
namespace {

// Names compare without case, but the case is part of what is kept.
bool Same(const dns::RRset& a, const dns::RRset& b) { return a == b && a.owner.wire() == b.owner.wire(); }

}  // namespace

void AppendChanges(std::span<const dns::RRset> before, std::span<const dns::RRset> after,
                   std::vector<RRsetChange>& out) {
  size_t b = 0, a = 0;
  while (b < before.size() || a < after.size()) {
    const bool take_before = a == after.size() || (b < before.size() && before[b].type <= after[a].type);
    const bool take_after = b == before.size() || (a < after.size() && after[a].type <= before[b].type);
    if (!(take_before && take_after && Same(before[b], after[a]))) {
      const dns::RRset& named = take_after ? after[a] : before[b];
      RRsetChange change{.owner = named.owner, .type = named.type};
      if (take_before) change.before = before[b];
      if (take_after) change.after = after[a];
      out.push_back(std::move(change));
    }
    b += take_before ? 1 : 0;
    a += take_after ? 1 : 0;
  }
}

void SetSerial(std::vector<dns::RRset>& rrsets, dns::Serial serial) {
  for (dns::RRset& rrset : rrsets) {
    if (rrset.type != dns::RRType::kSOA) continue;
    auto soa = dns::ParseSoa(rrset.rdata.front());
    CHECK(soa.has_value());
    soa->serial = serial;
    rrset.rdata.front() = dns::EncodeSoa(*soa);
    return;
  }
  CHECK(false);
}

}  // namespace quorate::zone
