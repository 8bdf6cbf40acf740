// What people type, and which zone and group it means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/deployment.h"
#include "cli/group_settings.h"
#include "cli/member_change.h"
#include "cli/rdata_arguments.h"

namespace quorate::cli {
namespace {

using dns::RRType;
using testing::ElementsAre;

dns::Name N(const std::string& text) { return *dns::Name::FromText(text); }
std::vector<dns::Name> Names(const std::vector<std::string>& texts) {
  std::vector<dns::Name> out;
  for (const std::string& text : texts) out.push_back(N(text));
  return out;
}
std::vector<std::string> Contents(RRType type, const std::vector<std::string>& arguments) {
  const auto contents = RecordContents(type, arguments);
  return contents.ok() ? *contents : std::vector<std::string>{"refused: " + contents.error().message};
}

TEST(RecordContents, EachArgumentIsARecord) {
  EXPECT_THAT(Contents(RRType::kA, {"192.0.2.1", "192.0.2.2"}), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_THAT(Contents(RRType::kMX, {"10 a.example.", "20 b.example."}),
              ElementsAre("10 a.example.", "20 b.example."));
  EXPECT_THAT(Contents(RRType::kNS, {"ns1.example.", "ns2.example."}),
              ElementsAre("ns1.example.", "ns2.example."));
}

TEST(RecordContents, TheFieldsOfASingleRecordNeedNoQuotes) {
  EXPECT_THAT(Contents(RRType::kMX, {"10", "mail.example."}), ElementsAre("10 mail.example."));
  EXPECT_THAT(Contents(RRType::kSRV, {"0", "5", "5060", "sip.example."}),
              ElementsAre("0 5 5060 sip.example."));
}

TEST(RecordContents, TextGetsItsQuotes) {
  EXPECT_THAT(Contents(RRType::kTXT, {"v=spf1 -all"}), ElementsAre("\"v=spf1 -all\""));
  EXPECT_THAT(Contents(RRType::kTXT, {"a\"b\\c"}), ElementsAre("\"a\\\"b\\\\c\""));
  EXPECT_THAT(Contents(RRType::kTXT, {"\"already\" \"quoted\""}), ElementsAre("\"already\" \"quoted\""));
  EXPECT_THAT(Contents(RRType::kTXT, {""}), ElementsAre("\"\""));
  EXPECT_THAT(Contents(RRType::kTXT, {"\xc3\xa9"}), ElementsAre("\"\\195\\169\""));
}

TEST(RecordContents, TextLongerThanACharacterStringBecomesSeveral) {
  EXPECT_THAT(Contents(RRType::kTXT, {std::string(300, 'k')}),
              ElementsAre("\"" + std::string(255, 'k') + "\" \"" + std::string(45, 'k') + "\""));
}

TEST(RecordContents, WhatIsNoRecordIsAUsageErrorThatNamesIt) {
  const auto bad = RecordContents(RRType::kA, {"192.0.2.1", "192.0.2.300"});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ExitCode::kUsage);
  EXPECT_NE(bad.error().message.find("192.0.2.300"), std::string::npos);
  EXPECT_FALSE(RecordContents(RRType::kMX, {"10"}).ok());
  EXPECT_FALSE(TypeArgument("ANY").ok());
  EXPECT_FALSE(TypeArgument("NOPE").ok());
  EXPECT_TRUE(TypeArgument("type65280").ok());
}

TEST(RecordContents, ARelativeNameIsAUsageError) {
  for (const char* content : {"10 mail", "10 @"}) {
    const auto bad = RecordContents(RRType::kMX, {content});
    ASSERT_FALSE(bad.ok()) << content;
    EXPECT_NE(bad.error().message.find("final dot"), std::string::npos);
  }
  const auto empty = RecordContents(RRType::kA, {""});
  ASSERT_FALSE(empty.ok());
  EXPECT_NE(empty.error().message.find("empty record data"), std::string::npos);
}

TEST(RecordContents, ANameOfSeveralLabelsMayLeaveOutItsFinalDotAsOwnersMay) {
  EXPECT_EQ(*RecordContents(RRType::kMX, {"10 mail.example"}), std::vector<std::string>{"10 mail.example."});
  EXPECT_EQ(*RecordContents(RRType::kMX, {"10", "mail.example"}),
            std::vector<std::string>{"10 mail.example."});
  EXPECT_EQ(*RecordContents(RRType::kNS, {"ns1.org", "ns2.org."}),
            (std::vector<std::string>{"ns1.org.", "ns2.org."}));
  EXPECT_EQ(*RecordContents(RRType::kTXT, {"a.b"}), std::vector<std::string>{"\"a.b\""});
  EXPECT_EQ(*RecordContents(RRType::kA, {"192.0.2.1"}), std::vector<std::string>{"192.0.2.1"});
}

TEST(ChooseZone, TakesTheLongestMatch) {
  const auto zones = Names({".", "org.", "example.org."});
  EXPECT_EQ(ChooseZone(zones, N("www.example.org."), RRType::kA), N("example.org."));
  EXPECT_EQ(ChooseZone(zones, N("example.org."), RRType::kNS), N("example.org."));
  EXPECT_EQ(ChooseZone(zones, N("notexample.org."), RRType::kA), N("org."));
  EXPECT_EQ(ChooseZone(zones, N("com."), RRType::kA), N("."));
  EXPECT_EQ(ChooseZone(Names({"org."}), N("com."), RRType::kA), std::nullopt);
}

TEST(ChooseZone, DsAtAnApexBelongsToTheParent) {
  EXPECT_EQ(ChooseZone(Names({"org.", "example.org."}), N("example.org."), RRType::kDS), N("org."));
  EXPECT_EQ(ChooseZone(Names({"example.org."}), N("example.org."), RRType::kDS), N("example.org."));
}

constexpr const char* kStatus = R"({"phase": "ready", "regions": [
  {"name": "us", "groups": [
    {"name": "root", "zones": ["."], "replicas": [{"id": 1, "http": "http://127.0.0.1:1/", "etcd": "127.0.0.1:2"}]},
    {"name": "org", "zones": ["org"], "replicas": [{"id": 1, "http": "127.0.0.1:3"}, {"id": 2}]}]},
  {"name": "eu", "groups": [{"name": "org", "zones": ["org."], "replicas": []}]}]})";

TEST(ParseDeployment, ReadsTheOraclesStatus) {
  const auto groups = ParseDeployment(kStatus);
  ASSERT_TRUE(groups.ok());
  ASSERT_EQ(groups->size(), 3u);
  EXPECT_EQ((*groups)[0].replicas[0].http, "http://127.0.0.1:1");
  EXPECT_EQ((*groups)[1].Label(), "us/org");
  EXPECT_EQ((*groups)[1].replicas[0].http, "http://127.0.0.1:3");
  EXPECT_EQ((*groups)[1].replicas[1].http, "");
  EXPECT_EQ((*groups)[2].zones, Names({"org."}));
}

TEST(ParseDeployment, AnythingElseIsAnErrorNotACrash) {
  for (const char* text :
       {"", "[]", "{}", "<html>", "{\"regions\": 1}", "{\"regions\": [1, {\"groups\": [2]}]}"}) {
    const auto groups = ParseDeployment(text);
    EXPECT_TRUE(!groups.ok() || groups->empty()) << text;
  }
}

TEST(ChooseGroups, FindsTheZoneInEveryRegionThatHasIt) {
  const auto found = ChooseGroups(*ParseDeployment(kStatus), N("example.org."), RRType::kA);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].group.Label(), "us/org");
  EXPECT_EQ(found[1].group.Label(), "eu/org");
  EXPECT_EQ(ChooseGroups(*ParseDeployment(kStatus), N("com."), RRType::kA).size(), 1u);
}

TEST(ExitCodes, OverSeveralRegionsTheOneThatNeedsMostCareWins) {
  EXPECT_EQ(Worse(ExitCode::kOk, ExitCode::kFailed), ExitCode::kFailed);
  EXPECT_EQ(Worse(ExitCode::kUnknown, ExitCode::kUnavailable), ExitCode::kUnknown);
  EXPECT_EQ(Worse(ExitCode::kPrecondition, ExitCode::kUnavailable), ExitCode::kUnavailable);
}

TEST(ParseSettings, EachWordIsAChangeAndTimesJoin) {
  const auto changes = ParseSettings({"leases=on", "lease=800ms", "hold=2s", "eligible=2:off", "preset=wan"});
  ASSERT_TRUE(changes.ok()) << changes.error().message;
  ASSERT_EQ(changes->size(), 4u);
  EXPECT_EQ((*changes)[0].dump(), R"({"leases":true})");
  EXPECT_EQ((*changes)[1].dump(), R"({"timing":{"hold_ms":2000,"lease_ms":800}})");
  EXPECT_EQ((*changes)[2].dump(), R"({"member":{"id":2,"lease_eligible":false}})");
  EXPECT_EQ((*changes)[3].dump(), R"({"preset":"wan"})");
}

TEST(ParseSettings, WhatMakesNoSenseIsWrongUsage) {
  for (const char* bad : {"", "leases", "leases=yes", "preset=man", "lease=800", "lease=0ms", "lease=-1s",
                          "lease=1.5s", "lease_wait=1s", "eligible=2", "eligible=x:on", "eligible=2:maybe"}) {
    const auto changes = ParseSettings({bad});
    ASSERT_FALSE(changes.ok()) << bad;
    EXPECT_EQ(changes.error().code, ExitCode::kUsage) << bad;
  }
}

// --- members ---

using Kind = MemberChange::Kind;

CliResult<nlohmann::json> ResultOf(const MemberChange& change, int status, const std::string& body) {
  return cli::ResultOf(change, {.fate = HttpReply::Fate::kAnswered, .status = status, .body = body});
}

TEST(MemberChange, EachIsOneRequest) {
  const auto request = RequestOf({.kind = Kind::kReplace, .id = 2, .address = "127.0.0.4:1"});
  EXPECT_EQ(request.method + " " + request.path, "POST /api/v1/members");
  EXPECT_EQ(nlohmann::json::parse(request.body),
            nlohmann::json({{"address", "127.0.0.4:1"}, {"replaces", 2}}));
  EXPECT_EQ(RequestOf({.kind = Kind::kRemove, .id = 2, .force = true}).path, "/api/v1/members/2?force");
  EXPECT_EQ(RequestOf({.kind = Kind::kRemove, .id = 2}).method, "DELETE");
  EXPECT_EQ(RequestOf({.kind = Kind::kPromote, .id = 2}).path, "/api/v1/members/2/promote");
  EXPECT_EQ(RequestOf({.kind = Kind::kDemote, .id = 2}).path, "/api/v1/members/2/demote");
}

TEST(MemberChange, WhatIsSoAlreadyIsDone) {
  const std::string removed = R"({"error": "e", "code": "removed"})", already = R"({"code": "already"})";
  EXPECT_EQ((*ResultOf({.kind = Kind::kRemove, .id = 2}, 404, removed))["already"], true);
  EXPECT_EQ((*ResultOf({.kind = Kind::kDemote, .id = 2}, 409, already))["already"], true);
  EXPECT_EQ(ResultOf({.kind = Kind::kRemove, .id = 2}, 404, R"({"code": "no_such_member"})").error().code,
            ExitCode::kNotFound);
  const std::string there = R"({"code": "already", "error": "member 4 is there", "place":
      {"id": 4, "address": "h:1", "members": [{"id": 4, "promote": true, "replaces": 0}]}})";
  const MemberChange add{.kind = Kind::kAdd, .address = "h:1"};
  EXPECT_EQ((*ResultOf(add, 409, there))["id"], 4);
  EXPECT_FALSE(ResultOf({.kind = Kind::kAdd, .address = "h:2"}, 409, there).ok());
  EXPECT_FALSE(ResultOf({.kind = Kind::kAdd, .address = "h:1", .learner = true}, 409, there).ok());
  EXPECT_FALSE(ResultOf({.kind = Kind::kReplace, .id = 2, .address = "h:1"}, 409, there).ok());
}

TEST(MemberChange, ARefusalThatForceWouldPassSaysWhatThatRisks) {
  const auto refused = ResultOf({.kind = Kind::kRemove, .id = 2}, 409,
                                R"({"code": "would_lose_quorum", "error": "member 3 does not answer"})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ExitCode::kFailed);
  EXPECT_NE(refused.error().message.find("member 3 does not answer"), std::string::npos);
  EXPECT_NE(refused.error().message.find("--force"), std::string::npos);
}

TEST(MemberChange, WaitingSaysWhatIsMissing) {
  const MemberChange add{.kind = Kind::kAdd};
  MemberChange learner = add;
  learner.learner = true;
  const auto missing = [](const MemberChange& change, const char* row) {
    return StillMissing(change, 4, nlohmann::json::parse(std::string(R"({"members": [)") + row + "]}"));
  };
  EXPECT_NE(missing(add, R"({"id": 3})").find("removed"), std::string::npos);
  EXPECT_NE(missing(add, R"({"id": 4, "recent": false})").find("is it started?"), std::string::npos);
  EXPECT_NE(missing(add, R"({"id": 4, "recent": true, "lag": 12})").find("12 entries behind"),
            std::string::npos);
  const char* caught_up = R"({"id": 4, "recent": true, "caught_up": true})";
  EXPECT_NE(missing(add, caught_up), "");
  EXPECT_EQ(missing(learner, caught_up), "");
  EXPECT_EQ(missing(add, R"({"id": 4, "voter": true})"), "");
}

}  // namespace
}  // namespace quorate::cli
