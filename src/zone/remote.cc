#include "zone/remote.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"

namespace quorate::zone {
namespace {

constexpr std::string_view kNone = "none", kKey = "key:", kTls = "tls";
constexpr uint16_t kPort = 53, kTlsPort = 853;

std::string_view TakePart(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

std::string Wrong(std::string_view part, std::string_view why) {
  return "`" + std::string(part) + "`: " + std::string(why);
}

std::optional<uint16_t> Port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

Result<Remote, std::string> RemoteFromText(std::string_view text) {
  const std::string_view whole = text;
  std::string_view where = TakePart(text, '+');
  Remote remote;
  const auto address = AddressFromText(TakePart(where, '@'));
  if (!address) return Wrong(whole, "not an address, as 192.0.2.1, 192.0.2.1@53 or 2001:db8::1@53 are");
  remote.address = *address;
  while (!text.empty()) {
    const std::string_view part = TakePart(text, '+');
    if (part == kTls) {
      remote.tls = true;
    } else if (part.starts_with(kKey) && part.size() > kKey.size() && !remote.key) {
      const auto name = dns::Name::FromText(part.substr(kKey.size()));
      if (!name.ok()) return Wrong(whole, "not the name of a key");
      remote.key = name->Folded();
    } else {
      return Wrong(whole, "behind the address only +key:NAME and +tls are known");
    }
  }
  remote.port = remote.tls ? kTlsPort : kPort;
  if (!where.empty()) {
    const auto port = Port(where);
    if (!port) return Wrong(whole, "not a port");
    remote.port = *port;
  }
  return remote;
}

}  // namespace

Result<std::vector<Remote>, std::string> RemotesFromText(std::string_view text) {
  std::vector<Remote> remotes;
  if (text == kNone) return remotes;
  if (text.empty()) return std::string("an empty list: `none` means nobody");
  while (!text.empty()) {
    auto remote = RemoteFromText(TakePart(text, ','));
    if (!remote.ok()) return remote.error();
    remotes.push_back(*std::move(remote));
    if (remotes.size() > limits::kRemotesMax)
      return "more than " + std::to_string(limits::kRemotesMax) + " servers";
  }
  return remotes;
}

std::string ToText(const Remote& remote) {
  std::string text = ToText(remote.address) + "@" + std::to_string(remote.port);
  if (remote.key) text += "+" + std::string(kKey) + remote.key->ToText();
  if (remote.tls) text += "+" + std::string(kTls);
  return text;
}

std::string ToText(const std::vector<Remote>& remotes) {
  std::string text;
  for (const Remote& remote : remotes) text += (text.empty() ? "" : ",") + ToText(remote);
  return text.empty() ? std::string(kNone) : text;
}

}  // namespace quorate::zone
