// Any octets to a server of a small zone with everything odd in it: the response is well-formed, belongs to
// the request and keeps to its limit.
#include "serve/respond.h"

#include "fuzz/odd_zone.h"
#include "wire/message.h"

namespace quorate {
namespace {

zone::ZoneSet MakeZones() {
  zone::ZoneSet zones;
  zones.Put(fuzz::MakeOddZone(true));
  return zones;
}

void CheckResponse(wire::Bytes request, wire::Bytes response, size_t limit) {
  CHECK_LE(response.size(), limit);
  const auto parsed = wire::ParseMessage(response);
  CHECK(parsed.ok());
  CHECK(parsed->response && !parsed->ra && !parsed->ad && !parsed->z);
  CHECK_EQ(response[0], request[0]);
  CHECK_EQ(response[1], request[1]);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  static const zone::View view{.zones = std::make_shared<const zone::ZoneSet>(MakeZones())};
  static const serve::RespondConfig config{.chaos = true, .version = "v", .id = "i", .nsid = "n"};
  static uint8_t out[65535];
  const wire::Bytes message(data, size);
  for (const auto& [transport, limit] :
       {std::pair{serve::Transport::kUdp, size_t{1232}}, std::pair{serve::Transport::kTcp, size_t{65535}},
        std::pair{serve::Transport::kTls, size_t{65535}}}) {
    const serve::Request request(message, transport);
    const size_t answered = serve::Respond(request, view, config, out).size;
    if (answered > 0) CheckResponse(message, {out, answered}, limit);
    const size_t refused = serve::RespondServFail(request, view, config, out);
    if (refused > 0) CheckResponse(message, {out, refused}, limit);
    CHECK_EQ(answered > 0, refused > 0);
    const size_t truncated = serve::RespondTruncated(request, view, config, out);
    if (truncated > 0) CheckResponse(message, {out, truncated}, limit);
  }
  return 0;
}
