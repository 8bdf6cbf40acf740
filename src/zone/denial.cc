#include "zone/denial.h"

#include <algorithm>

#include "base/check.h"

namespace quorate::zone {
namespace {

using dns::NameView;
using dns::RRType;

// `*.` before a name in lower case.
class WildcardOf {
 public:
  explicit WildcardOf(NameView folded) : size_(folded.size() + 2) {
    // A longer name cannot have a wildcard, nor could a question have reached it.
    fits_ = size_ <= bytes_.size();
    if (fits_) folded.copy(bytes_.data() + 2, folded.size());
  }
  bool fits() const { return fits_; }
  NameView view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, 255> bytes_{'\1', '*'};
  size_t size_;
  bool fits_;
};

class Prover {
 public:
  Prover(const Zone& zone, NameView qname) : zone_(zone), index_(*zone.denial()), q_(qname) {
    proof_.type = index_.is_hashed() ? RRType::kNSEC3 : RRType::kNSEC;
  }

  DenialProof Prove(const LookupResult& found) {
    const size_t closest = dns::LabelCountOf(found.closest_encloser->owner());
    switch (found.kind) {
      case LookupKind::kAnswer:
      case LookupKind::kCname:
        if (found.synthesized) NoCloserMatch(closest);
        break;
      case LookupKind::kNoData:
        if (found.synthesized) {
          NoDataOfWildcard(closest);
        } else {
          NoDataAt(q_.label_count());
        }
        break;
      case LookupKind::kNxDomain:
        NameError(closest);
        break;
      case LookupKind::kDelegation:
        if (found.ds.empty()) NoDataAt(closest);
        break;
      case LookupKind::kDname:
      case LookupKind::kOutOfZone:
        break;
    }
    return proof_;
  }

 private:
  // Below, `labels` names the last so many labels of QNAME.
  NameView Name(size_t labels) const { return q_.Suffix(labels); }

  void Add(const Node* node) {
    if (node == nullptr || node->Find(proof_.type).empty()) return;
    if (std::find(proof_.nodes, proof_.nodes + proof_.count, node) != proof_.nodes + proof_.count) return;
    CHECK_LT(proof_.count, DenialProof::kRecordsMax);
    proof_.nodes[proof_.count++] = node;
  }

  // NSEC: the record at the name, or the one that covers it (of an empty non-terminal, RFC 4035 3.1.3.2).
  void AddNsec(NameView name) {
    const DenialIndex::Place place = index_.AtOrBefore(FoldedName(name));
    if (!place.owner.empty()) Add(zone_.Find(place.owner));
  }

  const Node* HashNode(const Nsec3Hash& hash) const {
    const Nsec3Label label = ToLabel(hash);
    const NameView apex = q_.Suffix(zone_.apex_labels());
    std::array<char, 255> name;
    if (label.size() + apex.size() > name.size()) return nullptr;
    std::copy(label.begin(), label.end(), name.begin());
    apex.copy(name.data() + label.size(), apex.size());
    return zone_.FindHashed(ChildHash(zone_.apex_hash(), {label.data() + 1, kNsec3LabelBytes}),
                            {name.data(), label.size() + apex.size()});
  }
  bool AddMatchingNsec3(NameView folded) {
    const auto place = index_.AtOrBefore(HashName(folded, index_.params()));
    if (place.matches) Add(HashNode(place.hash));
    return place.matches;
  }
  void AddCoveringNsec3(NameView folded) {
    const auto place = index_.AtOrBefore(HashName(folded, index_.params()));
    if (!place.matches) Add(HashNode(place.hash));
  }

  // RFC 5155 7.2.1: the closest encloser that has a record (with opt-out an ancestor of the real one), and
  // that the next name towards QNAME has none. Gives that encloser; the real one if none has a record.
  size_t ClosestProvableEncloser(size_t closest) {
    for (size_t labels = closest + 1; labels-- > zone_.apex_labels();) {
      if (!AddMatchingNsec3(Name(labels))) continue;
      NextCloser(labels);
      return labels;
    }
    return closest;
  }
  void NextCloser(size_t closest) {
    if (closest < q_.label_count()) AddCoveringNsec3(Name(closest + 1));
  }

  // RFC 4035 3.1.3.3, 5155 7.2.6.
  void NoCloserMatch(size_t closest) {
    if (index_.is_hashed()) return NextCloser(closest);
    AddNsec(q_.view());
  }

  // RFC 4035 3.1.3.1, 5155 7.2.3; of DS at a delegation 4035 3.1.4.1, 5155 7.2.4 and 7.2.7. A delegation that
  // was opted out has no record, nor has an empty non-terminal above nothing else (erratum 3441).
  void NoDataAt(size_t labels) {
    if (!index_.is_hashed()) return AddNsec(Name(labels));
    if (!AddMatchingNsec3(Name(labels)) && labels > zone_.apex_labels()) ClosestProvableEncloser(labels - 1);
  }

  // RFC 4035 3.1.3.4, 5155 7.2.5.
  void NoDataOfWildcard(size_t closest) {
    const WildcardOf wildcard(Name(closest));
    if (index_.is_hashed()) {
      ClosestProvableEncloser(closest);
      // Without a record the wildcard is an empty non-terminal that was opted out.
      if (wildcard.fits() && !AddMatchingNsec3(wildcard.view())) AddCoveringNsec3(wildcard.view());
      return;
    }
    AddNsec(q_.view());
    if (wildcard.fits()) AddNsec(wildcard.view());
  }

  // RFC 4035 3.1.3.2, 5155 7.2.2: the wildcard is that of the encloser which the proof shows (8.4).
  void NameError(size_t closest) {
    if (index_.is_hashed()) {
      const WildcardOf wildcard(Name(ClosestProvableEncloser(closest)));
      if (wildcard.fits()) AddCoveringNsec3(wildcard.view());
      return;
    }
    const WildcardOf wildcard(Name(closest));
    AddNsec(q_.view());
    if (wildcard.fits()) AddNsec(wildcard.view());
  }

  const Zone& zone_;
  const DenialIndex& index_;
  const FoldedName q_;
  DenialProof proof_;
};

}  // namespace

DenialProof ProveDenial(const Zone& zone, NameView qname, const LookupResult& found) {
  if (zone.denial() == nullptr || found.closest_encloser == nullptr) return {};
  return Prover(zone, qname).Prove(found);
}

}  // namespace quorate::zone
