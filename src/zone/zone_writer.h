// Makes the next version of a zone: only for this folder's builder and edits, which know the rules of
// content.
#pragma once

#include <span>
#include <vector>

#include "zone/zone.h"

namespace quorate::zone {

// One thread. Keeps the shape of the tree: empty non-terminals come and go, children are counted.
class ZoneWriter {
 public:
  explicit ZoneWriter(const Zone& base) : zone_(base) {}
  explicit ZoneWriter(dns::Name apex) : zone_(std::move(apex)) {}

  // All RRsets of the name from now on: canonical, in ascending order of type; none: the name goes. A name
  // that had records keeps its case. `owner` is at or below the apex.
  void SetRRsets(dns::NameView owner, std::span<const dns::RRset> rrsets);
  // The apex has a SOA. Nothing may be done with the writer afterwards.
  ZonePtr Finish();

 private:
  // A name between the apex and `owner`, with its place in the map.
  struct Step {
    uint64_t hash;
    dns::NameView folded;
    const Node* node;
  };
  std::vector<Step> PathTo(const FoldedName& owner) const;
  void AddTo(std::vector<Step>& path, dns::NameView owner, std::span<const dns::RRset> rrsets);
  void RemoveFrom(std::vector<Step>& path);

  Zone zone_;
  bool same_denial_ = true;  // the index of the version before would do
};

}  // namespace quorate::zone
