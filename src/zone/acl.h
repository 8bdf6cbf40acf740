// Who may do what with a zone: an ordered list of rules over the client's address and the key that signed its
// request. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/name.h"
#include "zone/address.h"

namespace quorate::zone {

// Who asks.
struct Peer {
  Address address{};
  dns::NameView key;  // of the TSIG that was verified; empty: the request is unsigned
};

class Acl {
 public:
  enum class Key : uint8_t { kIgnored, kAny, kNamed };
  struct Rule {
    bool deny = false;
    std::optional<Network> network;  // none: from anywhere
    Key key = Key::kIgnored;
    dns::Name name;  // of kNamed
    bool operator==(const Rule&) const = default;
  };

  Acl() = default;  // nobody
  explicit Acl(std::vector<Rule> rules) : rules_(std::move(rules)) {}
  static Acl Any() { return Acl({Rule{}}); }
  static Acl AnyKey() { return Acl({Rule{.key = Key::kAny}}); }

  // The first rule that matches decides; if none does: no. No allocation.
  bool Allows(const Peer& peer) const;
  // Everybody, without a look at the peer.
  bool IsAny() const { return !rules_.empty() && rules_.front() == Rule{}; }
  const std::vector<Rule>& rules() const { return rules_; }
  bool operator==(const Acl&) const = default;

 private:
  std::vector<Rule> rules_;
};

// "any", "none", or rules with commas between them: "key:*" (any key of the group), "key:ddns.example.",
// "net:192.0.2.0/24", "net:10.0.0.0/8+key:ddns.example." (both), and with "!" in front those who may not. At
// most limits::kAclRulesMax rules. The error says which part is wrong and why.
Result<Acl, std::string> AclFromText(std::string_view text);
std::string ToText(const Acl& acl);

}  // namespace quorate::zone
