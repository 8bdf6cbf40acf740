#include "serve/answer.h"

#include <algorithm>
#include <cstring>

#include "serve/additional.h"
#include "serve/signed_writer.h"
#include "wire/name.h"
#include "zone/denial.h"

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
  Answerer(const zone::ZoneSet& zones, const Question& question, wire::MessageWriter& writer, Visits& visits)
      : zones_(zones),
        qtype_(question.qtype),
        transport_(question.transport),
        writer_(writer, question.dnssec_ok),
        visits_(visits),
        start_(writer.Save()) {
    chain_[0] = question.qname;
  }

  AnswerStatus Run() {
    while (Step()) {
    }
    if (complete_) WriteAuthority();
    if (!complete_) return Truncated();
    WriteAdditional();
    return status_;
  }

 private:
  NameView name() const { return chain_[hops_]; }
  NameView OwnerOf(const RRsetView& rrset) const { return found_.synthesized ? name() : rrset.owner; }

  bool Write(Section section, NameView owner, const zone::Node& node, const RRsetView& rrset, uint32_t ttl) {
    complete_ = complete_ && writer_.Add(section, owner, node, rrset, ttl);
    return complete_;
  }
  bool WriteAnswer(const RRsetView& rrset) {
    return Write(Section::kAnswer, OwnerOf(rrset), *found_.node, rrset, rrset.ttl);
  }

  // One zone's say about name(), and its answer section. True: it was an alias, go on.
  bool Step() {
    if (qtype_ == RRType::kSOA || qtype_ == RRType::kANY) {
      visits_.NoteWithSerial(name());
    } else {
      visits_.Note(name());
    }
    found_ = {};
    zone_ = zones_.FindZoneFor(name(), qtype_);
    if (zone_ == nullptr) {
      // After an alias that leads out of our zones: the answer is complete for what we know (RFC 6604 3).
      if (hops_ == 0) status_ = {.rcode = Rcode::kRefused, .error = ExtendedError::kNotAuthoritative};
      return false;
    }
    visits_.NoteZone(zones_, *zone_);
    if (const auto admission = visits_.Admit(zones_, *zone_); admission.rcode != Rcode::kNoError) {
      if (hops_ == 0) status_ = {.rcode = admission.rcode, .error = admission.error};
      zone_ = nullptr;
      return false;
    }
    found_ = zone::Lookup(*zone_, name(), qtype_);
    if (hops_ == 0) visits_.NoteQuestion(*zone_, RateName());
    // AA speaks of the first owner name in the answer (RFC 1035 4.1.1).
    if (hops_ == 0) status_.aa = found_.kind != LookupKind::kDelegation;
    CollectProof();
    switch (found_.kind) {
      case LookupKind::kAnswer:
        WriteAnswers();
        return false;
      case LookupKind::kCname:
        return WriteAnswer(found_.rrset) && GoOnAt(*found_.rrset.begin());
      case LookupKind::kDname:
        return FollowDname();
      case LookupKind::kNxDomain:
        status_.rcode = Rcode::kNXDomain;  // of the last name (RFC 6604 3)
        return false;
      case LookupKind::kDelegation:
      case LookupKind::kNoData:
        return false;
      case LookupKind::kOutOfZone:
        break;  // not after FindZoneFor
    }
    status_ = {.rcode = Rcode::kServFail};
    return false;
  }

  // What the answer counts as: all that is denied by one zone, or made by one wildcard, is the same.
  NameView RateName() const {
    if (found_.kind == LookupKind::kNxDomain || found_.kind == LookupKind::kNoData)
      return zone_->apex().wire();
    return found_.rrset ? found_.rrset.owner : name();
  }

  void WriteAnswers() {
    if (qtype_ == RRType::kANY) return WriteAny();
    if (qtype_ == RRType::kRRSIG) return WriteSignatures();
    WriteAnswer(found_.rrset);
  }

  // RFC 8482 4.1: over UDP one RRset is enough, and the best one is that of data rather than of signatures.
  // Over TCP all that fit: a client of TCP has nowhere else to go. Signatures come with what they sign.
  void WriteAny() {
    RRsetView chosen;
    bool some = false;
    found_.node->ForEach([&](const RRsetView& rrset) {
      if (!chosen || chosen.type == RRType::kRRSIG) chosen = rrset;
      if (transport_ == Transport::kTcp && rrset.type != RRType::kRRSIG)
        some |= writer_.Add(Section::kAnswer, OwnerOf(rrset), *found_.node, rrset, rrset.ttl);
    });
    if (!some && chosen) WriteAnswer(chosen);
  }

  // RRSIG records of one name belong to the several RRsets that they cover, and have their TTLs (RFC 4034 3).
  // Over UDP those of one type are enough, as with ANY (RFC 8482 7).
  void WriteSignatures() {
    const uint16_t before = writer_.message().count(Section::kAnswer);
    found_.node->ForEach([&](const RRsetView& covered) {
      const bool enough = transport_ == Transport::kUdp && writer_.message().count(Section::kAnswer) > before;
      const RRsetView signatures = zone::FindSignatures(*found_.node, covered.type);
      if (enough || signatures.empty()) return;
      complete_ =
          complete_ && writer_.AddUnsigned(Section::kAnswer, OwnerOf(signatures), signatures, covered.ttl);
    });
    // Of nothing that is here: whoever made the zone wants them to be seen.
    if (complete_ && writer_.message().count(Section::kAnswer) == before) WriteAnswer(found_.rrset);
  }

  bool GoOnAt(NameView target) {
    for (size_t i = 0; i <= hops_; ++i)
      if (dns::SameName(chain_[i], target)) return false;  // a loop: what was found of it is the answer
    if (hops_ + 1 == kChainMax) return false;
    chain_[++hops_] = target;
    return true;
  }

  // RFC 6672 2.2, 3.1: the DNAME, and a CNAME made of it for those who do not know DNAME.
  bool FollowDname() {
    const RRsetView& dname = found_.rrset;
    // One that is met again is there already.
    const bool is_new = std::find(dnames_, dnames_ + dname_count_, found_.node) == dnames_ + dname_count_;
    if (is_new && !Write(Section::kAnswer, dname.owner, *found_.node, dname, dname.ttl)) return false;
    if (is_new) dnames_[dname_count_++] = found_.node;
    const NameView target = *dname.begin();
    const NameView kept = name().substr(0, name().size() - dname.owner.size());
    if (kept.size() + target.size() > wire::kNameBytesMax) {
      status_.rcode = Rcode::kYXDomain;
      return false;
    }
    wire::NameBuffer& made = rewritten_[hops_];
    std::memcpy(made.bytes, kept.data(), kept.size());
    std::memcpy(made.bytes + kept.size(), target.data(), target.size());
    made.size = static_cast<uint8_t>(kept.size() + target.size());
    complete_ = writer_.message().AddRecord(Section::kAnswer, name(), RRType::kCNAME, dns::RRClass::kIN,
                                            dname.ttl, made.view());
    if (!complete_ || qtype_ == RRType::kCNAME || qtype_ == RRType::kANY) return false;
    return GoOnAt(made.view());
  }

  // What proves that this step of the chain had no better one; written when the answer section is complete.
  void CollectProof() {
    if (!writer_.dnssec_ok()) return;
    const zone::DenialProof proof = zone::ProveDenial(*zone_, name(), found_);
    for (size_t i = 0; i < proof.count; ++i) {
      const zone::Node* node = proof.nodes[i];
      const auto same = [node](const ProofRecord& other) { return other.node == node; };
      if (std::any_of(proof_, proof_ + proof_count_, same)) continue;
      proof_[proof_count_++] = {node, proof.type, zone_->negative_ttl()};
    }
  }

  void WriteAuthority() {
    switch (found_.kind) {
      case LookupKind::kDelegation:
        // The child's, which the parent does not sign (RFC 4035 2.2).
        complete_ =
            writer_.AddUnsigned(Section::kAuthority, found_.rrset.owner, found_.rrset, found_.rrset.ttl);
        if (writer_.dnssec_ok() && !found_.ds.empty())
          Write(Section::kAuthority, found_.ds.owner, *found_.node, found_.ds, found_.ds.ttl);
        break;
      case LookupKind::kNoData:
      case LookupKind::kNxDomain: {
        const RRsetView soa = zone_->soa_rrset();
        Write(Section::kAuthority, soa.owner, zone_->apex_node(), soa, zone_->negative_ttl());
        break;
      }
      default:
        break;
    }
    for (size_t i = 0; i < proof_count_; ++i) {
      const auto& [node, type, negative_ttl] = proof_[i];
      visits_.Note(node->owner());
      const RRsetView rrset = node->Find(type);
      // As the SOA beside it (RFC 9077 3).
      Write(Section::kAuthority, node->owner(), *node, rrset, std::min(rrset.ttl, negative_ttl));
    }
  }

  void WriteAdditional() {
    if (found_.kind == LookupKind::kDelegation) {
      if (!AddGlue(*zone_, found_.rrset, writer_, visits_)) status_.tc = true;  // RFC 9471 3.1
      return;
    }
    if (found_.kind != LookupKind::kAnswer || qtype_ == RRType::kANY) return;
    const zone::MinimalResponses minimal = zones_.SettingsOf(*zone_).minimal;
    if (minimal == zone::MinimalResponses::kYes) return;
    const RRsetView servers = minimal == zone::MinimalResponses::kNo ? AddServers() : RRsetView();
    AddAddressesOf(zones_, name(), found_.rrset, servers, writer_, visits_);
  }

  // The zone's own NS beside an answer, as servers of old did; empty: they are the answer, or there is no
  // room.
  RRsetView AddServers() {
    const RRsetView ns = zone_->apex_node().Find(RRType::kNS);
    const bool is_answer = found_.node == &zone_->apex_node() && qtype_ == RRType::kNS;
    if (is_answer || !writer_.Add(Section::kAuthority, ns.owner, zone_->apex_node(), ns, ns.ttl)) return {};
    return ns;
  }

  // Nothing but the question is left: a part of an answer could be taken for the whole (RFC 2181 9).
  AnswerStatus Truncated() {
    writer_.message().Rollback(start_);
    status_.tc = true;
    return status_;
  }

  struct ProofRecord {
    const zone::Node* node;
    RRType type;
    uint32_t negative_ttl;
  };

  const zone::ZoneSet& zones_;
  const RRType qtype_;
  const Transport transport_;
  SignedWriter writer_;
  Visits& visits_;
  const wire::MessageWriter::Mark start_;
  AnswerStatus status_;
  bool complete_ = true;  // everything so far did fit
  // The last step: its zone and what that said.
  const zone::Zone* zone_ = nullptr;
  LookupResult found_;
  size_t hops_ = 0;
  NameView chain_[kChainMax];              // QNAME, then each alias's target
  wire::NameBuffer rewritten_[kChainMax];  // those that a DNAME made
  const zone::Node* dnames_[kChainMax];    // in the answer
  size_t dname_count_ = 0;
  ProofRecord proof_[kChainMax * zone::DenialProof::kRecordsMax];
  size_t proof_count_ = 0;
};

}  // namespace

AnswerStatus AnswerQuestion(const zone::ZoneSet& zones, const Question& question, wire::MessageWriter& writer,
                            Visits& visits) {
  return Answerer(zones, question, writer, visits).Run();
}

}  // namespace quorate::serve
