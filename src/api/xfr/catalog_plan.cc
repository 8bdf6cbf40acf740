#include "api/xfr/catalog_plan.h"

#include <fmt/format.h>

#include <map>

#include "base/limits.h"
#include "dns/presentation.h"
#include "zone/catalog.h"

namespace quorate::api::xfr {
namespace {

rsm::Command Wrap(decltype(rsm::Command::body) body) {
  rsm::Command command;
  command.origin = "catalog";
  command.body = std::move(body);
  return command;
}

std::string Belongs(const dns::Name& catalog, const zone::CatalogMember& member) {
  std::string hex;  // a label may have any octets; settings are text
  for (const char c : member.label) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  if (hex.size() > 63) hex = hex.substr(0, 46) + fmt::format("-{:016x}", zone::NameHash(member.name.wire()));
  return fmt::format("from-catalog={}\nmember-label={}", catalog.ToText(), hex);
}

class Planner {
 public:
  Planner(const zone::ZoneSet& zones, const dns::Name& catalog) : zones_(zones), catalog_(catalog) {}

  std::vector<rsm::Command> Plan() {
    const zone::ZonePtr zone = zones_.Get(catalog_.wire());
    if (!zone) return {};
    const zone::Settings& settings = zones_.SettingsOf(*zone);
    if (settings.catalog_role != zone::CatalogRole::kConsumed || !settings.is_servable()) return {};
    const auto members = zone::CatalogMembers(*zone);
    if (!members.ok() || members->size() > limits::kCatalogMembersMax) return {};
    primaries_ = "primaries=" + zone::ToText(settings.primaries);
    for (const zone::CatalogMember& member : *members) {
      wanted_.emplace(member.name, &member);
      Want(member);
    }
    for (const zone::ZonePtr& there : zones_.All()) {
      const bool ours = zones_.SettingsOf(*there).from_catalog == catalog_;
      if (ours && wanted_.count(there->apex()) == 0) changes_.push_back(Wrap(rsm::ZoneDelete{there->apex()}));
    }
    return std::move(changes_);
  }

 private:
  void Create(const zone::CatalogMember& member) {
    changes_.push_back(
        Wrap(rsm::SecondaryCreate{member.name, primaries_ + "\n" + Belongs(catalog_, member)}));
  }

  void Want(const zone::CatalogMember& member) {
    const zone::ZonePtr there = zones_.Get(member.name.wire());
    if (!there) return Create(member);
    const zone::Settings& settings = zones_.SettingsOf(*there);
    if (!settings.from_catalog) return;
    const std::string belongs = Belongs(catalog_, member);
    if (!(*settings.from_catalog == catalog_)) {
      if (IsGivenUp(member.name, *settings.from_catalog))
        changes_.push_back(Wrap(rsm::ZoneSettings{member.name, primaries_ + "\n" + belongs}));
      return;
    }
    const bool same_label = belongs.ends_with("member-label=" + settings.member_label);
    if (!same_label) {
      changes_.push_back(Wrap(rsm::ZoneDelete{member.name}));
      return Create(member);
    }
    if (primaries_ != "primaries=" + zone::ToText(settings.primaries))
      changes_.push_back(Wrap(rsm::ZoneSettings{member.name, primaries_}));
  }

  // The catalog that has it says that this one may take it.
  bool IsGivenUp(const dns::Name& member, const dns::Name& holder) const {
    const zone::ZonePtr zone = zones_.Get(holder.wire());
    const auto members = zone ? zone::CatalogMembers(*zone) : std::string("gone");
    if (!members.ok()) return false;
    for (const zone::CatalogMember& m : *members) {
      if (m.name == member) return m.coo == catalog_;
    }
    return false;
  }

  const zone::ZoneSet& zones_;
  const dns::Name catalog_;
  std::string primaries_;
  std::map<dns::Name, const zone::CatalogMember*> wanted_;
  std::vector<rsm::Command> changes_;
};

}  // namespace

std::vector<rsm::Command> CatalogChanges(const zone::ZoneSet& zones, const dns::Name& catalog) {
  return Planner(zones, catalog).Plan();
}

}  // namespace quorate::api::xfr
