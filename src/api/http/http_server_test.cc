#include "api/http/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "api/http/test_group.h"
#include "base/limits.h"
#include "base/status_macros.h"

namespace quorate::api {
namespace {

using nlohmann::json;

constexpr const char* kZones = "/api/v1/servers/localhost/zones";

class Door : public testing::Test {
 protected:
  Door() { StartAt("127.0.0.1:0"); }

  void StartAt(const std::string& address) {
    auto started = HttpServer::Start({.address = address}, group.Backend());
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    url = "http://127.0.0.1:" + std::to_string(server->port());
  }
  Reply Call(const std::string& method, const std::string& path, const json& body = {},
             const RequestHeaders& headers = {}) {
    return Ask(method, url + path, body.is_null() ? "" : body.dump(), headers);
  }
  json Get(const std::string& path) {
    const Reply reply = Call("GET", path);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return json::parse(reply.body, nullptr, false);
  }
  static json RRset(const std::string& name, const std::string& type,
                    const std::vector<std::string>& contents, const std::string& change = "REPLACE",
                    int ttl = 60) {
    json records = json::array();
    for (const std::string& content : contents)
      records.push_back({{"content", content}, {"disabled", false}});
    return {{"name", name}, {"type", type}, {"ttl", ttl}, {"changetype", change}, {"records", records}};
  }
  Reply Patch(const std::vector<json>& rrsets, const RequestHeaders& headers = {}) {
    return Call("PATCH", std::string(kZones) + "/example.", {{"rrsets", rrsets}}, headers);
  }
  void MakeZone() {
    const Reply reply = Call("POST", kZones, {{"name", "example."}, {"nameservers", {"ns1.example."}}});
    ASSERT_EQ(reply.status, 201) << reply.body;
  }
  std::vector<std::string> Contents(const std::string& name, const std::string& type) {
    std::vector<std::string> out;
    const json rrsets =
        Get(std::string(kZones) + "/example./rrsets?name=" + name + "&type=" + type)["rrsets"];
    for (const json& rrset : rrsets) {
      for (const json& record : rrset["records"]) out.push_back(record["content"]);
    }
    return out;
  }

  TestGroup group;
  std::unique_ptr<HttpServer> server;
  std::string url;
};
using Strings = std::vector<std::string>;

// --- as PowerDNS ---

TEST_F(Door, TellsWhatItIsAsPowerDnsDoes) {
  EXPECT_EQ(Get("/api")[0]["version"], 1);
  EXPECT_EQ(Get("/api/v1/servers")[0]["id"], "localhost");
  EXPECT_EQ(Get("/api/v1/servers/localhost")["daemon_type"], "authoritative");
  EXPECT_EQ(Call("GET", "/api/v1/servers/elsewhere/zones").status, 404);
}

TEST_F(Door, ANewZoneHasSoaAndNsAndIsListedAndDeleted) {
  const Reply made = Call("POST", kZones,
                          {{"name", "example."},
                           {"kind", "Native"},
                           {"soa_edit_api", "DEFAULT"},
                           {"nameservers", {"ns1.example."}},
                           {"rrsets", {RRset("ns1.example.", "A", {"192.0.2.1"})}}});
  ASSERT_EQ(made.status, 201) << made.body;
  const json zone = json::parse(made.body);
  EXPECT_EQ(zone["id"], "example.");
  EXPECT_EQ(zone["serial"], 1);
  EXPECT_EQ(zone["rrsets"].size(), 3u);
  EXPECT_EQ(made.headers.at("x-quorate-serial"), "1");
  EXPECT_EQ(Get(kZones).size(), 1u);
  EXPECT_EQ(Get(std::string(kZones) + "?zone=other.").size(), 0u);
  EXPECT_FALSE(Get(std::string(kZones) + "/example.?rrsets=false").contains("rrsets"));
  EXPECT_EQ(Call("POST", kZones, {{"name", "example."}}).status, 409);
  EXPECT_EQ(Call("DELETE", std::string(kZones) + "/example.").status, 204);
  EXPECT_EQ(Call("GET", std::string(kZones) + "/example.").status, 404);
  EXPECT_EQ(Call("DELETE", std::string(kZones) + "/example.").status, 404);
}

TEST_F(Door, ZonesThatWouldBeCopiedFromElsewhereAreRefused) {
  EXPECT_EQ(Call("POST", kZones, {{"name", "example."}, {"kind", "Slave"}}).status, 422);
}

TEST_F(Door, ANewZoneThatAsksForWhatIsNotDoneHereIsRefusedWithTheReason) {
  const json wrong[] = {{{"kind", "Bogus"}},
                        {{"kind", 5}},
                        {{"zone", 5}},
                        {{"dnssec", true}},
                        {{"masters", {"192.0.2.1"}}},
                        {{"name", "example"}},
                        {{"nameservers", {"ns1.example"}}}};
  for (const json& member : wrong) {
    json body = {{"name", "example."}};
    body.update(member);
    const Reply reply = Call("POST", kZones, body);
    EXPECT_EQ(reply.status, 422) << reply.body;
    EXPECT_NE(reply.body.find(member.begin().key().substr(0, 4)), std::string::npos) << reply.body;
  }
  const json as_powerdns = {
      {"name", "example."}, {"kind", "Primary"}, {"dnssec", false}, {"masters", json::array()}};
  EXPECT_EQ(Call("POST", kZones, as_powerdns).status, 201);
}

TEST_F(Door, ARelativeNameInARecordIsRefused) {
  MakeZone();
  for (const char* content : {"10 mail", "10 mail.example", "10 @"}) {
    const Reply reply = Patch({RRset("m.example.", "MX", {content})});
    EXPECT_EQ(reply.status, 422);
    EXPECT_NE(reply.body.find("final dot"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(Patch({RRset("m.example.", "MX", {"0 ."})}).status, 204);
  EXPECT_NE(Patch({RRset("m.example.", "A", {" "})}).body.find("empty record data"), std::string::npos);
}

TEST_F(Door, APatchNamesAnRRsetThatItReplacesOnlyOnce) {
  MakeZone();
  const Reply reply =
      Patch({RRset("a.example.", "A", {"192.0.2.1"}), RRset("A.example.", "A", {}, "DELETE")});
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(reply.body.find("duplicate"), std::string::npos) << reply.body;
}

TEST_F(Door, AnOwnerWithBlanksOrRawBytesIsRefused) {
  MakeZone();
  for (const char* name : {"a b.example.", "\xc3\xa9.example."})
    EXPECT_EQ(Patch({RRset(name, "A", {"192.0.2.1"})}).status, 422);
  EXPECT_EQ(Patch({RRset("a\\032b.example.", "A", {"192.0.2.1"})}).status, 204);
}

TEST_F(Door, TheRootZoneIsNamedByItsEscapeOrByADot) {
  ASSERT_EQ(Call("POST", kZones, {{"name", "."}, {"nameservers", {"a.root."}}}).status, 201);
  EXPECT_EQ(Get(std::string(kZones) + "/=2E")["id"], "=2E");
  EXPECT_EQ(Get(std::string(kZones) + "/%3D2E")["name"], ".");
  EXPECT_EQ(Ask("GET", url + kZones + "/%2E", "").status, 200);
}

TEST_F(Door, APatchIsOneChangeAtOneRevision) {
  MakeZone();
  const Reply reply = Patch(
      {RRset("a.example.", "A", {"192.0.2.1", "192.0.2.2"}), RRset("m.example.", "MX", {"10 a.example."})});
  ASSERT_EQ(reply.status, 204) << reply.body;
  EXPECT_EQ(reply.body, "");
  const json rrsets = Get(std::string(kZones) + "/example./rrsets")["rrsets"];
  std::set<uint64_t> revisions;
  for (const json& rrset : rrsets) {
    if (rrset["type"] == "A" || rrset["type"] == "MX")
      revisions.insert(rrset["mod_revision"].get<uint64_t>());
  }
  EXPECT_EQ(revisions.size(), 1u);
  EXPECT_EQ(std::to_string(*revisions.begin()), reply.headers.at("x-quorate-revision"));
  EXPECT_EQ(reply.headers.at("x-quorate-serial"), "2");
}

TEST_F(Door, APatchThatIsWrongInOnePartChangesNothing) {
  MakeZone();
  EXPECT_EQ(
      Patch({RRset("good.example.", "A", {"192.0.2.1"}), RRset("bad.example.", "A", {"192.0.2.300"})}).status,
      422);
  EXPECT_EQ(
      Patch({RRset("good.example.", "A", {"192.0.2.1"}), RRset("www.other.", "A", {"192.0.2.3"})}).status,
      422);
  EXPECT_EQ(Contents("good.example.", "A"), Strings());
}

TEST_F(Door, ExtendAndPruneChangeSingleRecordsAndKeepTheTtl) {
  MakeZone();
  ASSERT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.1"}, "REPLACE", 77)}).status, 204);
  json extend = RRset("a.example.", "A", {"192.0.2.2"}, "EXTEND");
  extend.erase("ttl");
  ASSERT_EQ(Patch({extend}).status, 204);
  EXPECT_EQ(Contents("a.example.", "A"), (Strings{"192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(Get(std::string(kZones) + "/example./rrsets?name=a.example.")["rrsets"][0]["ttl"], 77);
  ASSERT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.1", "192.0.2.99"}, "PRUNE")}).status, 204);
  EXPECT_EQ(Contents("a.example.", "A"), Strings{"192.0.2.2"});
  ASSERT_EQ(Patch({RRset("a.example.", "A", {}, "DELETE")}).status, 204);
  EXPECT_EQ(Contents("a.example.", "A"), Strings());
}

TEST_F(Door, WhatWouldMakeTheZoneInvalidIsRefusedWithTheReason) {
  MakeZone();
  ASSERT_EQ(Patch({RRset("c.example.", "A", {"192.0.2.1"})}).status, 204);
  const Reply reply = Patch({RRset("c.example.", "CNAME", {"a.example."})});
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(json::parse(reply.body)["error"].get<std::string>().find("CNAME"), std::string::npos);
  EXPECT_EQ(json::parse(reply.body)["code"], "invalid");
}

TEST_F(Door, MalformedBodiesAreToldApartFromWrongRecords) {
  MakeZone();
  EXPECT_EQ(Ask("PATCH", url + kZones + "/example.", "{").status, 400);
  EXPECT_EQ(Call("PATCH", std::string(kZones) + "/example.", json::array({1})).status, 422);
  json no_ttl = RRset("a.example.", "A", {"192.0.2.1"});
  no_ttl.erase("ttl");
  json disabled = RRset("a.example.", "A", {"192.0.2.1"});
  disabled["records"][0]["disabled"] = true;
  json big_ttl = RRset("a.example.", "A", {"192.0.2.1"});
  big_ttl["ttl"] = 1ull << 31;
  for (const json& bad :
       {no_ttl, disabled, big_ttl, RRset("a.example", "A", {"192.0.2.1"}), RRset("a.example.", "NOPE", {"x"}),
        RRset("a.example.", "A", {"x"}, "CHANGE"), json("x"), RRset("a..example.", "A", {"192.0.2.1"}),
        RRset("a.example.", "ANY", {"\\# 0"})}) {
    EXPECT_EQ(Patch({bad}).status, 422) << bad;
  }
}

// --- conditional and repeated writes ---

TEST_F(Door, IfMatchChangesOnlyWhatHasNotChangedSinceAndShowsTheCurrentValue) {
  MakeZone();
  ASSERT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.1"})}).status, 204);
  const Reply read = Call("GET", std::string(kZones) + "/example./rrsets?name=a.example.&type=A");
  const std::string etag = read.headers.at("etag");
  ASSERT_EQ(Patch({RRset("other.example.", "A", {"192.0.2.9"})}).status, 204);  // does not touch it
  EXPECT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.2"})}, {"If-Match: " + etag}).status, 204);
  const Reply lost = Patch({RRset("a.example.", "A", {"192.0.2.3"})}, {"If-Match: " + etag});
  ASSERT_EQ(lost.status, 412);
  const json current = json::parse(lost.body)["current"];
  ASSERT_EQ(current.size(), 1u);
  EXPECT_EQ(current[0]["records"][0]["content"], "192.0.2.2");
  EXPECT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.3"})},
                  {"If-Match: " + std::to_string(current[0]["mod_revision"].get<uint64_t>())})
                .status,
            204);
  EXPECT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.3"})}, {"If-Match: yesterday"}).status, 400);
}

TEST_F(Door, TheConsistencyOfAZoneIsSetByAPutAndShown) {
  MakeZone();
  const std::string zone = std::string(kZones) + "/example.";
  EXPECT_EQ(Get(zone)["consistency"], "linearizable");
  const std::string etag = Call("GET", zone).headers.at("etag");
  const json bounded = {{"consistency", "bounded=5s"}};
  const Reply first = Call("PUT", zone, bounded, {"If-Match: " + etag, "Idempotency-Key: set-1"});
  EXPECT_EQ(first.status, 204) << first.body;
  EXPECT_EQ(Get(zone)["consistency"], "bounded=5s");
  EXPECT_EQ(Get(kZones)[0]["consistency"], "bounded=5s");
  EXPECT_EQ(Call("GET", zone).headers.at("etag"), first.headers.at("etag"));
  EXPECT_EQ(Call("PUT", zone, {{"consistency", "local"}}, {"If-Match: " + etag}).status, 412);
  ASSERT_EQ(Call("PUT", zone, {{"consistency", "local"}, {"kind", "Native"}}).status, 204);
  const Reply again = Call("PUT", zone, bounded, {"If-Match: " + etag, "Idempotency-Key: set-1"});
  EXPECT_EQ(again.headers.at("x-quorate-revision"), first.headers.at("x-quorate-revision"));
  EXPECT_EQ(Get(zone)["consistency"], "local");
}

TEST_F(Door, AConsistencyThatThereIsNotIsRefusedWithTheReason) {
  MakeZone();
  const std::string zone = std::string(kZones) + "/example.";
  for (const json& body : {json{{"consistency", "bounded=0s"}}, json{{"consistency", 5}},
                           json{{"kind", "Native"}}, json{{"consistency", "local"}, {"kind", "Slave"}}})
    EXPECT_EQ(Call("PUT", zone, body).status, 422) << body;
  EXPECT_EQ(Ask("PUT", url + zone, "{").status, 400);
  EXPECT_EQ(Call("PUT", std::string(kZones) + "/other.", {{"consistency", "local"}}).status, 404);
  EXPECT_EQ(Call("POST", kZones, {{"name", "new."}, {"consistency", "local"}}).status, 422);
  EXPECT_EQ(Get(zone)["consistency"], "linearizable");
}

TEST_F(Door, ARepeatedIdempotencyKeyGivesTheFirstOutcomeAndAppliesNothing) {
  MakeZone();
  const RequestHeaders key = {"Idempotency-Key: k1"};
  const Reply first = Patch({RRset("a.example.", "A", {"192.0.2.1"})}, key);
  ASSERT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.2"})}).status, 204);
  const Reply again = Patch({RRset("a.example.", "A", {"192.0.2.1"})}, key);
  EXPECT_EQ(again.status, 204);
  EXPECT_EQ(again.headers.at("x-quorate-revision"), first.headers.at("x-quorate-revision"));
  EXPECT_EQ(Contents("a.example.", "A"), Strings{"192.0.2.2"});
  EXPECT_EQ(Patch({RRset("b.example.", "A", {"192.0.2.1"})}, key).status, 422);  // another command
  EXPECT_EQ(
      Patch({RRset("b.example.", "A", {"192.0.2.1"})}, {"Idempotency-Key: " + std::string(65, 'k')}).status,
      400);
}

TEST_F(Door, AWriteThatWasNotProposedAsksForARetryAndALostAnswerSaysUnknown) {
  MakeZone();
  group.client.not_proposed = replica::Refusal::kNoLeader;
  const Reply refused = Patch({RRset("a.example.", "A", {"192.0.2.1"})});
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  group.client.not_proposed.reset();
  group.client.lose_answers = true;
  const Reply unknown = Patch({RRset("a.example.", "A", {"192.0.2.1"})});
  EXPECT_EQ(unknown.status, 504);
  EXPECT_EQ(json::parse(unknown.body)["outcome"], "unknown");
}

TEST_F(Door, ReadsWaitForTheBarrierUnlessLocalIsEnough) {
  MakeZone();
  group.client.read_status = absl::UnavailableError("no leader");
  EXPECT_EQ(Call("GET", kZones).status, 503);
  EXPECT_EQ(Call("GET", std::string(kZones) + "?consistency=local").status, 200);
  EXPECT_EQ(Call("GET", std::string(kZones) + "?consistency=perhaps").status, 400);
}

// --- master files ---

TEST_F(Door, EveryReplyToAWriteSaysWhatBecameOfIt) {
  const auto outcome = [](const Reply& reply) { return reply.headers.at("x-quorate-outcome"); };
  MakeZone();
  const json a = RRset("a.example.", "A", {"192.0.2.1"});
  EXPECT_EQ(outcome(Patch({a})), "applied");
  const Reply made = Call("POST", kZones, {{"name", "b."}});
  EXPECT_EQ(json::parse(made.body)["outcome"], "applied");
  const Reply refused = Patch({RRset("a.example.", "CNAME", {"b.example."})});
  EXPECT_EQ(outcome(refused), "refused");
  EXPECT_EQ(json::parse(refused.body)["outcome"], "refused");
  EXPECT_EQ(json::parse(refused.body)["retryable"], false);
  EXPECT_EQ(outcome(Call("DELETE", std::string(kZones) + "/other.")), "refused");
  EXPECT_EQ(outcome(Call("DELETE", "/api/v1/nothing")), "refused");
  group.client.not_proposed = replica::Refusal::kNoLeader;
  const Reply later = Patch({a});
  EXPECT_EQ(outcome(later), "refused");
  EXPECT_EQ(json::parse(later.body)["retryable"], true);
  group.client.not_proposed.reset();
  group.client.lose_answers = true;
  const Reply lost = Patch({a});
  EXPECT_EQ(lost.status, 504);
  EXPECT_EQ(outcome(lost), "unknown");
  EXPECT_EQ(json::parse(lost.body)["retryable"], true);
}

TEST_F(Door, ASessionsRequestsAreAppliedOnceAndUnknownWhenItIsOver) {
  MakeZone();
  const Reply opened = Call("POST", "/api/v1/sessions", {{"lifetime", 60}});
  ASSERT_EQ(opened.status, 201) << opened.body;
  EXPECT_EQ(json::parse(opened.body)["lifetime"], 60);
  const std::string id = json::parse(opened.body)["id"].dump();
  const auto set = [&](const std::string& address, const std::string& request) {
    return Patch({RRset("a.example.", "A", {address})}, {"Idempotency-Key: session " + id + ":" + request});
  };
  const Reply first = set("192.0.2.1", "1");
  EXPECT_EQ(first.status, 204);
  EXPECT_EQ(set("192.0.2.2", "2;oldest=1").status, 204);
  EXPECT_EQ(set("192.0.2.1", "1").headers.at("x-quorate-revision"), first.headers.at("x-quorate-revision"));
  EXPECT_EQ(Contents("a.example.", "A"), Strings{"192.0.2.2"}) << "the retry must not overwrite";
  EXPECT_EQ(set("192.0.2.3", "2").status, 422);
  for (const char* wrong : {"", "0", "1;oldest=2", "x"})
    EXPECT_EQ(set("192.0.2.3", wrong).status, 400) << wrong;
  EXPECT_EQ(Call("DELETE", "/api/v1/sessions/" + id).status, 204);
  const Reply late = set("192.0.2.1", "3");
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(json::parse(late.body)["outcome"], "unknown");
  EXPECT_EQ(json::parse(late.body)["retryable"], false);
  EXPECT_EQ(Contents("a.example.", "A"), Strings{"192.0.2.2"});
}

TEST_F(Door, ADatedKeyIsMadeWithTheGroupsTimeAndIsUnknownWhenTooOld) {
  MakeZone();
  group.client.group_time = std::chrono::hours(100);
  const auto now = Get("/api/v1/group")["group_time_ms"].get<uint64_t>();
  EXPECT_EQ(now, 360000000u);
  const RequestHeaders key = {"Idempotency-Key: gt-" + std::to_string(now) + "-r"};
  EXPECT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.1"})}, key).status, 204);
  group.client.group_time += std::chrono::hours(30);
  EXPECT_EQ(Patch({RRset("a.example.", "A", {"192.0.2.2"})}).status, 204);
  const Reply late = Patch({RRset("a.example.", "A", {"192.0.2.1"})}, key);
  EXPECT_EQ(late.headers.at("x-quorate-outcome"), "unknown") << late.body;
  EXPECT_EQ(Contents("a.example.", "A"), Strings{"192.0.2.2"});
}

TEST_F(Door, ABoundedReadIsAskedOfTheReplica) {
  EXPECT_EQ(Call("GET", std::string(kZones) + "?consistency=bounded=7s").status, 200);
  EXPECT_EQ(group.client.last_consistency.kind, Consistency::Kind::kBounded);
  EXPECT_EQ(group.client.last_consistency.bound, std::chrono::seconds(7));
}

TEST_F(Door, AMasterFileReplacesTheZoneAndComesBackAsItWas) {
  const std::string path = url + kZones + "/example./zonefile";
  const std::string text = "$TTL 300\n@ SOA ns1 host 5 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nold A 192.0.2.2\n";
  const Reply made = Ask("PUT", path, text);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(json::parse(made.body)["serial"], 5);
  EXPECT_EQ(json::parse(made.body)["rrsets_added"], 4);
  const Reply next =
      Ask("PUT", path, "$TTL 300\n@ SOA ns1 host 5 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nnew A 192.0.2.3\n");
  EXPECT_EQ(json::parse(next.body)["rrsets_removed"], 1);
  EXPECT_EQ(json::parse(next.body)["serial"], 6);  // changed without a newer serial of its own
  const Reply exported = Ask("GET", url + kZones + "/example./export");
  EXPECT_EQ(exported.headers.at("content-type"), "text/plain; charset=us-ascii");
  EXPECT_TRUE(exported.body.starts_with("example. 300 IN SOA ns1.example. host.example. 6 2 3 4 5\n"))
      << exported.body;
  const Reply same = Ask("PUT", path, exported.body);
  EXPECT_EQ(json::parse(same.body)["changed"], false) << same.body;
}

TEST_F(Door, AnExportedSignatureHasTheTtlOfWhatItCovers) {
  const std::string text =
      "@ 60 SOA ns1 host 1 2 3 4 5\n@ 70 NS ns1\n"
      "@ 60 RRSIG SOA 8 1 60 20300101000000 20200101000000 1 @ AAAA\n"
      "@ 70 RRSIG NS 8 1 70 20300101000000 20200101000000 1 @ AAAA\n";
  const Reply made = Ask("PUT", url + kZones + "/example./zonefile", text);
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string exported = Ask("GET", url + kZones + "/example./export").body;
  EXPECT_NE(exported.find("example. 60 IN RRSIG SOA"), std::string::npos) << exported;
  EXPECT_NE(exported.find("example. 70 IN RRSIG NS"), std::string::npos) << exported;
}

TEST_F(Door, AMalformedMasterFileIsRefusedWithLineAndColumn) {
  MakeZone();
  const Reply reply = Ask("PUT", url + kZones + "/example./zonefile",
                          "@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\nbad 60 A 192.0.2.300\n");
  ASSERT_EQ(reply.status, 422);
  EXPECT_EQ(json::parse(reply.body)["line"], 3);
  EXPECT_GT(json::parse(reply.body)["column"], 1);
  const Reply outside = Ask("PUT", url + kZones + "/example./zonefile",
                            "@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\nwww.other. 60 A 192.0.2.3\n");
  ASSERT_EQ(outside.status, 422);
  EXPECT_EQ(json::parse(outside.body)["line"], 3);
  const Reply no_soa = Ask("PUT", url + kZones + "/example./zonefile", "@ 60 NS ns1\n");
  EXPECT_EQ(no_soa.status, 422);
}

TEST_F(Door, ALargeMasterFileIsTakenThoughOtherBodiesMayNotBeLarge) {
  std::string text = "@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\n";
  const std::string filler(250, 'x');
  for (int i = 0; text.size() < (3u << 19); ++i) text += "t" + std::to_string(i) + " 60 TXT " + filler + "\n";
  const Reply reply = Ask("PUT", url + kZones + "/example./zonefile", text);  // curl waits for 100 Continue
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Ask("PATCH", url + kZones + "/example.", std::string(2u << 20, ' ')).status, 413);
}

// --- group, health, metrics ---

TEST_F(Door, GroupStatusShowsMembersAndZones) {
  MakeZone();
  const json status = Get("/api/v1/group");
  EXPECT_EQ(status["group"]["id"], 7);
  EXPECT_EQ(status["group"]["name"], "org");
  EXPECT_EQ(status["role"], "leader");
  EXPECT_EQ(status["zones"], json::array({"example."}));
  EXPECT_EQ(Get("/api/v1/group/members")[0]["address"], "127.0.0.1:1");
  EXPECT_EQ(Call("POST", "/api/v1/group/transfer", {{"to", 3}}).status, 200);
  EXPECT_EQ(group.client.transferred_to, MemberId{3});
  EXPECT_EQ(Call("POST", "/api/v1/group/transfer", {{"to", "three"}}).status, 400);
}

TEST_F(Door, GroupStatusTellsOfEveryMembersLease) {
  group.client.peer = raft::PeerStatus{.id = MemberId{4},
                                       .match = LogIndex{10},
                                       .received = LogIndex{12},
                                       .lease = raft::LeaseState::kSilent,
                                       .lease_left = std::chrono::milliseconds(70),
                                       .drift_ppm = -20};
  const json status = Get("/api/v1/group");
  EXPECT_EQ(status["leases"], true);
  EXPECT_EQ(status["timing"]["lease_ms"], 600);
  EXPECT_EQ(status["timing"]["election_ms"], 150);
  EXPECT_EQ(status["read_rounds"], 12);
  EXPECT_EQ(status["lease_left_ms"], 500);
  const json& self = status["members"][0];
  EXPECT_EQ(self["lease"], "holder");
  EXPECT_EQ(self["lease_left_ms"], 500);
  const json& learner = status["members"][1];
  EXPECT_EQ(learner["role"], "learner");
  EXPECT_EQ(learner["voter"], false);
  EXPECT_EQ(learner["received"], 12);
  EXPECT_EQ(learner["lag"], 3);
  EXPECT_EQ(learner["lease"], "silent");
  EXPECT_EQ(learner["lease_left_ms"], 70);
  EXPECT_EQ(learner["lease_eligible"], true);
  EXPECT_EQ(learner["drift_ppm"], -20);
  group.client.role = raft::Role::kFollower;
  EXPECT_FALSE(Get("/api/v1/group")["members"][1].contains("lease")) << "only a leader knows";
}

// --- settings of the group ---

TEST_F(Door, AnOperatorChangesOneThingOfTheGroupAtATime) {
  const auto patch = [&](const json& body) { return Call("PATCH", "/api/v1/group", body).status; };
  const auto timing = [&] { return std::get<replica::SetTiming>(*group.client.configured).timing; };
  EXPECT_EQ(patch({{"leases", false}}), 200);
  EXPECT_FALSE(std::get<replica::SetLeases>(*group.client.configured).on);
  EXPECT_EQ(patch({{"preset", "wan"}}), 200);
  EXPECT_EQ(timing(), raft::WanTiming());
  EXPECT_EQ(patch({{"timing", {{"lease_ms", 800}, {"election_ms", 200}}}}), 200);
  EXPECT_EQ(timing().lease_wanted, std::chrono::milliseconds(800));
  EXPECT_EQ(timing().election_max, std::chrono::milliseconds(400));
  EXPECT_EQ(timing().heartbeat, raft::LanTiming().heartbeat) << "what is not named stays";
  EXPECT_EQ(patch({{"member", {{"id", 3}, {"lease_eligible", false}}}}), 200);
  EXPECT_EQ(std::get<replica::SetEligible>(*group.client.configured).member, MemberId{3});
}

TEST_F(Door, AGroupChangeThatMakesNoSenseIsRefusedUnseen) {
  const std::vector<std::string> bad = {"",
                                        "{}",
                                        "[]",
                                        R"({"leases": 1})",
                                        R"({"leases": true, "preset": "lan"})",
                                        R"({"preset": "man"})",
                                        R"({"timing": {}})",
                                        R"({"timing": {"lease_ms": 0}})",
                                        R"({"timing": {"lease_ms": -1}})",
                                        R"({"timing": {"lease_ms": 1e3}})",
                                        R"({"timing": {"lease_ms": 18446744073709551615}})",
                                        R"({"timing": {"lease_wait_ms": 700}})",
                                        R"({"member": {"id": 1}})",
                                        R"({"member": {"id": "1", "lease_eligible": true}})"};
  for (const std::string& body : bad)
    EXPECT_EQ(Ask("PATCH", url + "/api/v1/group", body).status, 400) << body;
  EXPECT_FALSE(group.client.configured);
}

TEST_F(Door, AFailedGroupChangeSaysWhetherItMayHaveHappened) {
  const auto patch = [&] { return Call("PATCH", "/api/v1/group", {{"leases", true}}); };
  group.client.configure_status = absl::InvalidArgumentError("set a preset first");
  EXPECT_EQ(patch().status, 400);
  EXPECT_NE(patch().body.find("set a preset first"), std::string::npos);
  group.client.configure_status = absl::UnavailableError("another change is under way");
  EXPECT_EQ(patch().status, 503);
  group.client.configure_status = absl::UnknownError("not committed yet");
  EXPECT_EQ(patch().status, 504);
  group.client.role = raft::Role::kFollower;
  const Reply elsewhere = patch();
  EXPECT_EQ(elsewhere.status, 421);
  EXPECT_EQ(json::parse(elsewhere.body)["leader"]["id"], 1);
  EXPECT_EQ(json::parse(elsewhere.body)["leader"]["address"], "127.0.0.1:1");
}

TEST_F(Door, ReadyMeansALinearizableReadSucceedsAndManyProbesShareOne) {
  group.client.read_status = absl::UnavailableError("no leader");
  EXPECT_EQ(Call("GET", "/livez").status, 200);
  const Reply unready = Call("GET", "/readyz");
  EXPECT_EQ(unready.status, 503);
  EXPECT_NE(json::parse(unready.body)["reason"].get<std::string>().find("no leader"), std::string::npos);
  group.client.read_status = absl::OkStatus();
  EXPECT_EQ(Call("GET", "/readyz").status, 200);
  const int reads = group.client.reads;
  EXPECT_EQ(Call("GET", "/readyz").status, 200);
  EXPECT_LE(group.client.reads, reads + 1);  // none, unless this machine took 200 ms in between
}

TEST_F(Door, TheLeaderProbeFollowsTheRole) {
  EXPECT_EQ(Call("GET", "/health/leader").status, 200);
  group.client.role = raft::Role::kFollower;
  EXPECT_EQ(Call("GET", "/health/leader").status, 503);
}

TEST_F(Door, MetricsArePrometheusText) {
  MakeZone();
  const Reply reply = Call("GET", "/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("# TYPE quorate_raft_term gauge"), std::string::npos);
  EXPECT_NE(reply.body.find("quorate_http_writes_total{outcome=\"applied\"} 1"), std::string::npos);
  EXPECT_NE(reply.body.find("process_resident_memory_bytes"), std::string::npos);
  EXPECT_NE(reply.body.find("quorate_lease_holder 1"), std::string::npos);
  EXPECT_NE(reply.body.find("quorate_lease_left_seconds 0.5"), std::string::npos);
  EXPECT_NE(reply.body.find("quorate_read_rounds_total 12"), std::string::npos);
}

// --- the sockets ---

TEST_F(Door, UnknownPathsAndMethodsSaySo) {
  EXPECT_EQ(Call("GET", "/api/v1/nothing").status, 404);
  const Reply wrong = Call("PUT", kZones, json::object());
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "GET, POST");
  EXPECT_EQ(Call("HEAD", "/livez").status, 200);
}

// Sends `bytes` and gives what comes back until the server closes.
std::string Raw(uint16_t port, const std::string& bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval patience{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  std::string out;
  char buffer[4096];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<size_t>(n));
  close(fd);
  return out;
}

TEST_F(Door, WhatIsNotHttpGetsOneErrorAndTheConnectionEnds) {
  EXPECT_TRUE(Raw(server->port(), "\x16\x03\x01 not http\r\n\r\n").starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(Raw(server->port(), "GET / HTTP/1.1\r\nX: " + std::string(40000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431"));
  EXPECT_EQ(Call("GET", "/livez").status, 200);
}

TEST_F(Door, ABodyBeyondTheBoundIsRefusedBeforeItIsSent) {
  EXPECT_TRUE(Raw(server->port(),
                  "POST /api/v1/servers/localhost/zones HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
                  .starts_with("HTTP/1.1 413"));
}

TEST_F(Door, OneConnectionCarriesManyRequests) {
  const std::string get = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string last = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string replies = Raw(server->port(), get + get + last);
  size_t count = 0;
  for (size_t at = 0; (at = replies.find("HTTP/1.1 200", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 3u);
}

TEST_F(Door, MoreConnectionsThanTheLimitAreClosedAndOthersGoOn) {
  server->Stop();
  HttpServerOptions options{.address = "127.0.0.1:0"};
  options.limits.connections = 0;
  auto full = HttpServer::Start(options, group.Backend());
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(Ask("GET", "http://127.0.0.1:" + std::to_string((*full)->port()) + "/livez").status, 0);
}

TEST_F(Door, ListensOnIpv6) {
  auto six = HttpServer::Start({.address = "[::1]:0"}, group.Backend());
  ASSERT_TRUE(six.ok()) << six.status();
  EXPECT_EQ(Ask("GET", "http://[::1]:" + std::to_string((*six)->port()) + "/livez").status, 200);
}

TEST_F(Door, AnAddressInUseIsAnErrorThatNamesIt) {
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  const auto second = HttpServer::Start({.address = address}, group.Backend());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(MessageOf(second.status()).find(address), std::string::npos);
}

TEST_F(Door, RepliesAfterStopGoNowhere) {
  Respond late;
  std::atomic<bool> listener_called{false};
  auto listener =
      Listener::Start({.address = "127.0.0.1:0",
                       .admit = [](const HttpRequest&) -> std::variant<size_t, HttpResponse> { return 0u; },
                       .handler =
                           [&](const HttpRequest&, Respond respond) {
                             late = std::move(respond);
                             listener_called.store(true);
                             listener_called.notify_all();
                           }});
  ASSERT_TRUE(listener.ok());
  std::thread client([port = (*listener)->port()] {
    EXPECT_EQ(Ask("GET", "http://127.0.0.1:" + std::to_string(port) + "/").status, 0);
  });
  listener_called.wait(false);
  (*listener)->Stop();
  client.join();
  listener->reset();
  late({.status = 200});
}

// --- tokens and TLS ---

TEST_F(Door, OffLoopbackItWantsTlsAndATokenBeforeItListens) {
  const auto no_tls = HttpServer::Start({.address = "0.0.0.0:0", .tokens = {"t"}}, group.Backend());
  ASSERT_FALSE(no_tls.ok());
  EXPECT_NE(MessageOf(no_tls.status()).find("TLS"), std::string::npos);
  const auto no_token =
      HttpServer::Start({.address = "[::]:0", .tls_cert = "c.pem", .tls_key = "k.pem"}, group.Backend());
  ASSERT_FALSE(no_token.ok());
  EXPECT_NE(MessageOf(no_token.status()).find("token"), std::string::npos);
}

TEST_F(Door, ATokenOpensTheApiInEitherHeaderAndHealthNeedsNone) {
  auto guarded =
      HttpServer::Start({.address = "127.0.0.1:0", .tokens = {"first", "second"}}, group.Backend());
  ASSERT_TRUE(guarded.ok());
  const std::string at = "http://127.0.0.1:" + std::to_string((*guarded)->port());
  EXPECT_EQ(Ask("GET", at + kZones).status, 401);
  EXPECT_EQ(Ask("GET", at + kZones, "", {"X-API-Key: secon"}).status, 401);
  EXPECT_EQ(Ask("GET", at + kZones, "", {"X-API-Key: second"}).status, 200);
  EXPECT_EQ(Ask("GET", at + kZones, "", {"Authorization: Bearer first"}).status, 200);
  EXPECT_EQ(Ask("GET", at + "/metrics").status, 401);
  EXPECT_EQ(Ask("GET", at + "/livez").status, 200);
}

TEST_F(Door, SpeaksTls) {
  const std::filesystem::path dir =
      std::filesystem::path(testing::TempDir()) / ("quorate-tls-" + std::to_string(getpid()));
  std::filesystem::create_directories(dir);
  const std::string cert = dir / "cert.pem", key = dir / "key.pem";
  ASSERT_EQ(
      std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=q "
                   "-keyout " +
                   key + " -out " + cert + " 2>/dev/null")
                      .c_str()),
      0);
  auto secure =
      HttpServer::Start({.address = "127.0.0.1:0", .tls_cert = cert, .tls_key = key}, group.Backend());
  ASSERT_TRUE(secure.ok()) << secure.status();
  EXPECT_EQ(Ask("GET", "https://127.0.0.1:" + std::to_string((*secure)->port()) + "/livez").status, 200);
  EXPECT_EQ(Ask("GET", "http://127.0.0.1:" + std::to_string((*secure)->port()) + "/livez").status, 0);
  secure->reset();
  std::filesystem::remove_all(dir);
  const auto missing =
      HttpServer::Start({.address = "127.0.0.1:0", .tls_cert = cert, .tls_key = key}, group.Backend());
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(MessageOf(missing.status()).find(cert), std::string::npos);
}

TEST(TokenFile, HoldsATokenALineAndIsNotEmpty) {
  const std::string file = testing::TempDir() + "/quorate-tokens-" + std::to_string(getpid());
  std::ofstream(file) << "# for ci\none\n\ntwo \r\n";
  const auto tokens = LoadTokens(file);
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(*tokens, (Strings{"one", "two"}));
  std::ofstream(file) << "# nothing\n";
  EXPECT_FALSE(LoadTokens(file).ok());
  std::filesystem::remove(file);
  EXPECT_FALSE(LoadTokens(file).ok());
}

}  // namespace
}  // namespace quorate::api
