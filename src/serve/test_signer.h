// For tests only: random small zones, and a signer that knows only the rules of RFC 4035 2 and RFC 5155 7.1.
// Its signatures are not real.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/rng.h"
#include "zone/builder.h"
#include "zone/denial_index.h"

namespace quorate::serve {

using Records = std::map<dns::Name, std::map<dns::RRType, std::set<std::string>>>;
using Types = std::set<dns::RRType>;

inline const dns::Name kApex = *dns::Name::FromText("example.");
inline constexpr uint32_t kTtl = 300;
inline constexpr zone::Nsec3Params kParams{.iterations = 2, .salt = "\x01\x02"};

inline dns::Name Below(const std::string& label, const dns::Name& parent) {
  return *dns::Name::Concatenate(static_cast<char>(label.size()) + label, parent);
}
inline zone::Nsec3Hash Hash(const dns::Name& name) { return zone::HashName(name.Folded().wire(), kParams); }

inline std::string Bitmap(const Types& types) {  // RFC 4034 4.1.2; all our types are below 256
  std::string bits(32, '\0');
  size_t used = 0;
  for (const dns::RRType type : types) {
    const auto value = static_cast<size_t>(type);
    bits[value / 8] = static_cast<char>(bits[value / 8] | 0x80 >> value % 8);
    used = std::max(used, value / 8 + 1);
  }
  if (types.empty()) return {};
  return std::string(1, '\0') + static_cast<char>(used) + bits.substr(0, used);
}

inline std::string Signature(const dns::Name& owner, dns::RRType covered) {
  const size_t labels = owner.LabelCount() - (owner.IsWildcard() ? 1 : 0);
  std::string rdata{0, static_cast<char>(covered), 13, static_cast<char>(labels), 0, 0, 1, 44};
  rdata += std::string("\x7f\0\0\0\x5f\0\0\0\0\1", 10);
  return rdata + std::string(kApex.wire()) + "signature";
}

enum class Chain { kNsec, kNsec3, kOptOut };

class Signer {
 public:
  Signer(Records& records, Chain chain) : records_(records), chain_(chain) {}

  void Sign() {
    std::vector<dns::Name> signed_names;
    for (const auto& [name, sets] : records_) {
      if (!IsOccluded(name)) signed_names.push_back(name);
    }
    if (chain_ == Chain::kNsec) {
      AddNsec(signed_names);
    } else {
      AddNsec3(signed_names);
    }
    for (auto& [name, sets] : records_) {
      if (IsOccluded(name)) continue;
      std::set<std::string> signatures;
      for (const auto& [type, rdata] : sets) {
        const bool is_parents = type == dns::RRType::kDS || type == dns::RRType::kNSEC;
        if (!IsCut(name) || is_parents) signatures.insert(Signature(name, type));
      }
      if (!signatures.empty()) sets[dns::RRType::kRRSIG] = signatures;
    }
  }

 private:
  bool Has(const dns::Name& name, dns::RRType type) const {
    const auto found = records_.find(name);
    return found != records_.end() && found->second.contains(type);
  }
  bool IsCut(const dns::Name& name) const { return name != kApex && Has(name, dns::RRType::kNS); }
  bool IsOccluded(const dns::Name& name) const {
    for (dns::Name above = name; above != kApex;) {
      above = above.Parent();
      if (IsCut(above) || Has(above, dns::RRType::kDNAME)) return true;
    }
    return false;
  }
  Types TypesAt(const dns::Name& name) const {
    Types types;
    for (const auto& [type, rdata] : records_.at(name)) {
      if (!IsCut(name) || type == dns::RRType::kNS || type == dns::RRType::kDS) types.insert(type);
    }
    return types;
  }

  void AddNsec(const std::vector<dns::Name>& names) {
    for (size_t i = 0; i < names.size(); ++i) {
      Types types = TypesAt(names[i]);
      types.insert({dns::RRType::kRRSIG, dns::RRType::kNSEC});
      const dns::Name& next = names[(i + 1) % names.size()];
      records_[names[i]][dns::RRType::kNSEC].insert(std::string(next.wire()) + Bitmap(types));
    }
  }

  void AddNsec3(const std::vector<dns::Name>& names) {
    const bool opt_out = chain_ == Chain::kOptOut;
    records_[kApex][dns::RRType::kNSEC3PARAM].insert(Params(false));
    std::map<zone::Nsec3Hash, Types> chain;
    for (const dns::Name& name : names) {
      const bool is_secure = !IsCut(name) || Has(name, dns::RRType::kDS);
      if (opt_out && !is_secure) continue;
      Types types = TypesAt(name);
      if (is_secure) types.insert(dns::RRType::kRRSIG);
      chain[Hash(name)] = types;
      for (dns::Name above = name; above != kApex; above = above.Parent()) chain.try_emplace(Hash(above));
    }
    for (auto at = chain.begin(); at != chain.end(); ++at) {
      const auto next = std::next(at) == chain.end() ? chain.begin() : std::next(at);
      const zone::Nsec3Label label = zone::ToLabel(at->first);
      const dns::Name owner = *dns::Name::Concatenate({label.data(), label.size()}, kApex);
      records_[owner][dns::RRType::kNSEC3].insert(Params(opt_out) + '\x14' +
                                                  std::string(next->first.begin(), next->first.end()) +
                                                  Bitmap(at->second));
    }
  }
  static std::string Params(bool opt_out) {
    return std::string{1, static_cast<char>(opt_out), 0, kParams.iterations, 2} + std::string(kParams.salt);
  }

  Records& records_;
  const Chain chain_;
};

inline std::string A(Rng& rng) { return std::string("\xc0\0\2", 3) + static_cast<char>(rng.Below(256)); }

inline dns::Name RandomName(Rng& rng) {
  static const std::vector<std::string> kLabels{"a", "b", "c", "*"};
  dns::Name name = kApex;
  for (size_t depth = rng.Below(4); depth > 0; --depth) name = Below(kLabels[rng.Below(4)], name);
  return name;
}

inline Records RandomRecords(Rng& rng) {
  Records out;
  out[kApex][dns::RRType::kSOA].insert(dns::EncodeSoa({.mname = kApex,
                                                       .rname = kApex,
                                                       .serial = {1},
                                                       .refresh = 1,
                                                       .retry = 1,
                                                       .expire = 1,
                                                       .minimum = kTtl}));
  out[kApex][dns::RRType::kNS].insert(std::string(Below("a", kApex).wire()));
  for (size_t names = 1 + rng.Below(9); names > 0; --names) {
    const dns::Name name = RandomName(rng);
    if (name == kApex) continue;
    auto& sets = out[name];
    switch (rng.Below(8)) {
      case 0:
        if (name.IsWildcard() || sets.contains(dns::RRType::kDNAME) || sets.contains(dns::RRType::kCNAME))
          break;
        if (rng.Below(2) == 0)
          sets[dns::RRType::kDS].insert(std::string("\0\1\15\2", 4) + std::string(32, 'd'));
        sets[dns::RRType::kNS].insert(std::string(Below("a", name).wire()));
        break;
      case 1:
        if (!name.IsWildcard() && sets.empty())
          sets[dns::RRType::kDNAME].insert(std::string(RandomName(rng).wire()));
        break;
      case 2:
        if (sets.empty()) sets[dns::RRType::kCNAME].insert(std::string(RandomName(rng).wire()));
        break;
      default:
        if (!sets.contains(dns::RRType::kCNAME)) sets[dns::RRType::kA].insert(A(rng));
        break;
    }
    if (sets.empty()) out.erase(name);
  }
  return out;
}

inline zone::ZoneSet Build(const Records& records) {
  zone::ZoneBuilder builder(kApex);
  for (const auto& [name, sets] : records) {
    for (const auto& [type, rdatas] : sets) {
      for (const std::string& rdata : rdatas) builder.Add(name, type, kTtl, rdata);
    }
  }
  auto built = std::move(builder).Build();
  zone::ZoneSet zones;
  if (const auto* refusal = std::get_if<zone::Refusal>(&built)) {
    ADD_FAILURE() << refusal->reason;
  } else {
    zones.Put(std::get<zone::ZonePtr>(built));
  }
  return zones;
}

}  // namespace quorate::serve
