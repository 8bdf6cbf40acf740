// Settings of zones, PowerDNS metadata over them, TSIG keys.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "api/http/metadata.h"
#include "api/http/test_group.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Admin : public testing::Test {
 protected:
  Admin() {
    auto started = HttpServer::Start({.address = "127.0.0.1:0"}, group.Backend());
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    servers = "http://127.0.0.1:" + std::to_string(server->port()) + "/api/v1/servers/localhost";
    zone = servers + "/zones/example.";
    EXPECT_EQ(Ask("POST", servers + "/zones", R"({"name": "example."})").status, 201);
  }
  json Settings() { return json::parse(Ask("GET", zone + "/settings").body); }
  long Patch(const json& body) { return Ask("PATCH", zone + "/settings", body.dump()).status; }
  json Metadata(const std::string& kind) {
    return json::parse(Ask("GET", zone + "/metadata/" + kind).body)["metadata"];
  }
  long PutMetadata(const std::string& kind, const json& values) {
    return Ask("PUT", zone + "/metadata/" + kind, json({{"metadata", values}}).dump()).status;
  }

  TestGroup group;
  std::unique_ptr<HttpServer> server;
  std::string servers, zone;
};

TEST_F(Admin, SettingsAreSetShownAndSetBack) {
  EXPECT_EQ(Settings()["query"], "any");
  EXPECT_EQ(Settings()["update"], "key:*");
  EXPECT_EQ(Patch({{"transfer", "net:192.0.2.0/24"}, {"serial", "dateserial"}, {"default-ttl", 300}}), 204);
  EXPECT_EQ(Settings()["transfer"], "net:192.0.2.0/24");
  EXPECT_EQ(Settings()["serial"], "dateserial");
  EXPECT_EQ(Settings()["default-ttl"], "300");
  EXPECT_EQ(json::parse(Ask("GET", zone).body)["settings"]["serial"], "dateserial");
  EXPECT_EQ(Patch({{"transfer", nullptr}}), 204);
  EXPECT_EQ(Settings()["transfer"], "key:*");
  EXPECT_EQ(Settings()["serial"], "dateserial") << "the others stay";
}

TEST_F(Admin, ASettingThatIsNoneIsRefusedWithItsReason) {
  EXPECT_THAT(Ask("PATCH", zone + "/settings", R"({"colour": "red"})").body, HasSubstr("colour"));
  EXPECT_EQ(Patch({{"colour", "red"}}), 422);
  EXPECT_EQ(Patch({{"colour", nullptr}}), 422);
  EXPECT_EQ(Patch({{"transfer", "nobody"}}), 422);
  EXPECT_EQ(Patch({{"transfer", json::array()}}), 422);
  EXPECT_EQ(Patch({{"state", "loaded"}}), 422) << "not a client's";
  EXPECT_EQ(Patch({{"serial", "unixtime\nquery=none"}}), 422) << "one value is one setting";
  EXPECT_EQ(Patch({{"serial=unixtime\nquery", "none"}}), 422);
  EXPECT_EQ(Patch(json::object()), 422);
  EXPECT_EQ(Ask("PATCH", zone + "/settings", "[]").status, 400);
  EXPECT_EQ(Ask("GET", servers + "/zones/none./settings").status, 404);
  EXPECT_EQ(Ask("PATCH", servers + "/zones/none./settings", R"({"serial": "unixtime"})").status, 404);
  EXPECT_EQ(Settings()["query"], "any");
}

TEST_F(Admin, SettingsAreConditionalOnTheRevisionThatWasRead) {
  const std::string etag = Ask("GET", zone + "/settings").headers.at("etag");
  EXPECT_EQ(Ask("PATCH", zone + "/settings", R"({"serial": "unixtime"})", {"If-Match: " + etag}).status, 204);
  EXPECT_EQ(Ask("PATCH", zone + "/settings", R"({"serial": "increment"})", {"If-Match: " + etag}).status,
            412);
}

TEST_F(Admin, MetadataOfTransfersIsEitherNetworkOrKey) {
  EXPECT_EQ(PutMetadata("ALLOW-AXFR-FROM", {"192.0.2.0/24", "2001:db8::/32"}), 200);
  EXPECT_EQ(Settings()["transfer"], "net:192.0.2.0/24,net:2001:db8::/32");
  EXPECT_EQ(PutMetadata("TSIG-ALLOW-AXFR", {"xfr"}), 200);
  EXPECT_EQ(Settings()["transfer"], "net:192.0.2.0/24,net:2001:db8::/32,key:xfr.");
  EXPECT_EQ(Metadata("TSIG-ALLOW-AXFR"), json({"xfr."}));
  EXPECT_EQ(Metadata("ALLOW-AXFR-FROM"), json({"192.0.2.0/24", "2001:db8::/32"}));
  EXPECT_EQ(Ask("DELETE", zone + "/metadata/ALLOW-AXFR-FROM").status, 204);
  EXPECT_EQ(Settings()["transfer"], "key:xfr.");
  EXPECT_EQ(Ask("DELETE", zone + "/metadata/TSIG-ALLOW-AXFR").status, 204);
  EXPECT_EQ(Settings()["transfer"], "key:*");
}

TEST_F(Admin, MetadataOfUpdatesIsNetworkAndKey) {
  EXPECT_EQ(PutMetadata("TSIG-ALLOW-DNSUPDATE", {"a", "b"}), 200);
  EXPECT_EQ(Settings()["update"], "key:a.,key:b.");
  EXPECT_EQ(PutMetadata("ALLOW-DNSUPDATE-FROM", {"10.0.0.0/8"}), 200);
  EXPECT_EQ(Settings()["update"], "net:10.0.0.0/8+key:a.,net:10.0.0.0/8+key:b.");
  EXPECT_EQ(Metadata("TSIG-ALLOW-DNSUPDATE"), json({"a.", "b."}));
  EXPECT_EQ(Patch({{"update", "!net:10.1.0.0/16,key:*"}}), 204);
  EXPECT_EQ(PutMetadata("ALLOW-DNSUPDATE-FROM", {"10.0.0.0/8"}), 409) << "a denial would be lost";
  EXPECT_EQ(Settings()["update"], "!net:10.1.0.0/16,key:*");
}

TEST_F(Admin, OtherMetadata) {
  EXPECT_EQ(PutMetadata("ALSO-NOTIFY", {"192.0.2.1", "192.0.2.2:5300", "[2001:db8::1]:5300", "2001:db8::2"}),
            200);
  EXPECT_EQ(Metadata("ALSO-NOTIFY"),
            json({"192.0.2.1", "192.0.2.2:5300", "[2001:db8::1]:5300", "2001:db8::2"}));
  EXPECT_EQ(PutMetadata("SOA-EDIT-DNSUPDATE", {"EPOCH"}), 200);
  EXPECT_EQ(Settings()["serial"], "unixtime");
  EXPECT_EQ(PutMetadata("SOA-EDIT-DNSUPDATE", {"SOMETIMES"}), 422);
  EXPECT_EQ(PutMetadata("NSEC3PARAM", {"1 0 0 -"}), 422);
  EXPECT_EQ(PutMetadata("ALSO-NOTIFY", "192.0.2.1"), 422);
  const json add = {{"kind", "ALSO-NOTIFY"}, {"metadata", {"192.0.2.9"}}};
  EXPECT_EQ(Ask("POST", zone + "/metadata", add.dump()).status, 204);
  EXPECT_EQ(Metadata("ALSO-NOTIFY").size(), 5u);
  const json all = json::parse(Ask("GET", zone + "/metadata").body);
  EXPECT_EQ(all.size(), 3u) << all;  // the serial's is told under both of its kinds
}

TEST(Metadata, WhatIsSetComesBack) {
  for (const std::string_view kind : MetadataKinds()) {
    const zone::Settings settings;
    EXPECT_TRUE(GetMetadata(settings, kind).empty()) << kind;
    const std::string value = kind.starts_with("TSIG")       ? "key."
                              : kind.starts_with("SOA-EDIT") ? "EPOCH"
                              : kind.starts_with("ALSO")     ? "192.0.2.1:54"
                                                             : "192.0.2.0/24";
    const auto change = MetadataChange(settings, kind, {value});
    ASSERT_TRUE(change.ok()) << kind << change.error().why;
    const auto now = zone::WithChanges(settings, *change);
    ASSERT_TRUE(now.ok()) << now.error();
    EXPECT_EQ(GetMetadata(*now, kind), std::vector<std::string>{value}) << kind;
    const auto back = MetadataChange(*now, kind, {});
    ASSERT_TRUE(back.ok()) << back.error().why;
    EXPECT_TRUE(*zone::WithChanges(*now, *back) == settings) << kind;
  }
}

// --- TSIG keys ---

TEST_F(Admin, ATsigKeyIsMadeShownChangedAndDeleted) {
  const std::string keys = servers + "/tsigkeys";
  const json wanted = {{"name", "DDNS"},
                       {"algorithm", "hmac-sha512"},
                       {"key", "c2VjcmV0IHNlY3JldA=="},
                       {"grants", {"subtree _acme.example. TXT", "name www.example."}}};
  const Reply made = Ask("POST", keys, wanted.dump());
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.at("location"), "/api/v1/servers/localhost/tsigkeys/ddns.");
  EXPECT_EQ(json::parse(made.body)["key"], "c2VjcmV0IHNlY3JldA==");
  EXPECT_EQ(Ask("POST", keys, wanted.dump()).status, 409);
  const json one = json::parse(Ask("GET", keys + "/ddns.").body);
  EXPECT_EQ(one["name"], "ddns");
  EXPECT_EQ(one["id"], "ddns.");
  EXPECT_EQ(one["type"], "TSIGKey");
  EXPECT_EQ(one["algorithm"], "hmac-sha512");
  EXPECT_EQ(one["key"], "c2VjcmV0IHNlY3JldA==");
  EXPECT_EQ(one["grants"], wanted["grants"]);
  const Reply put = Ask("PUT", keys + "/DDNS", R"({"algorithm": "hmac-sha1"})");
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(json::parse(put.body)["algorithm"], "hmac-sha1");
  EXPECT_EQ(json::parse(put.body)["key"], "c2VjcmV0IHNlY3JldA==") << "what was not given stays";
  EXPECT_EQ(Ask("DELETE", keys + "/ddns.").status, 204);
  EXPECT_EQ(Ask("DELETE", keys + "/ddns.").status, 404);
  EXPECT_EQ(Ask("GET", keys + "/ddns.").status, 404);
  EXPECT_EQ(Ask("PUT", keys + "/ddns.", "{}").status, 404);
}

TEST_F(Admin, AListOfTsigKeysTellsNoSecret) {
  const std::string keys = servers + "/tsigkeys";
  const json first = json::parse(Ask("POST", keys, R"({"name": "a."})").body);
  const json second = json::parse(Ask("POST", keys, R"({"name": "b.", "algorithm": "hmac-sha512"})").body);
  EXPECT_EQ(first["key"].get<std::string>().size(), 44u) << "256 random bits";
  EXPECT_EQ(second["key"].get<std::string>().size(), 88u);
  EXPECT_NE(first["key"], json::parse(Ask("POST", keys, R"({"name": "c."})").body)["key"]);
  const std::string list = Ask("GET", keys).body;
  EXPECT_EQ(json::parse(list).size(), 3u);
  EXPECT_THAT(list, Not(HasSubstr(first["key"].get<std::string>())));
  EXPECT_EQ(json::parse(list)[0]["key"], "");
}

TEST_F(Admin, ATsigKeyThatIsNoneIsRefusedWithoutTellingItsSecret) {
  const auto post = [&](const json& body) { return Ask("POST", servers + "/tsigkeys", body.dump()); };
  EXPECT_EQ(post({{"algorithm", "hmac-sha256"}}).status, 422);
  EXPECT_EQ(post({{"name", "a..b"}}).status, 422);
  EXPECT_EQ(post({{"name", "a"}, {"algorithm", "hmac-sha3"}}).status, 422);
  const Reply bad = post({{"name", "a"}, {"key", "!hunter2!"}});
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.body, Not(HasSubstr("hunter2")));
  EXPECT_EQ(post({{"name", "a"}, {"key", std::string(1000, 'A')}}).status, 422) << "more than 512 octets";
  EXPECT_EQ(post({{"name", "a"}, {"grants", {"everything"}}}).status, 422);
  EXPECT_EQ(post({{"name", "a"}, {"grants", "name x."}}).status, 422);
  EXPECT_EQ(Ask("POST", servers + "/tsigkeys", "[]").status, 400);
  EXPECT_EQ(json::parse(Ask("GET", servers + "/tsigkeys").body), json::array());
}

}  // namespace
}  // namespace quorate::api
