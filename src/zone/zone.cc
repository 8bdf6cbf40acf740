#include "zone/zone.h"

#include <algorithm>

namespace quorate::zone {

Zone::Zone(dns::Name apex)
    : apex_(std::move(apex)), apex_hash_(NameHash(apex_.wire())), apex_labels_(apex_.LabelCount()) {}

const Node* Zone::Find(dns::NameView name) const {
  const FoldedName folded(name);
  return nodes_.Find(NameHash(folded.view()), folded.view());
}

std::vector<const Node*> Zone::InCanonicalOrder() const {
  struct Keyed {
    std::string key;
    const Node* node;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(node_count());
  nodes_.ForEach([&](const Node& node) {
    keyed.push_back({dns::Name::FromView(node.owner()).CanonicalKey(), &node});
  });
  std::sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
  std::vector<const Node*> out;
  out.reserve(keyed.size());
  for (const Keyed& entry : keyed) out.push_back(entry.node);
  return out;
}

}  // namespace quorate::zone
