// Another nameserver that a zone has to do with: where it is and how one speaks with it. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/name.h"
#include "zone/address.h"

namespace quorate::zone {

struct Remote {
  Address address{};
  uint16_t port = 53;
  std::optional<dns::Name> key;  // signs what is said, both ways
  bool tls = false;              // over TLS (RFC 9103)
  bool operator==(const Remote&) const = default;
};

// "192.0.2.1", "192.0.2.1@5353", "2001:db8::1@53", then "+key:NAME" and "+tls" (port 853 then, if none is
// given). RemotesFromText: with commas between them, `none` for an empty list, at most limits::kRemotesMax.
Result<std::vector<Remote>, std::string> RemotesFromText(std::string_view text);
std::string ToText(const Remote& remote);
std::string ToText(const std::vector<Remote>& remotes);

}  // namespace quorate::zone
