// Access rules, networks, other servers, grants, and the settings made of them.
#include "zone/acl.h"

#include <gtest/gtest.h>

#include "zone/keyring.h"
#include "zone/settings.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {
namespace {

Peer From(const char* address, const dns::Name& key = dns::Name()) {
  return {.address = *AddressFromText(address), .key = key.IsRoot() ? dns::NameView() : key.wire()};
}

TEST(Networks, ContainWhatTheirPrefixSays) {
  const Network v4 = *NetworkFromText("192.0.2.128/25");
  EXPECT_TRUE(v4.Contains(*AddressFromText("192.0.2.200")));
  EXPECT_FALSE(v4.Contains(*AddressFromText("192.0.2.127")));
  EXPECT_FALSE(v4.Contains(*AddressFromText("2001:db8::1")));
  const Network v6 = *NetworkFromText("2001:db8:8000::/33");
  EXPECT_TRUE(v6.Contains(*AddressFromText("2001:db8:ffff::1")));
  EXPECT_FALSE(v6.Contains(*AddressFromText("2001:db8:7fff::1")));
  EXPECT_FALSE(NetworkFromText("0.0.0.0/0")->Contains(*AddressFromText("2001:db8::1")));
  EXPECT_TRUE(NetworkFromText("::/0")->Contains(*AddressFromText("192.0.2.1")));
  for (const char* text : {"192.0.2.0/24", "192.0.2.1", "2001:db8::/32", "::/0", "0.0.0.0/0"})
    EXPECT_EQ(ToText(*NetworkFromText(text)), text);
  for (const char* text : {"", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2",
                           "2001:db8::/129", "2001:db8::1/32", "host", "192.0.2.0/024x"})
    EXPECT_FALSE(NetworkFromText(text)) << text;
}

TEST(Acls, TheFirstRuleThatMatchesDecides) {
  const Acl acl = *AclFromText("!net:192.0.2.66,net:192.0.2.0/24,key:ddns.example.,net:10.0.0.0/8+key:*");
  EXPECT_FALSE(acl.Allows(From("192.0.2.66", N("ddns.example."))));
  EXPECT_TRUE(acl.Allows(From("192.0.2.67")));
  EXPECT_TRUE(acl.Allows(From("198.51.100.1", N("DDNS.example."))));
  EXPECT_FALSE(acl.Allows(From("198.51.100.1", N("other."))));
  EXPECT_TRUE(acl.Allows(From("10.1.2.3", N("other."))));
  EXPECT_FALSE(acl.Allows(From("10.1.2.3")));
  EXPECT_TRUE(Acl::Any().Allows(From("192.0.2.1")));
  EXPECT_TRUE(Acl::Any().IsAny());
  EXPECT_FALSE(Acl().Allows(From("192.0.2.1", N("k."))));
  EXPECT_FALSE(Acl::AnyKey().Allows(From("192.0.2.1")));
  EXPECT_TRUE(Acl::AnyKey().Allows(From("192.0.2.1", N("k."))));
}

TEST(Acls, TextAndBack) {
  for (const char* text :
       {"any", "none", "key:*", "key:a.b.", "net:192.0.2.0/24+key:a.", "!net:::1,any", "!key:a.,key:*"})
    EXPECT_EQ(ToText(*AclFromText(text)), text);
  for (const char* text : {"", ",any", "key:", "net:", "192.0.2.1", "key:a.+key:b.", "net:::+net:::1", "!",
                           "+", "any,,any", "nobody", "any none"})
    EXPECT_FALSE(AclFromText(text).ok()) << text;
  std::string many = "any";
  for (size_t i = 0; i < 64; ++i) many += ",any";
  EXPECT_FALSE(AclFromText(many).ok());
}

TEST(Remotes, TextAndBack) {
  EXPECT_EQ(ToText(*RemotesFromText("192.0.2.1,2001:db8::1@5353+key:A.,192.0.2.2+tls")),
            "192.0.2.1@53,2001:db8::1@5353+key:a.,192.0.2.2@853+tls");
  EXPECT_EQ(ToText(*RemotesFromText("none")), "none");
  const Remote remote = RemotesFromText("192.0.2.2@8853+tls+key:k.")->front();
  EXPECT_TRUE(remote.tls);
  EXPECT_EQ(remote.port, 8853);
  EXPECT_EQ(*remote.key, N("k."));
  for (const char* text : {"", "host", "192.0.2.1@0", "192.0.2.1@65536", "192.0.2.1@x",
                           "192.0.2.1+key:", "192.0.2.1+key:a.+key:b.", "192.0.2.1+ssl", "[2001:db8::1]"})
    EXPECT_FALSE(RemotesFromText(text).ok()) << text;
}

TEST(Grants, CoverNamesAndTypes) {
  const UpdateGrant subtree = *GrantFromText("subtree dyn.example. A AAAA");
  EXPECT_TRUE(subtree.Covers(N("dyn.example."), dns::RRType::kA));
  EXPECT_TRUE(subtree.Covers(N("x.DYN.example."), dns::RRType::kAAAA));
  EXPECT_FALSE(subtree.Covers(N("xdyn.example."), dns::RRType::kA));
  EXPECT_FALSE(subtree.Covers(N("x.dyn.example."), dns::RRType::kTXT));
  EXPECT_FALSE(subtree.Covers(N("x.dyn.example."), dns::RRType::kANY));
  const UpdateGrant name = *GrantFromText("name dyn.example.");
  EXPECT_TRUE(name.Covers(N("dyn.example."), dns::RRType::kANY));
  EXPECT_FALSE(name.Covers(N("x.dyn.example."), dns::RRType::kA));
  EXPECT_EQ(ToText(subtree), "subtree dyn.example. A AAAA");
  for (const char* text : {"", "name", "subtree ", "all x.", "name x. NOTYPE", "name x. ANY", "name x. AXFR"})
    EXPECT_FALSE(GrantFromText(text).ok()) << text;
}

TEST(SettingsChanges, AreLinesOverWhatIsThere) {
  const auto some = WithChanges({}, "transfer=key:xfr.\nserial=dateserial\ndefault-ttl=60");
  ASSERT_TRUE(some.ok()) << some.error();
  const auto more = WithChanges(*some, "minimal-responses=yes\nserial=unixtime");
  ASSERT_TRUE(more.ok());
  EXPECT_EQ(
      SettingsToText(*more),
      "consistency=linearizable\ntransfer=key:xfr.\nserial=unixtime\nminimal-responses=yes\ndefault-ttl=60");
  EXPECT_EQ(SettingsFromText(SettingsToText(*more)), *more);
  EXPECT_EQ(AllSettings(*more).size(), 14u);
  // What the group alone decides.
  EXPECT_FALSE(WithChanges({}, "state=loaded").ok());
  EXPECT_FALSE(WithChanges({}, "checked-at=1").ok());
  EXPECT_FALSE(WithChanges({}, "catalog-role=consumed").ok());
  EXPECT_TRUE(WithChanges({}, "primaries=192.0.2.1\ncatalog-role=consumed").ok());
  EXPECT_FALSE(WithChanges({}, "primaries=192.0.2.1\ncatalog-role=produced").ok());
  for (const char* text : {"serial=odd", "default-ttl=-1", "default-ttl=2147483648", "colour=red", "query",
                           "\n", "catalog=", "catalog=a..b"})
    EXPECT_FALSE(WithChanges({}, text).ok()) << text;
}

}  // namespace
}  // namespace quorate::zone
