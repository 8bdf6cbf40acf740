// Any text as a zone file: what is read is written again as text that reads the same, record by record and as
// a whole zone (RFC 1035 5, 3597 5).
#include "base/check.h"
#include "dns/presentation.h"
#include "zone/builder.h"
#include "zone/edit.h"
#include "zone/export.h"

namespace quorate {
namespace {

const dns::Name kOrigin = *dns::Name::FromText("example.");

void CheckRecord(const dns::TextRecord& record) {
  CHECK(dns::IsValidRdata(record.type, record.rdata));
  const auto again = dns::RdataFromText(record.type, dns::RdataToText(record.type, record.rdata));
  CHECK(again.ok());
  CHECK(*again == record.rdata);
}

// nullptr: not a zone.
zone::ZonePtr Read(std::string_view text) {
  zone::ZoneBuilder builder(kOrigin);
  const auto error = dns::ParseZoneText(text, {.origin = kOrigin}, [&](dns::TextRecord&& record) {
    if (!dns::IsMetaType(record.type)) CheckRecord(record);
    builder.Add(record.owner, record.type, record.ttl, record.rdata);
    return std::string();
  });
  if (error) return nullptr;
  auto built = std::move(builder).Build();
  if (const auto* refusal = std::get_if<zone::Refusal>(&built)) {
    CHECK(!refusal->reason.empty());
    return nullptr;
  }
  return std::get<zone::ZonePtr>(built);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const zone::ZonePtr first = Read(text);
  if (!first) return 0;
  const std::string written = zone::ZoneToText(*first);
  const zone::ZonePtr second = Read(written);
  CHECK(second != nullptr);
  // Not the zones: in text a signature has the TTL of what it covers (RFC 4034 3).
  CHECK_EQ(zone::ZoneToText(*second), written);
  return 0;
}
