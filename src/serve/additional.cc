#include "serve/additional.h"

#include <algorithm>

#include "zone/lookup.h"

namespace quorate::serve {
namespace {

using dns::NameView;
using dns::RRType;
using wire::Section;
using zone::RRsetView;

// Hosts of one answer whose addresses are added: more would hardly fit beside them.
constexpr size_t kHostsMax = 32;
// RRsets followed from alias to alias, or from NAPTR to SRV.
constexpr size_t kServicesMax = 8;

// Names met so far, in order; never twice, never more than there is room for.
template <size_t kMax>
class NameList {
 public:
  // False: it is known, or there are too many.
  bool Add(NameView name) {
    const auto same = [name](NameView other) { return dns::SameName(name, other); };
    if (count_ == kMax || std::any_of(names_, names_ + count_, same)) return false;
    names_[count_++] = name;
    return true;
  }

 private:
  NameView names_[kMax];
  size_t count_ = 0;
};

// The name at the front of `rdata`; empty: none.
NameView NameAt(std::string_view rdata, size_t offset) {
  if (rdata.size() <= offset) return {};
  return rdata.substr(offset, dns::NameLengthAt(rdata.substr(offset)));
}

bool IsRoot(NameView name) { return name.size() == 1; }

bool NamesHosts(RRType type) {
  return type == RRType::kNS || type == RRType::kMX || type == RRType::kSRV || type == RRType::kSVCB ||
         type == RRType::kHTTPS || type == RRType::kNAPTR;
}

// RFC 3403 4.1: order, preference, then flags, services and regexp as strings, then the replacement.
struct Naptr {
  char flag = 0;  // in lower case; 0: none, or several
  NameView replacement;
};
Naptr ParseNaptr(std::string_view rdata) {
  size_t at = 4;
  Naptr out;
  for (int string = 0; string < 3; ++string) {
    if (at >= rdata.size()) return {};
    const size_t length = static_cast<uint8_t>(rdata[at]);
    if (string == 0 && length == 1 && at + 1 < rdata.size()) out.flag = dns::FoldCase(rdata[at + 1]);
    at += 1 + length;
  }
  out.replacement = NameAt(rdata, at);
  return out;
}

class Additional {
 public:
  Additional(const zone::ZoneSet& zones, NameView owner, const RRsetView& answer, SignedWriter& writer,
             Visits& visits)
      : zones_(zones), writer_(writer), visits_(visits), owner_(owner), answer_type_(answer.type) {
    services_.Add(owner);
  }

  void Follow(NameView owner, const RRsetView& rrset) {
    for (const std::string_view rdata : rrset) {
      switch (rrset.type) {
        case RRType::kNS:
          AddHost(NameAt(rdata, 0), true);
          break;
        case RRType::kMX:
          AddHost(NameAt(rdata, 2), false);
          break;
        case RRType::kSRV:
          AddHost(NameAt(rdata, 6), false);
          break;
        case RRType::kSVCB:
        case RRType::kHTTPS:
          FollowBinding(owner, rrset.type, rdata);
          break;
        case RRType::kNAPTR:
          FollowNaptr(ParseNaptr(rdata));
          break;
        default:
          return;
      }
    }
  }

 private:
  // RFC 9460 2.4.2, 2.5: in service mode "." is the owner itself, in alias mode nothing.
  void FollowBinding(NameView owner, RRType type, std::string_view rdata) {
    NameView target = NameAt(rdata, 2);
    if (target.empty()) return;
    const bool is_alias = rdata[0] == 0 && rdata[1] == 0;
    if (is_alias) {
      if (!IsRoot(target)) AddService(target, type);
      return;
    }
    AddHost(IsRoot(target) ? owner : target, false);
  }

  void FollowNaptr(const Naptr& naptr) {
    if (naptr.replacement.empty() || IsRoot(naptr.replacement)) return;
    if (naptr.flag == 's') AddService(naptr.replacement, RRType::kSRV);
    if (naptr.flag == 'a') AddHost(naptr.replacement, false);
  }

  const zone::Zone* Visit(NameView name) {
    visits_.Note(name);
    const zone::Zone* zone = zones_.FindZone(name);
    if (zone == nullptr) return nullptr;
    visits_.NoteZone(zones_, *zone);
    return visits_.Admit(zones_, *zone).rcode == dns::Rcode::kNoError ? zone : nullptr;
  }

  // The RRset of this type at `name`, and what follows from it; an alias without one has addresses at least.
  void AddService(NameView name, RRType type) {
    if (!services_.Add(name)) return;
    const zone::Zone* zone = Visit(name);
    if (zone == nullptr) return;
    const zone::LookupResult found = zone::Lookup(*zone, name, type);
    if (found.kind == zone::LookupKind::kAnswer) {
      if (writer_.AddOptional(name, *found.node, found.rrset)) Follow(name, found.rrset);
    } else if (found.kind == zone::LookupKind::kNoData && type != RRType::kSRV) {
      AddHost(name, false);
    }
  }

  void AddHost(NameView host, bool is_server) {
    if (host.empty() || IsRoot(host) || !hosts_.Add(host)) return;
    const zone::Zone* zone = Visit(host);
    if (zone == nullptr) return;
    // A wildcard may be their source: the owner is the host (RFC 4592 3.3.1).
    zone::Addresses found = zone::FindAddresses(*zone, host);
    if (found.node != nullptr) {
      for (const RRsetView& rrset : {found.a, found.aaaa})
        if (rrset && !IsAnswered(host, rrset.type)) writer_.AddOptional(host, *found.node, rrset);
    }
    // The servers of a zone may be named below one of its own cuts, as those of the root are (RFC 9609 4).
    if (!is_server || !found.empty()) return;
    found = zone::FindGlue(*zone, host);
    for (const RRsetView& rrset : {found.a, found.aaaa})
      if (rrset) writer_.AddUnsigned(Section::kAdditional, host, rrset, rrset.ttl);
  }

  bool IsAnswered(NameView name, RRType type) const {
    return type == answer_type_ && dns::SameName(name, owner_);
  }

  const zone::ZoneSet& zones_;
  SignedWriter& writer_;
  Visits& visits_;
  const NameView owner_;
  const RRType answer_type_;
  NameList<kHostsMax> hosts_;
  NameList<kServicesMax> services_;
};

}  // namespace

bool AddGlue(const zone::Zone& zone, const RRsetView& ns, SignedWriter& writer, Visits& visits) {
  bool complete = true;
  for (const bool in_domain : {true, false}) {
    for (const NameView host : ns) {
      if (dns::IsAtOrBelow(host, ns.owner) != in_domain || !dns::IsAtOrBelow(host, zone.apex().wire()))
        continue;
      visits.Note(host);
      const zone::Addresses glue = zone::FindGlue(zone, host);
      for (const RRsetView& rrset : {glue.a, glue.aaaa}) {
        if (!rrset) continue;
        if (in_domain) {
          complete = writer.AddUnsigned(Section::kAdditional, rrset.owner, rrset, rrset.ttl) && complete;
        } else {
          // What is not below a cut has signatures (RFC 4035 3.1.1); glue has none.
          writer.AddOptional(rrset.owner, *glue.node, rrset);
        }
      }
    }
  }
  return complete;
}

void AddAddressesOf(const zone::ZoneSet& zones, NameView owner, const RRsetView& answer,
                    const RRsetView& servers, SignedWriter& writer, Visits& visits) {
  if (!NamesHosts(answer.type) && servers.empty()) return;  // most answers
  Additional additional(zones, owner, answer, writer, visits);
  additional.Follow(owner, answer);
  additional.Follow(servers.owner, servers);
}

}  // namespace quorate::serve
