// Produced catalog zones (RFC 9432) follow what is set for their members, in the command that sets it.
#include "base/overloaded.h"
#include "rsm/work.h"
#include "zone/catalog.h"

namespace quorate::rsm {
namespace {

std::optional<dns::Name> CatalogOf(const zone::ZoneSet& zones, const dns::Name& apex) {
  const zone::ZonePtr zone = zones.Get(apex.wire());
  return zone ? zones.SettingsOf(*zone).catalog : std::nullopt;
}

bool IsProduced(const zone::ZoneSet& zones, const dns::Name& apex) {
  const zone::ZonePtr zone = zones.Get(apex.wire());
  return zone && zones.SettingsOf(*zone).catalog_role == zone::CatalogRole::kProduced;
}

}  // namespace

void ReplicatedState::FollowCatalogs(const Command& command, Work& work) {
  if (!work.zones) return;
  const dns::Name* apex = std::visit(
      Overloaded{[](const ZoneSettings& c) { return &c.apex; }, [](const ZoneDelete& c) { return &c.apex; },
                 [](const SecondaryCreate& c) { return &c.apex; },
                 [](const auto&) { return static_cast<const dns::Name*>(nullptr); }},
      command.body);
  if (apex == nullptr) return;
  const auto left = CatalogOf(*zones_, *apex), joined = CatalogOf(*work.zones, *apex);
  if (left != joined) {
    if (left)
      EditCatalog(*left, work, [&](const zone::Zone& c) { return zone::ListMember(c, *apex, false); });
    if (joined)
      EditCatalog(*joined, work, [&](const zone::Zone& c) { return zone::ListMember(c, *apex, true); });
  }
  if (IsProduced(*zones_, *apex) || !IsProduced(*work.zones, *apex)) return;
  std::vector<dns::Name> members;
  for (const zone::ZonePtr& zone : work.zones->All()) {
    if (work.zones->SettingsOf(*zone).catalog == *apex) members.push_back(zone->apex());
  }
  EditCatalog(*apex, work, [&](const zone::Zone& c) { return zone::ListMembers(c, members); });
}

void ReplicatedState::EditCatalog(const dns::Name& catalog, Work& work,
                                  const std::function<zone::ZoneEdit(const zone::Zone&)>& edit) {
  if (!IsProduced(*work.zones, catalog)) return;
  const zone::ZonePtr before = work.zones->Get(catalog.wire());
  auto outcome = zone::ApplyEdit(before, edit(*before), SerialRuleOf(*before, work));
  auto* edited = std::get_if<zone::EditResult>(&outcome);
  if (edited == nullptr || edited->changeset.empty()) return;
  const CommandResult result = work.result;  // tells of the zone that was asked for
  PutChanges(edited->changeset, work);
  work.result = result;
  work.zones = std::make_shared<const zone::ZoneSet>(work.zones->With(edited->zone));
}

}  // namespace quorate::rsm
