// What the commands of version 3 do: UPDATE, secondary zones, imports in pieces.
#include <fmt/format.h>

#include "base/check.h"
#include "rsm/keyring.h"
#include "rsm/staging.h"
#include "rsm/work.h"
#include "rsm/zones.h"
#include "zone/builder.h"
#include "zone/exact.h"
#include "zone/store_keys.h"

namespace quorate::rsm {
namespace {

using dns::Rcode;

// Whether the requestor may update the zone at all; and, if he may, what. The door asked before; in between
// rules and keys may have changed.
struct Permission {
  bool granted = false;
  const zone::TsigKey* key = nullptr;  // nullptr: unsigned
};
Permission MayUpdate(const ZoneUpdate& command, const zone::Settings& settings, const zone::Keyring& keys) {
  Permission permission;
  zone::Peer peer{.address = command.client, .key = {}};
  if (command.key) {
    permission.key = keys.Find(*command.key);
    if (permission.key == nullptr) return {};
    peer.key = command.key->wire();
  }
  permission.granted = settings.update.Allows(peer);
  return permission;
}

std::vector<dns::RRset> Placeholder(const dns::Name& apex) {
  const dns::Soa soa{.mname = {}, .rname = {}, .serial = {}, .refresh = 3600, .retry = 600, .expire = 0};
  return {{apex, dns::RRType::kSOA, 0, {dns::EncodeSoa(soa)}},
          {apex, dns::RRType::kNS, 0, {std::string(1, '\0')}}};
}

}  // namespace

zone::ZonePtr ReplicatedState::PrimaryZone(const dns::Name& apex, Work& work) const {
  const zone::ZonePtr zone = zones_->Get(apex.wire());
  if (!zone) {
    work.Refuse(Refused::kNoSuchZone, NoSuchZone(apex));
  } else if (zones_->SettingsOf(*zone).is_secondary()) {
    work.Refuse(Refused::kSecondaryZone,
                fmt::format("{} is a secondary zone: change it at its primary, or make this one the primary: "
                            "`quorate zone promote {}`",
                            apex.ToText(), apex.ToText()));
  } else if (zones_->SettingsOf(*zone).catalog_role == zone::CatalogRole::kProduced) {
    work.Refuse(Refused::kInvalidZone, fmt::format("{} is a catalog: set `catalog={}` for a zone to list it",
                                                   apex.ToText(), apex.ToText()));
  }
  return work.result.refused == Refused::kNot ? zone : nullptr;
}

zone::ZonePtr ReplicatedState::SecondaryZone(const dns::Name& apex, Work& work) const {
  const zone::ZonePtr zone = zones_->Get(apex.wire());
  if (!zone) {
    work.Refuse(Refused::kNoSuchZone, NoSuchZone(apex));
  } else if (!zones_->SettingsOf(*zone).is_secondary()) {
    work.Refuse(Refused::kConflict, fmt::format("{} is not a secondary zone (any more)", apex.ToText()));
  }
  return work.result.refused == Refused::kNot ? zone : nullptr;
}

zone::SerialRule ReplicatedState::SerialRuleOf(const zone::Zone& zone, const Work& work) const {
  return {.policy = zones_->SettingsOf(zone).serial, .now = work.stamp.wall_time};
}

void ReplicatedState::Do(const ZoneUpdate& command, Work& work) {
  const auto refuse = [&](Rcode rcode, std::string reason) {
    work.result.rcode = rcode;
    work.Refuse(Refused::kUpdate, std::move(reason));
  };
  const zone::ZonePtr before = zones_->Get(command.apex.wire());
  if (!before) return refuse(Rcode::kNotAuth, NoSuchZone(command.apex));
  const zone::Settings& settings = zones_->SettingsOf(*before);
  const Permission permission = MayUpdate(command, settings, zones_->keyring());
  if (!permission.granted) return refuse(Rcode::kRefused, "the zone's `update` does not allow it");
  if (settings.is_secondary()) return refuse(Rcode::kRefused, "a secondary zone is changed at its primary");
  if (settings.catalog_role == zone::CatalogRole::kProduced)
    return refuse(Rcode::kRefused, "a catalog is made of its members");
  const auto may = [&](const zone::UpdateRecord& record) {
    return permission.key == nullptr || permission.key->MayUpdate(record.owner, record.type);
  };
  auto outcome = zone::ApplyUpdate(before, command.update, SerialRuleOf(*before, work), may);
  if (auto* refusal = std::get_if<zone::UpdateRefusal>(&outcome))
    return refuse(refusal->rcode, std::move(refusal->reason));
  Adopt(std::get<zone::EditResult>(std::move(outcome)), work);
}

void ReplicatedState::Do(const SecondaryCreate& command, Work& work) {
  if (zones_->Get(command.apex.wire()))
    return work.Refuse(Refused::kZoneExists, fmt::format("zone {} exists already", command.apex.ToText()));
  auto settings = zone::WithChanges({}, command.settings);
  if (!settings.ok()) return work.Refuse(Refused::kInvalidZone, settings.error());
  if (!settings->is_secondary())
    return work.Refuse(Refused::kInvalidZone, "a secondary zone needs primaries");
  zone::ZoneBuilder builder(command.apex);
  for (const dns::RRset& rrset : Placeholder(command.apex)) builder.Add(rrset);
  auto built = std::move(builder).Build();
  CHECK(std::holds_alternative<zone::ZonePtr>(built));
  Adopt(zone::ReplaceExactly(nullptr, std::get<zone::ZonePtr>(built)), work);
  SetSettings(command.apex, *settings, work);
}

void ReplicatedState::Do(const ZoneTransferIn& command, Work& work) {
  const zone::ZonePtr before = SecondaryZone(command.apex, work);
  if (!before) return;
  if (command.from) {
    if (zones_->SettingsOf(*before).state == zone::SecondaryState::kNotLoaded ||
        *command.from != before->serial())
      return work.Refuse(Refused::kConflict, "the zone has another serial than the transfer begins at");
    return AdoptTransferred(zone::EditExactly(before, {command.edits}), command.apex, work);
  }
  zone::ZoneBuilder builder(command.apex);
  for (const dns::RRset& rrset : command.rrsets) builder.Add(rrset);
  BuildAndReplace(std::move(builder), command.apex, true, work);
}

void ReplicatedState::Do(const ZoneChecked& command, Work& work) {
  const zone::ZonePtr zone = SecondaryZone(command.apex, work);
  if (!zone || (!command.wanted && command.serial != zone->serial())) return;
  zone::Settings settings = zones_->SettingsOf(*zone);
  if (command.wanted) {
    settings.asked_at = work.stamp.group_time;
    return SetSettings(command.apex, settings, work);
  }
  if (settings.state == zone::SecondaryState::kNotLoaded) return;
  settings.state = command.expired ? zone::SecondaryState::kExpired : zone::SecondaryState::kLoaded;
  if (!command.expired) settings.checked_at = work.stamp.group_time;
  SetSettings(command.apex, settings, work);
}

void ReplicatedState::Do(const ZoneStage& command, Work& work) {
  staging::Expire(map_, work.stamp.group_time, command.id, work.batch);
  if (auto refusal = staging::Keep(map_, command, work.stamp.group_time, work.batch))
    return work.Refuse(refusal->why, std::move(refusal->reason));
  work.result.changed = true;
}

void ReplicatedState::Do(const ZoneReplaceStaged& command, Work& work) {
  if (command.transferred ? !SecondaryZone(command.apex, work)
                          : zones_->Get(command.apex.wire()) && !PrimaryZone(command.apex, work))
    return;
  zone::ZoneBuilder builder(command.apex);
  kv::MapBatch gone;
  auto refusal = staging::Take(
      map_, command.id, command.pieces, [&](const dns::RRset& rrset) { builder.Add(rrset); }, gone);
  if (refusal) return work.Refuse(refusal->why, std::move(refusal->reason));
  work.batch.insert(work.batch.end(), gone.begin(), gone.end());
  BuildAndReplace(std::move(builder), command.apex, command.transferred, work);
}

void ReplicatedState::BuildAndReplace(zone::ZoneBuilder builder, const dns::Name& apex, bool transferred,
                                      Work& work) {
  auto built = std::move(builder).Build();
  if (auto* refusal = std::get_if<zone::Refusal>(&built))
    return work.Refuse(Refused::kInvalidZone, std::move(refusal->reason));
  const zone::ZonePtr before = zones_->Get(apex.wire()), next = std::get<zone::ZonePtr>(std::move(built));
  if (transferred) return AdoptTransferred(zone::ReplaceExactly(before, next), apex, work);
  Adopt(zone::ReplaceZone(before, next, before ? SerialRuleOf(*before, work) : zone::SerialRule()), work);
}

void ReplicatedState::AdoptTransferred(zone::EditOutcome outcome, const dns::Name& apex, Work& work) {
  Adopt(std::move(outcome), work);
  if (work.result.refused != Refused::kNot) return;
  const zone::ZoneSet& now = work.zones ? *work.zones : *zones_;
  zone::Settings settings = now.SettingsOf(*now.Get(apex.wire()));
  settings.state = zone::SecondaryState::kLoaded;
  settings.checked_at = work.stamp.group_time;
  SetSettings(apex, settings, work);
}

void ReplicatedState::SetSettings(const dns::Name& apex, const zone::Settings& settings, Work& work) {
  PutSettings(apex, settings, work.txn);
  const zone::ZoneSet& now = work.zones ? *work.zones : *zones_;
  work.zones = std::make_shared<const zone::ZoneSet>(now.WithSettings(apex.wire(), settings));
}

}  // namespace quorate::rsm
