#include "zone/keyring.h"

#include <algorithm>

namespace quorate::zone {
namespace {

std::string_view TakeWord(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

bool UpdateGrant::Covers(const dns::Name& owner, dns::RRType type) const {
  if (kind == Kind::kName ? !(owner == name) : !owner.IsAtOrBelow(name)) return false;
  return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

Result<UpdateGrant, std::string> GrantFromText(std::string_view text) {
  const std::string shown = "`" + std::string(text) + "`: ";
  UpdateGrant grant;
  const std::string_view kind = TakeWord(text);
  if (kind != "name" && kind != "subtree")
    return shown + "a grant is `name NAME [TYPE...]` or `subtree NAME [TYPE...]`";
  grant.kind = kind == "name" ? UpdateGrant::Kind::kName : UpdateGrant::Kind::kSubtree;
  const std::string_view word = TakeWord(text);
  const auto name = dns::Name::FromText(word);
  if (word.empty() || !name.ok()) return shown + "the name is missing or is none";
  grant.name = name->Folded();
  for (std::string_view type = TakeWord(text); !type.empty(); type = TakeWord(text)) {
    const auto known = dns::TypeFromText(type);
    if (!known || dns::IsMetaType(*known)) return shown + "no record type `" + std::string(type) + "`";
    grant.types.push_back(*known);
  }
  return grant;
}

std::string ToText(const UpdateGrant& grant) {
  std::string text = grant.kind == UpdateGrant::Kind::kName ? "name " : "subtree ";
  text += grant.name.ToText();
  for (const dns::RRType type : grant.types) text += " " + dns::TypeToText(type);
  return text;
}

bool TsigKey::MayUpdate(const dns::Name& owner, dns::RRType type) const {
  return grants.empty() || std::any_of(grants.begin(), grants.end(),
                                       [&](const UpdateGrant& grant) { return grant.Covers(owner, type); });
}

const TsigKey* Keyring::Find(const dns::Name& name) const {
  const auto it = keys.find(name);
  return it != keys.end() ? &it->second : nullptr;
}

}  // namespace quorate::zone
