// RRsets with their signatures into a message (RFC 4035 3.1.1).
#pragma once

#include "wire/writer.h"
#include "zone/lookup.h"

namespace quorate::serve {

// What holds for every RRset of one response: whether signatures are wanted.
class SignedWriter {
 public:
  SignedWriter(wire::MessageWriter& out, bool dnssec_ok) : out_(out), dnssec_ok_(dnssec_ok) {}

  bool dnssec_ok() const { return dnssec_ok_; }
  wire::MessageWriter& message() { return out_; }

  // The RRset alone, or nothing: there is no room.
  bool AddUnsigned(wire::Section section, dns::NameView owner, const zone::RRsetView& rrset, uint32_t ttl) {
    return out_.AddRRset(section, owner, rrset.type, dns::RRClass::kIN, ttl, rrset);
  }
  // The RRset, which is at `node`, and with DO its signatures; or nothing.
  bool Add(wire::Section section, dns::NameView owner, const zone::Node& node, const zone::RRsetView& rrset,
           uint32_t ttl) {
    const auto before = out_.Save();
    if (AddUnsigned(section, owner, rrset, ttl) && AddSignatures(section, owner, node, rrset.type, ttl))
      return true;
    out_.Rollback(before);
    return false;
  }
  // Signatures that do not fit are left out before what they sign, without TC (RFC 4035 3.1.1).
  bool AddOptional(dns::NameView owner, const zone::Node& node, const zone::RRsetView& rrset) {
    return AddUnsigned(wire::Section::kAdditional, owner, rrset, rrset.ttl) &&
           AddSignatures(wire::Section::kAdditional, owner, node, rrset.type, rrset.ttl);
  }

 private:
  // Their TTL is that of what they sign (RFC 4034 3).
  bool AddSignatures(wire::Section section, dns::NameView owner, const zone::Node& node, dns::RRType type,
                     uint32_t ttl) {
    if (!dnssec_ok_) return true;
    const zone::RRsetView signatures = zone::FindSignatures(node, type);
    return signatures.empty() || AddUnsigned(section, owner, signatures, ttl);
  }

  wire::MessageWriter& out_;
  const bool dnssec_ok_;
};

}  // namespace quorate::serve
