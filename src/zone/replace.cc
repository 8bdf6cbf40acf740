#include <algorithm>

#include "base/check.h"
#include "zone/changes.h"
#include "zone/edit.h"
#include "zone/rules.h"
#include "zone/zone_writer.h"

namespace quorate::zone {
namespace {

using dns::RRType;

void AppendNodeChanges(const Node* before, const Node* after, std::vector<RRsetChange>& out) {
  if (before == after || (before != nullptr && after != nullptr && before->SameData(*after))) return;
  const auto sets = [](const Node* node) { return node ? node->Materialize() : std::vector<dns::RRset>(); };
  AppendChanges(sets(before), sets(after), out);
}

void SortCanonically(std::vector<RRsetChange>& changes) {
  struct Keyed {
    std::string key;
    size_t at;
  };
  std::vector<Keyed> order;
  order.reserve(changes.size());
  for (size_t i = 0; i < changes.size(); ++i) order.push_back({changes[i].owner.CanonicalKey(), i});
  std::sort(order.begin(), order.end(), [&](const Keyed& a, const Keyed& b) {
    const int c = a.key.compare(b.key);
    return c != 0 ? c < 0 : changes[a.at].type < changes[b.at].type;
  });
  std::vector<RRsetChange> sorted;
  sorted.reserve(changes.size());
  for (const Keyed& keyed : order) sorted.push_back(std::move(changes[keyed.at]));
  changes = std::move(sorted);
}

ZonePtr WithSerial(const Zone& zone, dns::Serial serial) {
  std::vector<dns::RRset> apex = zone.apex_node().Materialize();
  SetSerial(apex, serial);
  ZoneWriter writer(zone);
  writer.SetRRsets(zone.apex().wire(), apex);
  return writer.Finish();
}

}  // namespace

Changeset Diff(const Zone* old, const Zone* next) {
  CHECK(old != nullptr || next != nullptr);
  CHECK(old == nullptr || next == nullptr || old->apex() == next->apex());
  Changeset out{.apex = next != nullptr ? next->apex() : old->apex()};
  if (old != nullptr) out.from = old->serial();
  if (next != nullptr) out.to = next->serial();
  if (next != nullptr) {
    next->ForEachNode([&](const Node& node) {
      AppendNodeChanges(old != nullptr ? old->Find(node.owner()) : nullptr, &node, out.changes);
    });
  }
  if (old != nullptr) {
    old->ForEachNode([&](const Node& node) {
      if (next == nullptr || next->Find(node.owner()) == nullptr)
        AppendNodeChanges(&node, nullptr, out.changes);
    });
  }
  SortCanonically(out.changes);
  return out;
}

EditOutcome ReplaceZone(const ZonePtr& old, const ZonePtr& next, const SerialRule& serial) {
  if (old == nullptr || dns::IsNewer(next->serial(), old->serial())) {
    return EditResult{next, Diff(old.get(), next.get())};
  }
  Changeset same{.apex = old->apex(), .from = old->serial(), .to = old->serial()};
  if (Diff(old.get(), WithSerial(*next, old->serial()).get()).empty())
    return EditResult{old, std::move(same)};
  if (next->is_signed()) {
    return Refuse(RefusalCode::kSerialNotNewer, next->apex(), RRType::kSOA,
                  "the signed zone has serial " + std::to_string(next->serial().value) + ", not newer than " +
                      std::to_string(old->serial().value) + ": raise it and sign again");
  }
  const ZonePtr raised = WithSerial(*next, NextSerial(old->serial(), serial));
  return EditResult{raised, Diff(old.get(), raised.get())};
}

}  // namespace quorate::zone
