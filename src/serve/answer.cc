#include "serve/answer.h"

#include <cstring>

#include "serve/additional.h"
#include "wire/name.h"
#include "zone/lookup.h"

namespace quorate::serve {
namespace {

using dns::NameView;
using dns::Rcode;
using dns::RRType;
using wire::Section;
using zone::LookupKind;
using zone::LookupResult;
using zone::RRsetView;

// Aliases followed in one response. Longer chains are left to the resolver, as it would have to bound them
// anyway.
constexpr size_t kChainMax = 16;

class Answerer {
 public:
  Answerer(const zone::ZoneSet& zones, NameView qname, RRType qtype, Transport transport,
           wire::MessageWriter& writer, Visits& visits)
      : zones_(zones),
        qtype_(qtype),
        transport_(transport),
        writer_(writer),
        visits_(visits),
        start_(writer.Save()) {
    chain_[0] = qname;
  }

  AnswerStatus Run() {
    for (bool more = true; more;) {
      more = Step();
      if (!complete_) return Truncated();
    }
    if (answer_) AddAddressesOf(zones_, answer_, writer_, visits_);
    return status_;
  }

 private:
  NameView name() const { return chain_[hops_]; }
  NameView OwnerOf(const LookupResult& found, const RRsetView& rrset) const {
    return found.synthesized ? name() : rrset.owner;
  }

  bool Write(Section section, NameView owner, const RRsetView& rrset, uint32_t ttl) {
    complete_ = writer_.AddRRset(section, owner, rrset.type, dns::RRClass::kIN, ttl, rrset);
    return complete_;
  }

  // One zone's say about name(). True: it was an alias, go on.
  bool Step() {
    if (qtype_ == RRType::kSOA || qtype_ == RRType::kANY) {
      visits_.NoteWithSerial(name());
    } else {
      visits_.Note(name());
    }
    const zone::Zone* zone = zones_.FindZoneFor(name(), qtype_);
    if (zone == nullptr) {
      // After an alias that leads out of our zones: the answer is complete for what we know (RFC 6604 3).
      if (hops_ == 0) status_.rcode = Rcode::kRefused;
      return false;
    }
    visits_.NoteZone(zones_, *zone);
    const LookupResult found = zone::Lookup(*zone, name(), qtype_);
    // AA speaks of the first owner name in the answer (RFC 1035 4.1.1).
    if (hops_ == 0) status_.aa = found.kind != LookupKind::kDelegation;
    switch (found.kind) {
      case LookupKind::kAnswer:
        WriteAnswer(found);
        return false;
      case LookupKind::kCname:
        return FollowCname(found);
      case LookupKind::kDname:
        return FollowDname(found);
      case LookupKind::kDelegation:
        WriteReferral(*zone, found);
        return false;
      case LookupKind::kNoData:
        WriteNegative(*zone, Rcode::kNoError);
        return false;
      case LookupKind::kNxDomain:
        WriteNegative(*zone, Rcode::kNXDomain);
        return false;
      case LookupKind::kOutOfZone:
        break;  // not after FindZoneFor
    }
    status_ = {.rcode = Rcode::kServFail};
    return false;
  }

  void WriteAnswer(const LookupResult& found) {
    if (qtype_ == RRType::kANY) return WriteAny(found);
    Write(Section::kAnswer, OwnerOf(found, found.rrset), found.rrset, found.rrset.ttl);
    answer_ = found.rrset;
  }

  // RFC 8482 4.1: over UDP one RRset is enough, and the best one is that of data rather than of signatures.
  // Over TCP all that fit: a client of TCP has nowhere else to go.
  void WriteAny(const LookupResult& found) {
    RRsetView chosen;
    bool some = false;
    found.node->ForEach([&](const RRsetView& rrset) {
      if (!chosen || chosen.type == RRType::kRRSIG) chosen = rrset;
      if (transport_ == Transport::kTcp)
        some |= Write(Section::kAnswer, OwnerOf(found, rrset), rrset, rrset.ttl);
    });
    complete_ = complete_ || some;
    if (transport_ == Transport::kUdp && chosen)
      Write(Section::kAnswer, OwnerOf(found, chosen), chosen, chosen.ttl);
  }

  bool GoOnAt(NameView target) {
    for (size_t i = 0; i <= hops_; ++i)
      if (dns::SameName(chain_[i], target)) return false;  // a loop: what was found of it is the answer
    if (hops_ + 1 == kChainMax) return false;
    chain_[++hops_] = target;
    return true;
  }

  bool FollowCname(const LookupResult& found) {
    if (!Write(Section::kAnswer, OwnerOf(found, found.rrset), found.rrset, found.rrset.ttl)) return false;
    return GoOnAt(*found.rrset.begin());
  }

  // RFC 6672 2.2, 3.1: the DNAME, and a CNAME made of it for those who do not know DNAME.
  bool FollowDname(const LookupResult& found) {
    if (!Write(Section::kAnswer, found.rrset.owner, found.rrset, found.rrset.ttl)) return false;
    const NameView target = *found.rrset.begin();
    const NameView kept = name().substr(0, name().size() - found.rrset.owner.size());
    if (kept.size() + target.size() > wire::kNameBytesMax) {
      status_.rcode = Rcode::kYXDomain;
      return false;
    }
    wire::NameBuffer& made = rewritten_[hops_];
    std::memcpy(made.bytes, kept.data(), kept.size());
    std::memcpy(made.bytes + kept.size(), target.data(), target.size());
    made.size = static_cast<uint8_t>(kept.size() + target.size());
    complete_ = writer_.AddRecord(Section::kAnswer, name(), RRType::kCNAME, dns::RRClass::kIN,
                                  found.rrset.ttl, made.view());
    if (!complete_ || qtype_ == RRType::kCNAME || qtype_ == RRType::kANY) return false;
    return GoOnAt(made.view());
  }

  void WriteReferral(const zone::Zone& zone, const LookupResult& found) {
    if (!Write(Section::kAuthority, found.rrset.owner, found.rrset, found.rrset.ttl)) return;
    if (!AddGlue(zone, found.rrset, writer_, visits_)) status_.tc = true;  // RFC 9471 3.1
  }

  void WriteNegative(const zone::Zone& zone, Rcode rcode) {
    status_.rcode = rcode;
    const RRsetView soa = zone.soa_rrset();
    Write(Section::kAuthority, soa.owner, soa, zone.negative_ttl());
  }

  // Nothing but the question is left: a part of an answer could be taken for the whole (RFC 2181 9).
  AnswerStatus Truncated() {
    writer_.Rollback(start_);
    status_.tc = true;
    return status_;
  }

  const zone::ZoneSet& zones_;
  const RRType qtype_;
  const Transport transport_;
  wire::MessageWriter& writer_;
  Visits& visits_;
  const wire::MessageWriter::Mark start_;
  AnswerStatus status_;
  bool complete_ = true;  // everything so far did fit
  RRsetView answer_;      // whose targets' addresses are worth adding
  size_t hops_ = 0;
  NameView chain_[kChainMax];              // QNAME, then each alias's target
  wire::NameBuffer rewritten_[kChainMax];  // those that a DNAME made
};

}  // namespace

AnswerStatus AnswerQuestion(const zone::ZoneSet& zones, NameView qname, RRType qtype, Transport transport,
                            wire::MessageWriter& writer, Visits& visits) {
  return Answerer(zones, qname, qtype, transport, writer, visits).Run();
}

}  // namespace quorate::serve
