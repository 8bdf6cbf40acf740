// /api/v1/members against a client that says what the test tells it.
#include "api/http/members.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "api/http/test_group.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Members : public testing::Test {
 protected:
  Members() {
    auto started = HttpServer::Start({.address = "127.0.0.1:0"}, group.Backend());
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    url = "http://127.0.0.1:" + std::to_string(server->port()) + "/api/v1/members";
    group.client.peer = raft::PeerStatus{.id = MemberId{4}, .match = LogIndex{10}, .caught_up = true};
  }
  Reply Call(const std::string& method, const std::string& path, const std::string& body = "") {
    return Ask(method, url + path, body);
  }
  template <class Change>
  Change Configured() {
    return std::get<Change>(*group.client.configured);
  }

  TestGroup group;
  std::unique_ptr<HttpServer> server;
  std::string url;
};

TEST_F(Members, TheLeaderTellsHowFarEachIs) {
  group.client.peer->feature_level = 2;
  group.client.peer->applied = LogIndex{9};
  const Reply reply = Call("GET", "");
  ASSERT_EQ(reply.status, 200);
  const json list = json::parse(reply.body);
  EXPECT_EQ(list["group"], json({{"id", 7}, {"name", "org"}}));
  EXPECT_EQ(list["leader"], 1);
  EXPECT_EQ(list["role"], "leader");
  EXPECT_EQ(list["feature_level"], raft::kFeatureLevel);
  EXPECT_EQ(list["change_under_way"], false);
  const json& learner = list["members"][1];
  EXPECT_EQ(learner["id"], 4);
  EXPECT_EQ(learner["role"], "learner");
  EXPECT_EQ(learner["match"], 10);
  EXPECT_EQ(learner["applied"], 9);
  EXPECT_EQ(learner["lag"], 3);
  EXPECT_EQ(learner["caught_up"], true);
  EXPECT_EQ(learner["feature_level"], 2);
  EXPECT_EQ(learner["instance"], "");
  EXPECT_EQ(list["members"][0]["feature_level"], raft::kFeatureLevel);
  group.client.role = raft::Role::kFollower;
  EXPECT_FALSE(json::parse(Call("GET", "").body)["members"][1].contains("caught_up"))
      << "only a leader knows";
}

TEST_F(Members, ANewOneIsToldAllThatItNeeds) {
  const Reply reply = Call("POST", "", R"({"address": "127.0.0.1:4", "instance": "00000000000000ff"})");
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_EQ(Configured<replica::AddMember>().address, "127.0.0.1:4");
  EXPECT_EQ(Configured<replica::AddMember>().instance, 255u);
  EXPECT_TRUE(Configured<replica::AddMember>().promote);
  const json place = json::parse(reply.body);
  EXPECT_EQ(place["id"], 4);
  EXPECT_EQ(place["group"], json({{"id", 7}, {"name", "org"}}));
  EXPECT_EQ(place["members"][0]["address"], "127.0.0.1:1");
  EXPECT_EQ(Call("POST", "", R"({"address": "127.0.0.1:4", "replaces": 1})").status, 201);
  EXPECT_EQ(Configured<replica::AddMember>().replaces, MemberId{1});
  EXPECT_EQ(Call("POST", "", R"({"address": "127.0.0.1:4", "learner": true})").status, 201);
  EXPECT_FALSE(Configured<replica::AddMember>().promote);
}

TEST_F(Members, WhoIsThereAlreadyIsToldWhoItIs) {
  group.client.configure_status = absl::AlreadyExistsError("member 4 is at 127.0.0.1:4");
  const Reply reply = Call("POST", "", R"({"address": "127.0.0.1:4"})");
  EXPECT_EQ(reply.status, 409);
  const json body = json::parse(reply.body);
  EXPECT_EQ(body["code"], "already");
  EXPECT_EQ(body["place"]["id"], 4);
  EXPECT_EQ(body["place"]["instance"], "");
}

TEST_F(Members, AMalformedNewOneIsRefusedUnseen) {
  const std::vector<std::string> bad = {"",
                                        "{}",
                                        "[]",
                                        R"({"address": 1})",
                                        R"({"address": "127.0.0.1"})",
                                        R"({"address": ":7"})",
                                        R"({"address": "127.0.0.1:0"})",
                                        R"({"address": "127.0.0.1:70000"})",
                                        R"({"address": "a b:1"})",
                                        R"({"address": "http://a:1"})",
                                        R"({"address": "a:1", "learner": 1})",
                                        R"({"address": "a:1", "replaces": 0})",
                                        R"({"address": "a:1", "replaces": "2"})",
                                        R"({"address": "a:1", "learner": true, "replaces": 2})",
                                        R"({"address": "a:1", "instance": 7})",
                                        R"({"address": "a:1", "instance": "0"})",
                                        R"({"address": "a:1", "instance": "00000000000000001"})",
                                        R"({"address": "a:1", "instance": "xyz"})",
                                        R"({"address": "a:1", "voter": true})",
                                        "{\"address\": \"" + std::string(400, 'a') + ":1\"}"};
  for (const std::string& body : bad) EXPECT_EQ(Call("POST", "", body).status, 400) << body;
  for (const char* path : {"/0", "/x", "/-1", "/1?force=perhaps", "/99999999999999999999"})
    EXPECT_EQ(Call("DELETE", path).status, 400) << path;
  EXPECT_FALSE(group.client.configured);
}

TEST_F(Members, RemovingPromotingAndDemoting) {
  EXPECT_EQ(Call("DELETE", "/4").status, 200);
  EXPECT_EQ(Configured<replica::RemoveMember>().member, MemberId{4});
  EXPECT_FALSE(Configured<replica::RemoveMember>().force);
  EXPECT_EQ(Call("DELETE", "/4?force").status, 200);
  EXPECT_TRUE(Configured<replica::RemoveMember>().force);
  EXPECT_EQ(Call("POST", "/4/promote").status, 200);
  EXPECT_EQ(Configured<replica::PromoteMember>().member, MemberId{4});
  EXPECT_EQ(Call("POST", "/1/demote?force=true").status, 200);
  EXPECT_TRUE(Configured<replica::DemoteMember>().force);
  EXPECT_EQ(json::parse(Call("POST", "/1/demote").body)["members"].size(), 2u);
}

TEST_F(Members, EveryRefusalSaysWhatItIs) {
  const auto expect = [&](const absl::Status& status, int code, const std::string& text) {
    group.client.configure_status = status;
    const Reply reply = Call("DELETE", "/9");
    EXPECT_EQ(reply.status, code) << status;
    EXPECT_THAT(reply.body, HasSubstr(text));
    EXPECT_EQ(reply.headers.contains("retry-after"), code == 503 || code == 504);
  };
  expect(absl::NotFoundError("the group has no member 9"), 404, "no_such_member");
  expect(absl::AlreadyExistsError("is so"), 409, "\"already\"");
  expect(absl::AbortedError("member 3 does not answer"), 409, "would_lose_quorum");
  expect(absl::AbortedError("member 3 does not answer"), 409, "member 3 does not answer");
  expect(absl::InvalidArgumentError("the last voter"), 400, "the last voter");
  expect(absl::UnavailableError("another change is under way"), 503, "another change is under way");
  expect(absl::UnknownError("not complete yet"), 504, "not complete yet");
  group.client.role = raft::Role::kFollower;
  expect(absl::OkStatus(), 421, "member 1 does");
  EXPECT_EQ(Call("POST", "", R"({"address": "127.0.0.1:4"})").status, 421);
}

TEST_F(Members, MetricsCountThem) {
  const std::string url_of_metrics = url.substr(0, url.find("/api")) + "/metrics";
  const std::string text = Ask("GET", url_of_metrics).body;
  EXPECT_THAT(text, HasSubstr("quorate_group_feature_level " + std::to_string(raft::kFeatureLevel)));
  EXPECT_THAT(text, HasSubstr("quorate_group_members{role=\"voter\"} 1"));
  EXPECT_THAT(text, HasSubstr("quorate_group_members{role=\"learner\"} 1"));
  EXPECT_THAT(text, HasSubstr("quorate_group_change_under_way 0"));
  EXPECT_THAT(text, HasSubstr("quorate_member_caught_up{peer=\"4\"} 1"));
  EXPECT_THAT(text, HasSubstr("quorate_member_answers{peer=\"4\"} 0"));
}

}  // namespace
}  // namespace quorate::api
