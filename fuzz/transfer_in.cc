// Whatever a primary may send (RFC 5936 2.2, 1995 4): what the reader takes for a transfer leads to a zone
// with the primary's serial, whose content is that of a zone that could be built, or is refused with a
// reason.
#include "api/xfr/ixfr_reader.h"
#include "fuzz/odd_zone.h"
#include "zone/exact.h"

namespace quorate {
namespace {

using api::xfr::TransferReader;
using State = TransferReader::State;

constexpr uint16_t kId = 7;

// The next message of the input: a length, then as much; with the ID, and what every answer has.
std::string NextMessage(std::string_view& input) {
  const size_t length =
      static_cast<size_t>(static_cast<uint8_t>(input[0])) << 8 | static_cast<uint8_t>(input[1]);
  std::string message(input.substr(2, length));
  input.remove_prefix(std::min(input.size(), 2 + length));
  if (message.size() < 4) return message;
  message[0] = 0;
  message[1] = kId;
  message[2] = static_cast<char>((message[2] & 0x07) | 0x80);
  message[3] = static_cast<char>(message[3] & 0xf0);
  return message;
}

void CheckNext(const zone::ZonePtr& have, const zone::EditOutcome& outcome, dns::Serial serial) {
  if (const auto* refusal = std::get_if<zone::Refusal>(&outcome)) {
    CHECK(!refusal->reason.empty());
    return;
  }
  const zone::ZonePtr& next = std::get<zone::EditResult>(outcome).zone;
  CHECK_EQ(next->serial().value, serial.value);
  const zone::ZonePtr rebuilt = fuzz::Rebuilt(*next);
  CHECK(zone::Diff(rebuilt.get(), next.get()).empty());
  CHECK_EQ(rebuilt->node_count(), next->node_count());
  CHECK(zone::Diff(have.get(), next.get()) == std::get<zone::EditResult>(outcome).changeset);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  static const zone::ZonePtr zone = fuzz::MakeOddZone();
  if (size == 0) return 0;
  const bool incremental = (data[0] & 1) != 0, datagram = (data[0] & 2) != 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  zone::ZoneBuilder builder(zone->apex());
  TransferReader reader(
      zone->apex(), incremental ? zone : nullptr, [&](dns::RRset&& rrset) { builder.Add(rrset); },
      size_t{1} << 20);
  State state = State::kMore;
  while (state == State::kMore && input.size() > 2) {
    const std::string message = NextMessage(input);
    state = reader.Add({reinterpret_cast<const uint8_t*>(message.data()), message.size()}, kId, datagram);
  }
  if (state == State::kFailed) {
    CHECK(!reader.why().empty());
  } else if (state == State::kIncremental) {
    CHECK(incremental && dns::IsNewer(reader.serial(), zone->serial()));
    CheckNext(zone, zone::EditExactly(zone, {reader.TakeEdits()}), reader.serial());
  } else if (state == State::kFull) {
    auto built = std::move(builder).Build();
    if (const auto* next = std::get_if<zone::ZonePtr>(&built))
      CheckNext(zone, zone::ReplaceExactly(zone, *next), reader.serial());
  } else if (state == State::kUpToDate) {
    CHECK(incremental && !dns::IsNewer(reader.serial(), zone->serial()));
  }
  return 0;
}
