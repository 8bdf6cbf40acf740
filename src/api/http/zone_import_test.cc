// PUT zonefile: zones in pieces.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "api/http/test_group.h"
#include "api/http/zone_text.h"
#include "base/limits.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kHead = "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n";

std::string HostsText(int count) {
  std::string text = kHead;
  for (int i = 0; i < count; ++i)
    text += "h" + std::to_string(i) + " A 192.0.2." + std::to_string(i % 250) + "\n";
  return text;
}

class Import : public testing::Test {
 protected:
  Import() { Start(1000); }
  void Start(size_t piece_bytes) {
    server.reset();
    auto started =
        HttpServer::Start({.address = "127.0.0.1:0", .import_piece_bytes = piece_bytes}, group.Backend());
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    zone = "http://127.0.0.1:" + std::to_string(server->port()) + "/api/v1/servers/localhost/zones/example.";
  }
  Reply Put(const std::string& text, const RequestHeaders& headers = {}) {
    return Ask("PUT", zone + "/zonefile", text, headers);
  }
  size_t Staged() {
    size_t keys = 0;
    const auto it = group.store.map().NewIterator();
    for (it->Seek("p"); it->Valid() && it->key().starts_with("p"); it->Next())
      keys += it->key().starts_with("ph") || it->key().starts_with("ps") ? 1 : 0;
    return keys;
  }

  TestGroup group;
  std::unique_ptr<HttpServer> server;
  std::string zone;
};

TEST_F(Import, AZoneOfManyPiecesIsOneChange) {
  const Reply made = Put(HostsText(5000));
  ASSERT_EQ(made.status, 200) << made.body;
  const json body = json::parse(made.body);
  EXPECT_EQ(body["records"], 5002);
  EXPECT_EQ(body["rrsets_added"], 5002);
  EXPECT_EQ(body["revision"], 2) << "one revision for all of it";
  EXPECT_EQ(Staged(), 0u);
  const Reply next = Put(HostsText(4999) + "new 60 A 192.0.2.1\n");
  EXPECT_EQ(json::parse(next.body)["rrsets_removed"], 1) << next.body;
  EXPECT_EQ(json::parse(next.body)["rrsets_added"], 1) << next.body;
  EXPECT_EQ(json::parse(next.body)["serial"], 2);
  EXPECT_THAT(Ask("GET", zone + "/export").body, HasSubstr("h4998.example. 60 IN A 192.0.2.248\n"));
}

TEST_F(Import, ARetryOfAnImportIsAnsweredFromTheFirst) {
  const RequestHeaders key = {"Idempotency-Key: import-1"};
  const Reply made = Put(HostsText(300), key);
  ASSERT_EQ(made.status, 200) << made.body;
  ASSERT_EQ(Ask("DELETE", zone).status, 204);
  const Reply again = Put(HostsText(300), key);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(json::parse(again.body)["revision"], json::parse(made.body)["revision"]);
  EXPECT_EQ(Ask("GET", zone).status, 404) << "and nothing was applied again";
}

TEST_F(Import, AnErrorInALatePieceLeavesTheZoneAsItWas) {
  ASSERT_EQ(Put(HostsText(10)).status, 200);
  const Reply bad = Put(HostsText(3000) + "bad A 192.0.2.300\n");
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(json::parse(bad.body)["line"], 3004) << bad.body;
  EXPECT_EQ(json::parse(Ask("GET", zone + "?rrsets=false").body)["serial"], 1);
}

TEST_F(Import, ALargeZoneIsReplacedOnlyAsItWasWhenItWasRead) {
  ASSERT_EQ(Put(HostsText(10)).status, 200);
  EXPECT_EQ(Put(HostsText(500), {"If-Match: \"1\""}).status, 412);
  EXPECT_EQ(Put(HostsText(500), {"If-Match: \"2\""}).status, 200);
}

TEST_F(Import, AGroupOfOlderProgramsTakesWhatOneCommandHolds) {
  group.client.feature_level = 2;
  ASSERT_EQ(Put(HostsText(5000)).status, 200);
  EXPECT_EQ(Staged(), 0u);
}

TEST_F(Import, APieceThatFindsNoLeaderIsAskedForAgain) {
  group.client.not_proposed = replica::Refusal::kNoLeader;
  const Reply none = Put(HostsText(500));
  EXPECT_EQ(none.status, 503);
  EXPECT_EQ(none.headers.at("x-quorate-outcome"), "refused");
  group.client.not_proposed = std::nullopt;
  group.client.lose_answers = true;
  const Reply lost = Put(HostsText(500));
  EXPECT_EQ(lost.status, 503) << "a piece whose fate is unknown changed no zone";
  EXPECT_EQ(lost.headers.at("x-quorate-outcome"), "refused");
}

TEST_F(Import, ChildRecordsMustBeWhereTheRfcsWantThem) {
  EXPECT_EQ(json::parse(Put(std::string(kHead) + "a CDS 1 8 2 AABB\n").body)["line"], 4);
  EXPECT_EQ(Put(std::string(kHead) + "@ CDS 1 8 2 AABB\n@ CDS 0 0 0 00\n").status, 422);
  EXPECT_EQ(Put(std::string(kHead) + "@ CDS 0 0 0 00\n@ CDNSKEY 0 3 0 AA==\n@ CSYNC 1 3 A NS\n").status, 200);
  const auto patch = [&](const char* type, const char* content) {
    const json body = {{"rrsets",
                        {{{"name", "a.example."},
                          {"type", type},
                          {"ttl", 60},
                          {"changetype", "REPLACE"},
                          {"records", {{{"content", content}}}}}}}};
    return Ask("PATCH", zone, body.dump()).status;
  };
  EXPECT_EQ(patch("CSYNC", "1 3 A NS"), 422);
  EXPECT_EQ(patch("A", "192.0.2.1"), 204);
}

TEST_F(Import, RecordsWithoutATtlHaveTheZonesDefault) {
  ASSERT_EQ(Put(kHead).status, 200);
  ASSERT_EQ(Ask("PATCH", zone + "/settings", R"({"default-ttl": 77})").status, 204);
  ASSERT_EQ(Put("@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n").status, 200);
  EXPECT_THAT(Ask("GET", zone + "/export").body, HasSubstr("example. 77 IN NS"));
}

// What one part of a body stands for may be more than a piece.
TEST(ZoneTextReader, PiecesAreOverWhenTheyAreLargeEnough) {
  ZoneTextReader reader(*dns::Name::FromText("example."), 60, 4096);
  EXPECT_FALSE(reader.Feed(std::string(kHead) + "$GENERATE 0-9999 h$ A 192.0.2.1\n"));
  EXPECT_FALSE(reader.Finish());
  size_t pieces = 0, records = 0;
  for (; reader.has_piece(); ++pieces) {
    const auto piece = reader.Take();
    EXPECT_LT(piece.size(), 300u);
    records += piece.size();
  }
  EXPECT_GT(pieces, 50u);
  EXPECT_EQ(records + reader.Take().size(), 10002u);
  EXPECT_TRUE(reader.is_empty());
}

}  // namespace
}  // namespace quorate::api
