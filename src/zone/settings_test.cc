#include "zone/settings.h"

#include "zone/zone_set.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {
namespace {

Settings Of(std::string_view consistency) { return {.consistency = *ParseConsistency(consistency)}; }

TEST(Settings, TextAndBack) {
  for (const char* consistency : {"linearizable", "bounded=5s", "local"}) {
    EXPECT_EQ(SettingsToText(Of(consistency)), std::string("consistency=") + consistency);
    EXPECT_EQ(SettingsFromText(SettingsToText(Of(consistency))), Of(consistency));
  }
  EXPECT_EQ(SettingsFromText(""), Settings());
}

TEST(Settings, WhatThisVersionDoesNotKnowIsNotGuessed) {
  for (const char* text : {"consistency", "consistency=", "consistency=some", "consistency=bounded=5",
                           "colour=red", "consistency=local\ncolour=red", "\n", "consistency=local\n\n"})
    EXPECT_FALSE(SettingsFromText(text)) << text;
}

TEST(Settings, TheKeyIsReadableAndOneForAZone) {
  EXPECT_EQ(SettingsKey(N("Example.ORG.")), "/quorate/zones/example.org.");
  EXPECT_EQ(SettingsKey(N(".")), "/quorate/zones/.");
  EXPECT_EQ(SettingsKey(N("0/25.2.0.192.in-addr.arpa.")), "/quorate/zones/0\\04725.2.0.192.in-addr.arpa.");
  for (const char* apex : {"example.org.", ".", "0/25.2.0.192.in-addr.arpa."})
    EXPECT_EQ(ParseSettingsKey(SettingsKey(N(apex))), N(apex));
  for (const char* key :
       {"/quorate/zones/Example.org.", "/quorate/zones/", "/quorate/seeded", "/dns/example.org."})
    EXPECT_FALSE(ParseSettingsKey(key)) << key;
}

TEST(ZoneSetSettings, StayWithTheApexUntilTheZoneGoes) {
  ZoneSet zones = ZoneSet().With(SmallZone("", "example.")).With(SmallZone("", "other."));
  const auto of = [&](const char* apex) { return zones.SettingsOf(*zones.Get(N(apex).wire())); };
  EXPECT_EQ(of("example."), Settings());
  const ZoneSet before = zones;
  zones = zones.WithSettings(N("EXAMPLE.").wire(), Of("local"));
  EXPECT_EQ(of("example."), Of("local"));
  EXPECT_EQ(of("other."), Settings());
  EXPECT_EQ(before.SettingsOf(*before.Get(N("example.").wire())), Settings());
  zones = zones.With(SmallZone("www 60 A 192.0.2.1\n", "example."));
  EXPECT_EQ(of("example."), Of("local")) << "the zone was replaced";
  zones = zones.Without(N("other.").wire());
  EXPECT_EQ(of("example."), Of("local"));
  zones = zones.Without(N("example.").wire()).With(SmallZone("", "example."));
  EXPECT_EQ(of("example."), Settings());
}

}  // namespace
}  // namespace quorate::zone
