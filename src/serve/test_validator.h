// For tests only: judges a response as a validator does, by nothing but what is in it (RFC 4035 5.4, 5155 8,
// 6840 4). That a signature is there counts; whether it is right is not asked.
#pragma once

#include <functional>
#include <set>
#include <tuple>

#include "dns/presentation.h"
#include "serve/test_signer.h"
#include "wire/message.h"

namespace quorate::serve {

inline Types TypesIn(std::string_view bitmap) {
  Types out;
  for (size_t i = 2; i < bitmap.size(); ++i) {
    for (size_t bit = 0; bit < 8; ++bit) {
      if ((static_cast<uint8_t>(bitmap[i]) & 0x80 >> bit) != 0) out.insert(dns::RRType((i - 2) * 8 + bit));
    }
  }
  return out;
}

class Validator {
 public:
  Validator(const wire::Message& message, const dns::Name& qname, dns::RRType qtype)
      : message_(message), qname_(qname), qtype_(qtype) {
    for (const wire::Record& r : message.authority) {
      if (r.type == dns::RRType::kNSEC) {
        const size_t length = dns::NameLengthAt(r.rdata);
        nsec_.push_back(
            {r.name, *dns::Name::FromWire(r.rdata.substr(0, length)), TypesIn(r.rdata.substr(length))});
      } else if (r.type == dns::RRType::kNSEC3) {
        const auto fields = zone::ParseNsec3(r.rdata);
        Hashed hashed{.flags = fields->flags};
        hashed.owner = *zone::FromLabel(r.name.wire().substr(1, 32));
        std::copy_n(fields->rest.begin() + 1, 20, hashed.next.begin());
        hashed.types = TypesIn(fields->rest.substr(21));
        nsec3_.push_back(hashed);
      }
    }
  }

  // Empty: sound. Otherwise what is missing.
  std::string Judge() {
    if (const std::string fault = Signed(message_.answer); !fault.empty()) return fault;
    if (const std::string fault = Signed(message_.authority); !fault.empty()) return fault;
    if (const std::string fault = NoDuplicates(); !fault.empty()) return fault;
    dns::Name name = qname_;
    std::set<dns::Name> seen;
    while (Find(message_.answer, name, qtype_) == nullptr) {
      if (!seen.insert(name).second || seen.size() > 16) return "";  // a loop, or cut off
      const wire::Record* alias = Find(message_.answer, name, dns::RRType::kCNAME);
      if (alias == nullptr) return JudgeEnd(name);
      if (!IsSynthesized(name) && !IsProvenFromWildcard(name, dns::RRType::kCNAME))
        return "no proof for the wildcard";
      name = *dns::Name::FromWire(alias->rdata);
    }
    return IsSynthesized(name) || IsProvenFromWildcard(name, qtype_) ? ""
                                                                     : "no proof for the wildcard's data";
  }

  std::function<bool(const dns::Name&)> exists;  // whether the zone has the name; for what has no proof

 private:
  struct Plain {
    dns::Name owner, next;
    Types types;
  };
  struct Hashed {
    zone::Nsec3Hash owner, next;
    uint8_t flags = 0;
    Types types;
  };

  static const wire::Record* Find(const std::vector<wire::Record>& section, const dns::Name& name,
                                  dns::RRType type) {
    for (const wire::Record& r : section) {
      if (r.type == type && r.name == name) return &r;
    }
    return nullptr;
  }
  static const wire::Record* FindSignature(const std::vector<wire::Record>& section, const dns::Name& name,
                                           dns::RRType covered) {
    for (const wire::Record& r : section) {
      if (r.type == dns::RRType::kRRSIG && r.name == name && dns::RRType(r.rdata[1]) == covered) return &r;
    }
    return nullptr;
  }
  // A CNAME that a DNAME of the answer makes (RFC 6672 5.3.1).
  bool IsSynthesized(const dns::Name& name) const {
    const wire::Record* alias = Find(message_.answer, name, dns::RRType::kCNAME);
    if (alias == nullptr) return false;
    for (const wire::Record& r : message_.answer) {
      if (r.type == dns::RRType::kDNAME && name != r.name && name.IsAtOrBelow(r.name)) return true;
    }
    return false;
  }

  std::string Signed(const std::vector<wire::Record>& section) const {
    for (const wire::Record& r : section) {
      const bool exempt = r.type == dns::RRType::kRRSIG ||
                          (r.type == dns::RRType::kCNAME && IsSynthesized(r.name)) ||
                          (r.type == dns::RRType::kNS && &section == &message_.authority);
      const wire::Record* signature = FindSignature(section, r.name, r.type);
      if (exempt) continue;
      if (signature == nullptr) return r.name.ToText() + " " + dns::TypeToText(r.type) + " is not signed";
      if (signature->ttl != r.ttl) return "the signature has another TTL";
    }
    return "";
  }
  std::string NoDuplicates() const {
    std::set<std::tuple<dns::Name, dns::RRType, std::string>> seen;
    for (const auto* section : {&message_.answer, &message_.authority}) {
      for (const wire::Record& r : *section) {
        if (!seen.insert({r.name, r.type, r.rdata}).second) return r.name.ToText() + " is there twice";
      }
    }
    return "";
  }

  std::string JudgeEnd(const dns::Name& name) const {
    if (!name.IsAtOrBelow(kApex)) return "";
    if (message_.rcode == dns::Rcode::kYXDomain) return "";
    if (message_.rcode == dns::Rcode::kNXDomain) return IsNameError(name) ? "" : "the name is not denied";
    if (Find(message_.authority, kApex, dns::RRType::kSOA) != nullptr)
      return IsNoData(name, qtype_) ? "" : "the type is not denied";
    for (const wire::Record& r : message_.authority) {
      if (r.type != dns::RRType::kNS) continue;
      if (!name.IsAtOrBelow(r.name)) return "a referral to elsewhere";
      if (Find(message_.authority, r.name, dns::RRType::kDS) != nullptr) return "";
      return IsInsecure(r.name) ? "" : "DS is not denied";
    }
    return "nothing that ends the chain at " + name.ToText();
  }

  // NSEC: `name` lies between an owner and its next, and is not what the owner hands to another zone or name.
  const Plain* Covering(const dns::Name& name) const {
    for (const Plain& nsec : nsec_) {
      const bool between = nsec.owner < name && (name < nsec.next || nsec.next == kApex);
      const bool is_cut = nsec.types.contains(dns::RRType::kNS) && !nsec.types.contains(dns::RRType::kSOA);
      const bool hands_over =
          name.IsAtOrBelow(nsec.owner) && (is_cut || nsec.types.contains(dns::RRType::kDNAME));
      if (between && !hands_over) return &nsec;
    }
    return nullptr;
  }
  const Plain* Matching(const dns::Name& name) const {
    for (const Plain& nsec : nsec_) {
      if (nsec.owner == name) return &nsec;
    }
    return nullptr;
  }
  static dns::Name CommonAncestor(dns::Name a, const dns::Name& b) {
    while (!b.IsAtOrBelow(a)) a = a.Parent();
    return a;
  }
  static dns::Name ClosestEncloser(const dns::Name& name, const Plain& covering) {
    const dns::Name a = CommonAncestor(name, covering.owner), b = CommonAncestor(name, covering.next);
    return a.LabelCount() > b.LabelCount() ? a : b;
  }

  const Hashed* MatchingHash(const dns::Name& name) const {
    for (const Hashed& h : nsec3_) {
      if (h.owner == Hash(name)) return &h;
    }
    return nullptr;
  }
  const Hashed* CoveringHash(const dns::Name& name) const {
    const zone::Nsec3Hash hash = Hash(name);
    for (const Hashed& h : nsec3_) {
      if (h.owner < h.next ? h.owner < hash && hash < h.next : hash > h.owner || hash < h.next) return &h;
    }
    return nullptr;
  }
  static dns::Name Ancestor(dns::Name name, size_t labels) {
    while (name.LabelCount() > labels) name = name.Parent();
    return name;
  }
  struct Enclosure {
    dns::Name closest;
    const Hashed* next_closer;
  };
  std::optional<Enclosure> EncloserByHash(const dns::Name& name) const {
    for (size_t labels = name.LabelCount() - 1; labels >= kApex.LabelCount(); --labels) {
      const Hashed* match = MatchingHash(Ancestor(name, labels));
      if (match == nullptr) continue;
      const bool is_cut =
          match->types.contains(dns::RRType::kNS) && !match->types.contains(dns::RRType::kSOA);
      const Hashed* covering = CoveringHash(Ancestor(name, labels + 1));
      if (covering == nullptr || is_cut || match->types.contains(dns::RRType::kDNAME)) return std::nullopt;
      return Enclosure{Ancestor(name, labels), covering};
    }
    return std::nullopt;
  }

  static bool Lacks(const Types& types, dns::RRType qtype) {
    const bool is_cut = types.contains(dns::RRType::kNS) && !types.contains(dns::RRType::kSOA);
    if (types.contains(qtype) || types.contains(dns::RRType::kCNAME)) return false;
    return qtype == dns::RRType::kDS ? !types.contains(dns::RRType::kSOA) || is_cut : !is_cut;
  }

  bool IsNameError(const dns::Name& name) const {
    if (!nsec3_.empty()) {
      const auto found = EncloserByHash(name);
      if (!found) return false;
      const dns::Name wildcard = Below("*", found->closest);
      if (CoveringHash(wildcard) != nullptr) return true;
      // The real closest encloser may be an empty non-terminal that was opted out: that the encloser which
      // can be shown has a wildcard then denies nothing, and the answer counts as insecure (RFC 5155 9.2).
      return (found->next_closer->flags & 1) != 0 && exists && exists(wildcard);
    }
    const Plain* covering = Covering(name);
    if (covering == nullptr || covering->next.IsAtOrBelow(name)) return false;
    const dns::Name wildcard = Below("*", ClosestEncloser(name, *covering));
    const Plain* of_wildcard = Covering(wildcard);
    return of_wildcard != nullptr && !of_wildcard->next.IsAtOrBelow(wildcard);
  }

  bool IsNoData(const dns::Name& name, dns::RRType qtype) const {
    // At the apex DS is asked of the child here: what it lacks is all that it can say.
    const bool at_apex = name == kApex && qtype == dns::RRType::kDS;
    const auto lacks = [&](const Types& types) {
      return at_apex ? !types.contains(qtype) : Lacks(types, qtype);
    };
    if (!nsec3_.empty()) {
      if (const Hashed* match = MatchingHash(name)) return lacks(match->types);
      const auto found = EncloserByHash(name);
      if (!found) return false;
      // Under an opt-out the name may be a delegation without DS, whatever wildcard there is (RFC 5155 8.6).
      if ((found->next_closer->flags & 1) != 0 && qtype == dns::RRType::kDS) return true;
      if (const Hashed* wildcard = MatchingHash(Below("*", found->closest)))
        return Lacks(wildcard->types, qtype);
      return (found->next_closer->flags & 1) != 0;
    }
    if (const Plain* match = Matching(name)) return lacks(match->types);
    const Plain* covering = Covering(name);
    if (covering == nullptr) return false;
    if (covering->next.IsAtOrBelow(name)) return true;  // an empty non-terminal
    const dns::Name wildcard = Below("*", ClosestEncloser(name, *covering));
    if (const Plain* match = Matching(wildcard)) return Lacks(match->types, qtype);
    const Plain* of_wildcard = Covering(wildcard);
    return of_wildcard != nullptr && of_wildcard->next.IsAtOrBelow(wildcard);
  }

  bool IsInsecure(const dns::Name& cut) const {
    const auto fits = [](const Types& types) {
      return types.contains(dns::RRType::kNS) && !types.contains(dns::RRType::kDS) &&
             !types.contains(dns::RRType::kSOA);
    };
    if (nsec3_.empty()) return Matching(cut) != nullptr && fits(Matching(cut)->types);
    if (const Hashed* match = MatchingHash(cut)) return fits(match->types);
    const auto found = EncloserByHash(cut);
    return found && (found->next_closer->flags & 1) != 0;
  }

  // RFC 4035 5.3.4: the signature says how many labels the wildcard's parent has; no closer name may exist.
  bool IsProvenFromWildcard(const dns::Name& name, dns::RRType type) const {
    const wire::Record* signature = FindSignature(message_.answer, name, type);
    const auto labels = static_cast<size_t>(signature->rdata[3]);
    if (labels + (name.IsWildcard() ? 1 : 0) == name.LabelCount()) {
      // Perhaps the very wildcard; with a covering record it was made from another.
      return true;
    }
    const dns::Name next_closer = Ancestor(name, labels + 1);
    if (!nsec3_.empty()) return CoveringHash(next_closer) != nullptr;
    const Plain* covering = Covering(name);
    return covering != nullptr && !covering->owner.IsAtOrBelow(next_closer) &&
           !covering->next.IsAtOrBelow(next_closer);
  }

  const wire::Message& message_;
  const dns::Name qname_;
  const dns::RRType qtype_;
  std::vector<Plain> nsec_;
  std::vector<Hashed> nsec3_;
};

}  // namespace quorate::serve
