// Zones from text, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "dns/presentation.h"
#include "zone/builder.h"
#include "zone/export.h"
#include "zone/lookup.h"

namespace quorate::zone {

inline dns::Name N(std::string_view text, const dns::Name& origin = dns::Name()) {
  const auto name = dns::Name::FromText(text, origin);
  EXPECT_TRUE(name.ok()) << text;
  return name.ok() ? *name : dns::Name();
}

inline std::string Rdata(dns::RRType type, std::string_view text, const dns::Name& origin = dns::Name()) {
  const auto rdata = dns::RdataFromText(type, text, origin);
  EXPECT_TRUE(rdata.ok()) << text;
  return rdata.ok() ? *rdata : std::string();
}

inline std::variant<ZonePtr, Refusal> TryBuild(std::string_view apex, std::string_view text) {
  ZoneBuilder builder(N(apex));
  const auto error = dns::ParseZoneText(text, {.origin = N(apex)}, [&](dns::TextRecord&& record) {
    builder.Add(record.owner, record.type, record.ttl, record.rdata);
    return std::string();
  });
  EXPECT_FALSE(error) << error->line << ": " << error->what;
  return std::move(builder).Build();
}

inline ZonePtr Build(std::string_view apex, std::string_view text) {
  auto outcome = TryBuild(apex, text);
  EXPECT_TRUE(std::holds_alternative<ZonePtr>(outcome)) << std::get<Refusal>(outcome).reason;
  return std::get<ZonePtr>(outcome);
}

// A zone with the apex records that every zone needs, then `text`.
inline ZonePtr SmallZone(std::string_view text, std::string_view apex = "example.") {
  return Build(apex,
               "@ 3600 SOA ns.example. h.example. 7 2 3 4 300\n@ 3600 NS ns.example.\n" + std::string(text));
}

// Every node, with what the tree knows of it, besides the text.
inline std::string Shape(const Zone& zone) {
  std::string out;
  for (const Node* node : zone.InCanonicalOrder()) {
    out += dns::Name::FromView(node->owner()).ToText() + " children " + std::to_string(node->child_count()) +
           (node->HasWildcardChild() ? " wildcard" : "") + (node->HasNs() ? " ns" : "") + "\n" +
           NodeToText(node->Materialize());
  }
  return out + std::to_string(zone.record_count()) + " records, " + std::to_string(zone.node_count()) +
         " nodes\n";
}

}  // namespace quorate::zone
