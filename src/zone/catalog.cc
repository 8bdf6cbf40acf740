#include "zone/catalog.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "zone/name_hash.h"

namespace quorate::zone {
namespace {

using dns::RRType;
using Kind = RRsetEdit::Kind;

constexpr uint32_t kTtl = 0;  // nobody asks for it but who transfers it
constexpr std::string_view kVersion2(
    "\x01"
    "2",
    2);

std::string Label(std::string_view text) { return static_cast<char>(text.size()) + std::string(text); }

std::optional<dns::Name> Below(const dns::Name& apex, std::initializer_list<std::string_view> labels) {
  std::string leading;
  for (const std::string_view label : labels) leading += Label(label);
  return dns::Name::Concatenate(leading, apex);
}

RRsetView Find(const Zone& zone, const std::optional<dns::Name>& name, RRType type) {
  const Node* node = name ? zone.Find(name->wire()) : nullptr;
  return node != nullptr ? node->Find(type) : RRsetView();
}

// Label `tries` of a member: the first, unless two names have one hash.
std::string LabelOf(const dns::Name& member, int tries) {
  const std::string label = fmt::format("{:016x}", NameHash(member.Folded().wire()));
  return tries == 0 ? label : fmt::format("{}-{}", label, tries + 1);
}

bool IsMember(const RRsetView& ptr, const dns::Name& member) {
  return ptr.size() == 1 && dns::SameName(*ptr.begin(), member.wire());
}

}  // namespace

Result<std::vector<CatalogMember>, std::string> CatalogMembers(const Zone& catalog) {
  const dns::Name& apex = catalog.apex();
  const RRsetView version = Find(catalog, Below(apex, {"version"}), RRType::kTXT);
  if (version.size() != 1 || *version.begin() != kVersion2)
    return std::string("its `version` is not exactly \"2\"");
  const auto zones = Below(apex, {"zones"});
  std::vector<CatalogMember> members;
  std::map<std::string, size_t> by_label;
  std::map<std::string, dns::Name> coo;
  std::set<dns::Name> seen;
  if (!zones) return members;
  const size_t depth = zones->LabelCount();
  for (const Node* node : catalog.InCanonicalOrder()) {
    const RRsetView ptr = node->Find(RRType::kPTR);
    const size_t labels = dns::LabelCountOf(node->owner());
    if (!ptr || !dns::IsAtOrBelow(node->owner(), zones->wire()) || labels <= depth || labels > depth + 2)
      continue;
    const dns::Name owner = dns::Name::FromView(node->owner()).Folded();
    const auto size = static_cast<uint8_t>(owner.wire()[0]);
    const std::string first(owner.wire().substr(1, size));
    if (labels == depth + 2) {
      const dns::NameView rest = dns::ParentOf(owner.wire());
      if (first == "coo" && ptr.size() == 1)
        coo.emplace(std::string(rest.substr(1, static_cast<uint8_t>(rest[0]))),
                    dns::Name::FromView(*ptr.begin()));
      continue;
    }
    if (ptr.size() != 1) return fmt::format("the member `{}` has several PTR records", first);
    const dns::Name name = dns::Name::FromView(*ptr.begin()).Folded();
    if (!seen.insert(name).second) return fmt::format("the zone {} is listed twice", name.ToText());
    by_label.emplace(first, members.size());
    members.push_back({name, first, std::nullopt});
  }
  for (const auto& [label, next] : coo) {
    if (const auto it = by_label.find(label); it != by_label.end()) members[it->second].coo = next.Folded();
  }
  return members;
}

std::vector<dns::RRset> EmptyCatalog(const dns::Name& apex) {
  const dns::Name invalid = *dns::Name::FromText("invalid.");
  const dns::Soa soa{.mname = invalid,
                     .rname = invalid,
                     .serial = {1},
                     .refresh = 3600,
                     .retry = 600,
                     .expire = 2147483646,
                     .minimum = 0};
  std::vector<dns::RRset> rrsets{{apex, RRType::kSOA, kTtl, {dns::EncodeSoa(soa)}},
                                 {apex, RRType::kNS, kTtl, {std::string(invalid.wire())}}};
  if (const auto version = Below(apex, {"version"}))
    rrsets.push_back({*version, RRType::kTXT, kTtl, {std::string(kVersion2)}});
  return rrsets;
}

ZoneEdit ListMember(const Zone& catalog, const dns::Name& member, bool listed) {
  for (int tries = 0;; ++tries) {
    const auto owner = Below(catalog.apex(), {LabelOf(member, tries), "zones"});
    if (!owner) return {};  // the catalog's own name is too long to list anything
    const RRsetView ptr = Find(catalog, owner, RRType::kPTR);
    if (IsMember(ptr, member)) {
      if (listed) return {};
      return {{{.owner = *owner, .type = RRType::kPTR, .kind = Kind::kDelete, .rdata = {}}}};
    }
    if (ptr) continue;  // another name with this hash
    if (!listed) return {};
    return {{{.owner = *owner,
              .type = RRType::kPTR,
              .kind = Kind::kReplace,
              .ttl = kTtl,
              .rdata = {std::string(member.Folded().wire())}}}};
  }
}

ZoneEdit ListMembers(const Zone& catalog, const std::vector<dns::Name>& members) {
  ZoneEdit edit;
  std::set<std::string> labels;  // as keys of owners that stay or come
  for (const dns::Name& member : members) {
    for (int tries = 0;; ++tries) {
      const auto owner = Below(catalog.apex(), {LabelOf(member, tries), "zones"});
      if (!owner) break;
      if (!labels.insert(owner->CanonicalKey()).second) continue;
      if (!IsMember(Find(catalog, owner, RRType::kPTR), member)) {
        edit.edits.push_back({.owner = *owner,
                              .type = RRType::kPTR,
                              .kind = Kind::kReplace,
                              .ttl = kTtl,
                              .rdata = {std::string(member.Folded().wire())}});
      }
      break;
    }
  }
  for (const Node* node : catalog.InCanonicalOrder()) {
    const dns::Name owner = dns::Name::FromView(node->owner());
    if (owner == catalog.apex() || labels.count(owner.CanonicalKey()) > 0) continue;
    if (!node->IsEmptyNonTerminal())
      edit.edits.push_back({.owner = owner, .type = RRType::kANY, .kind = Kind::kDelete, .rdata = {}});
  }
  if (const auto version = Below(catalog.apex(), {"version"})) {
    edit.edits.push_back({.owner = *version,
                          .type = RRType::kTXT,
                          .kind = Kind::kReplace,
                          .ttl = kTtl,
                          .rdata = {std::string(kVersion2)}});
  }
  return edit;
}

}  // namespace quorate::zone
