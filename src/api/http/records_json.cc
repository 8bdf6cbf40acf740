#include "api/http/records_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/http/message.h"
#include "dns/presentation.h"

namespace quorate::api {
namespace {

using nlohmann::json;

constexpr uint32_t kTtlMax = 0x7fffffff;  // RFC 2181 8

struct Head {
  dns::Name owner;
  dns::RRType type;
  std::string place;  // "www.example. A", for errors
};

const json* Member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<Head, JsonError> HeadOf(const json& rrset) {
  if (!rrset.is_object()) return JsonError{"each of \"rrsets\" must be an object"};
  const json *name = Member(rrset, "name"), *type = Member(rrset, "type");
  if (!name || !name->is_string()) return JsonError{"an RRset needs a \"name\", a string"};
  const std::string& text = name->get_ref<const std::string&>();
  if (!text.ends_with('.')) return JsonError{fmt::format("the name `{}` must end with a dot", text)};
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return JsonError{fmt::format(
        "the name `{}` has a blank or a byte that is not ASCII: write it as \\DDD or in punycode", text)};
  }
  const auto owner = dns::Name::FromText(text);
  if (!owner.ok()) return JsonError{fmt::format("the name `{}`: {}", text, owner.error())};
  if (!type || !type->is_string())
    return JsonError{fmt::format("{}: an RRset needs a \"type\", a string", text)};
  const auto rr_type = dns::TypeFromText(type->get_ref<const std::string&>());
  if (!rr_type)
    return JsonError{fmt::format("{}: unknown type `{}`", text, type->get_ref<const std::string&>())};
  return Head{*owner, *rr_type, fmt::format("{} {}", text, dns::TypeToText(*rr_type))};
}

Result<uint32_t, JsonError> TtlOf(const json& rrset, const Head& head) {
  const json* ttl = Member(rrset, "ttl");
  if (!ttl || !ttl->is_number_integer() || ttl->get<int64_t>() < 0 || ttl->get<int64_t>() > kTtlMax) {
    return JsonError{
        fmt::format("{}: \"ttl\" must be a number of seconds from 0 to {}", head.place, kTtlMax)};
  }
  return ttl->get<uint32_t>();
}

// There is no origin here that a relative name could mean: under another one it would be another name.
bool HasRelativeName(dns::RRType type, const std::string& text, const std::string& rdata) {
  const auto elsewhere = dns::RdataFromText(type, text, *dns::Name::FromText("origin."));
  return !elsewhere.ok() || *elsewhere != rdata;
}

Result<std::vector<std::string>, JsonError> RdataOf(const json& rrset, const Head& head) {
  std::vector<std::string> out;
  const json* records = Member(rrset, "records");
  if (!records) return out;
  if (!records->is_array()) return JsonError{head.place + ": \"records\" must be an array"};
  for (const json& record : *records) {
    const json* content = record.is_object() ? Member(record, "content") : nullptr;
    if (!content || !content->is_string()) {
      return JsonError{head.place + ": each of \"records\" needs a \"content\", a string"};
    }
    const json* disabled = Member(record, "disabled");
    if (disabled && *disabled != false) {
      return JsonError{head.place + ": disabled records are not supported; leave the record out instead"};
    }
    const std::string& text = content->get_ref<const std::string&>();
    if (text.find_first_not_of(" \t\r\n") == std::string::npos)
      return JsonError{head.place + ": empty record data"};
    auto rdata = dns::RdataFromText(head.type, text);
    if (!rdata.ok()) return JsonError{fmt::format("{} `{}`: {}", head.place, text, rdata.error().what)};
    if (HasRelativeName(head.type, text, *rdata)) {
      return JsonError{fmt::format(
          "{} `{}`: a name in it lacks its final dot: write it in full, as in `mail.example.org.`",
          head.place, text)};
    }
    out.push_back(*std::move(rdata));
  }
  return out;
}

Result<zone::RRsetEdit::Kind, JsonError> KindOf(const json& rrset, const Head& head) {
  using Kind = zone::RRsetEdit::Kind;
  const json* change = Member(rrset, "changetype");
  const std::string text = change && change->is_string() ? change->get<std::string>() : "";
  if (text == "REPLACE") return Kind::kReplace;
  if (text == "DELETE") return Kind::kDelete;
  if (text == "EXTEND") return Kind::kAddRecords;
  if (text == "PRUNE") return Kind::kRemoveRecords;
  return JsonError{head.place + ": \"changetype\" must be REPLACE, DELETE, EXTEND or PRUNE"};
}

Result<PatchEdit, JsonError> EditOf(const json& rrset) {
  using Kind = zone::RRsetEdit::Kind;
  const auto head = HeadOf(rrset);
  if (!head.ok()) return head.error();
  const auto kind = KindOf(rrset, *head);
  if (!kind.ok()) return kind.error();
  PatchEdit out{.edit = {.owner = head->owner, .type = head->type, .kind = *kind}};
  if (*kind == Kind::kDelete) return out;
  auto rdata = RdataOf(rrset, *head);
  if (!rdata.ok()) return rdata.error();
  out.edit.rdata = *std::move(rdata);
  const bool adds = *kind == Kind::kAddRecords, replaces = *kind == Kind::kReplace && !out.edit.rdata.empty();
  out.ttl_given = Member(rrset, "ttl") != nullptr;
  if (replaces || (adds && out.ttl_given)) {
    const auto ttl = TtlOf(rrset, *head);
    if (!ttl.ok()) return ttl.error();
    out.edit.ttl = *ttl;
  }
  return out;
}

bool IsPlain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
         c == '_';
}

}  // namespace

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json RRsetToJson(const dns::RRset& rrset) {
  json records = json::array();
  for (const std::string& rdata : rrset.rdata) {
    records.push_back({{"content", dns::RdataToText(rrset.type, rdata)}, {"disabled", false}});
  }
  return {{"name", rrset.owner.ToText()},
          {"type", dns::TypeToText(rrset.type)},
          {"ttl", rrset.ttl},
          {"records", std::move(records)},
          {"comments", json::array()}};
}

json StoredRRsetToJson(const rsm::StoredRRset& stored) {
  json out = RRsetToJson(stored.rrset);
  out["create_revision"] = stored.create_revision.value;
  out["mod_revision"] = stored.mod_revision.value;
  return out;
}

std::string ZoneIdOf(const dns::Name& apex) {
  if (apex.IsRoot()) return "=2E";
  std::string out;
  for (const char c : apex.ToText()) {
    if (IsPlain(c)) {
      out.push_back(c);
    } else {
      out += fmt::format("={:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

Result<dns::Name, std::string> ZoneOfId(std::string_view id) {
  std::string escaped(id);
  for (char& c : escaped) {
    if (c == '%') return fmt::format("`{}` is not a zone id", id);
    if (c == '=') c = '%';
  }
  const auto text = PercentDecode(escaped, false);
  if (!text || text->empty()) return fmt::format("`{}` is not a zone id", id);
  return dns::Name::FromText(*text);
}

Result<std::vector<PatchEdit>, JsonError> EditsOf(const json& body) {
  const json* rrsets = body.is_object() ? Member(body, "rrsets") : nullptr;
  if (!rrsets || !rrsets->is_array()) return JsonError{"the body must be an object with an array \"rrsets\""};
  std::vector<PatchEdit> out;
  std::set<std::pair<dns::Name, dns::RRType>> whole;
  for (const json& rrset : *rrsets) {
    auto edit = EditOf(rrset);
    if (!edit.ok()) return edit.error();
    using Kind = zone::RRsetEdit::Kind;
    const zone::RRsetEdit& e = edit->edit;
    if ((e.kind == Kind::kReplace || e.kind == Kind::kDelete) && !whole.emplace(e.owner, e.type).second) {
      return JsonError{fmt::format("{} {}: duplicate, REPLACE and DELETE may name an RRset only once",
                                   e.owner.ToText(), dns::TypeToText(e.type))};
    }
    out.push_back(*std::move(edit));
  }
  return out;
}

Result<std::vector<dns::RRset>, JsonError> RRsetsOf(const json& rrsets) {
  if (!rrsets.is_array()) return JsonError{"\"rrsets\" must be an array"};
  std::vector<dns::RRset> out;
  for (const json& rrset : rrsets) {
    const auto head = HeadOf(rrset);
    if (!head.ok()) return head.error();
    auto rdata = RdataOf(rrset, *head);
    if (!rdata.ok()) return rdata.error();
    if (rdata->empty()) continue;
    const auto ttl = TtlOf(rrset, *head);
    if (!ttl.ok()) return ttl.error();
    out.push_back({.owner = head->owner, .type = head->type, .ttl = *ttl, .rdata = *std::move(rdata)});
    dns::Canonicalize(out.back());
  }
  return out;
}

}  // namespace quorate::api
