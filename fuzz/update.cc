// Any UPDATE message to a small, odd zone (RFC 2136): refused, it leaves the zone alone; done, the zone is
// still one that could be built, its serial has not gone back, and the changeset tells exactly what changed.
#include "zone/update.h"

#include "fuzz/odd_zone.h"
#include "wire/message.h"

namespace quorate {
namespace {

std::vector<zone::UpdateRecord> RecordsOf(const std::vector<wire::Record>& records) {
  std::vector<zone::UpdateRecord> out;
  for (const wire::Record& r : records) out.push_back({r.name, r.type, r.rr_class, r.ttl, r.rdata});
  return out;
}

void CheckDone(const zone::ZonePtr& before, const zone::EditResult& result) {
  if (result.changeset.empty()) {
    CHECK(result.zone == before);
    return;
  }
  CHECK(dns::IsNewer(result.zone->serial(), before->serial()));
  const zone::Changeset difference = zone::Diff(before.get(), result.zone.get());
  CHECK(difference == result.changeset);
  CHECK(!difference.empty());
  const zone::ZonePtr rebuilt = fuzz::Rebuilt(*result.zone);
  CHECK(zone::Diff(rebuilt.get(), result.zone.get()).empty());
  CHECK_EQ(rebuilt->node_count(), result.zone->node_count());
  CHECK_EQ(rebuilt->record_count(), result.zone->record_count());
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  static const zone::ZonePtr zone = fuzz::MakeOddZone();
  static const zone::ZonePtr as_it_was = fuzz::Rebuilt(*zone);
  const auto message = wire::ParseMessage({data, size});
  if (!message.ok()) return 0;
  const zone::Update update{RecordsOf(message->answer), RecordsOf(message->authority)};
  const zone::SerialRule serial{static_cast<zone::SerialPolicy>(message->id % 3),
                                {std::chrono::seconds(int64_t{message->id} << 16)}};
  const auto outcome = zone::ApplyUpdate(zone, update, serial, {});
  if (const auto* result = std::get_if<zone::EditResult>(&outcome)) {
    CheckDone(zone, *result);
  } else {
    CHECK(std::get<zone::UpdateRefusal>(outcome).rcode != dns::Rcode::kNoError);
  }
  CHECK(zone::Diff(zone.get(), as_it_was.get()).empty());
  return 0;
}
