// The commands against real doors over the real state machine, with servers that fail as they are told.
#include "cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "api/http/test_group.h"
#include "cli/group_client.h"

namespace quorate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// Answers what the test says, and keeps what it was asked.
class ScriptedServer {
 public:
  using Script = std::function<api::HttpResponse(size_t attempt)>;
  explicit ScriptedServer(Script script) {
    listener_ = *api::Listener::Start(
        {.address = "127.0.0.1:0",
         .admit = [](const api::HttpRequest&) -> std::variant<size_t, api::HttpResponse> {
           return size_t{0};
         },
         .handler =
             [this, script](const api::HttpRequest& request, const api::Respond& respond) {
               if (request.path == "/api/v1/group") return respond({.body = R"({"group_time_ms": 1000})"});
               std::lock_guard lock(mu_);
               requests_.push_back(request);
               respond(script(requests_.size() - 1));
             }});
  }
  Replica replica() const { return {.id = 1, .http = url()}; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_->port()); }
  std::vector<api::HttpRequest> requests() const {
    std::lock_guard lock(mu_);
    return requests_;
  }

 private:
  mutable std::mutex mu_;
  std::vector<api::HttpRequest> requests_;
  std::unique_ptr<api::Listener> listener_;
};
ScriptedServer Always(int status) {
  return ScriptedServer([status](size_t) { return api::HttpResponse{.status = status}; });
}
const Replica kNobody{.id = 9, .http = "http://127.0.0.1:9"};

CallPolicy Impatient() {
  return {.attempt = std::chrono::seconds(2), .overall = std::chrono::milliseconds(400)};
}
GroupReply Write(const std::vector<Replica>& replicas) {
  return GroupClient(Impatient())
      .Call({.name = "g", .replicas = replicas}, {.method = "PATCH", .path = "/x", .body = "{}"});
}

TEST(GroupClient, GoesOnToAReplicaThatAnswersWithOneIdempotencyKey) {
  const ScriptedServer busy = Always(503), lost = Always(504), good = Always(204);
  const GroupReply reply = Write({kNobody, busy.replica(), lost.replica(), good.replica()});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->status, 204);
  std::set<std::string> keys;
  for (const auto* server : {&busy, &lost, &good})
    keys.insert(server->requests().at(0).Header("idempotency-key"));
  EXPECT_EQ(keys.size(), 1u);
  EXPECT_THAT(*keys.begin(), testing::MatchesRegex("gt-1000-[0-9a-f]{32}"));
}

api::HttpResponse UnknownForGood() {
  return {.status = 504, .body = R"({"error": "too old", "outcome": "unknown", "retryable": false})"};
}

TEST(GroupClient, AKeyThatWasTooOldFromTheStartIsMadeAnew) {
  const ScriptedServer server(
      [](size_t n) { return n == 0 ? UnknownForGood() : api::HttpResponse{.status = 204}; });
  ASSERT_TRUE(Write({server.replica()}).ok());
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_NE(server.requests()[0].Header("idempotency-key"), server.requests()[1].Header("idempotency-key"));
}

TEST(GroupClient, UnknownAfterALostAnswerStaysSoAndIsNotTriedUnderAnotherKey) {
  const ScriptedServer server(
      [](size_t n) { return n == 0 ? api::HttpResponse{.status = 504} : UnknownForGood(); });
  const GroupReply reply = Write({server.replica()});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(ErrorOf(*reply).code, ExitCode::kUnknown);
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(server.requests()[0].Header("idempotency-key"), server.requests()[1].Header("idempotency-key"));
}

TEST(GroupClient, TriesTheSameReplicaAgainWhereItIsTheOnlyOne) {
  const ScriptedServer server(
      [](size_t attempt) { return api::HttpResponse{.status = attempt < 2 ? 503 : 204}; });
  ASSERT_TRUE(Write({server.replica()}).ok());
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST(GroupClient, NobodyThereOrNoLeaderIsUnavailable) {
  const ScriptedServer busy = Always(503);
  EXPECT_EQ(Write({kNobody}).error().code, ExitCode::kUnavailable);
  EXPECT_EQ(Write({kNobody, busy.replica()}).error().code, ExitCode::kUnavailable);
  EXPECT_EQ(Write({}).error().code, ExitCode::kUnavailable);
}

TEST(GroupClient, OnceAnAnswerWasLostOnlyADefiniteOneHelps) {
  const ScriptedServer first_lost([](size_t n) { return api::HttpResponse{.status = n == 0 ? 504 : 503}; });
  EXPECT_EQ(Write({first_lost.replica()}).error().code, ExitCode::kUnknown);
  const ScriptedServer then_refused([](size_t n) { return api::HttpResponse{.status = n == 0 ? 504 : 422}; });
  const GroupReply refused = Write({then_refused.replica()});
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->status, 422);
}

TEST(GroupClient, AReadWithoutAnswerIsNeverUnknown) {
  const ScriptedServer lost = Always(504);
  const GroupReply reply = GroupClient(Impatient()).Call({.replicas = {lost.replica()}}, {.path = "/x"});
  EXPECT_EQ(reply.error().code, ExitCode::kUnavailable);
  EXPECT_EQ(lost.requests().at(0).Header("idempotency-key"), "");
}

TEST(ErrorOf, CarriesTheServersReasonAndHint) {
  const CliError error =
      ErrorOf({.status = 422, .body = R"({"error": "the name also has A", "hint": "nothing was changed"})"});
  EXPECT_EQ(error.code, ExitCode::kFailed);
  EXPECT_EQ(error.message, "the name also has A (nothing was changed)");
  EXPECT_EQ(ErrorOf({.status = 404, .body = "<html>"}).code, ExitCode::kNotFound);
}

// Two regions, each a group with the zone example.; and their Oracle.
class Commands : public testing::Test {
 protected:
  struct Region {
    Region() { door = *api::HttpServer::Start({.address = "127.0.0.1:0"}, group.Backend()); }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(door->port()); }
    api::TestGroup group;
    std::unique_ptr<api::HttpServer> door;
  };

  Commands()
      : oracle([this](size_t) {
          return api::HttpResponse{
              .body = R"({"regions": [{"name": "us", "groups": [{"name": "g", "zones": ["example."],
            "replicas": [{"id": 1, "http": ")" +
                      us.url() + R"("}]}]}, {"name": "eu", "groups": [{"name": "g",
            "zones": ["example."], "replicas": [{"id": 1, "http": ")" +
                      eu_url + R"("}]}]}]})"};
        }) {
    eu_url = eu.url();
    EXPECT_EQ(Run("zone create example. --ns ns1.example. --group g"), ExitCode::kOk) << err;
  }

  ExitCode Run(const std::string& line) { return RunAt(line + " --oracle " + oracle.url()); }
  ExitCode RunAt(const std::string& line) {
    CLI::App app;
    ExitCode exit = ExitCode::kOk;
    RegisterRecord(app, exit);
    RegisterZone(app, exit);
    RegisterGroup(app, exit);
    RegisterMember(app, exit);
    RegisterSession(app, exit);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      app.parse(line);
    } catch (const CLI::ParseError&) {
      exit = ExitCode::kUsage;
    }
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return exit;
  }

  Region us, eu;
  std::string eu_url;
  ScriptedServer oracle;
  std::string out, err;
};

TEST_F(Commands, AWriteGoesToEveryRegionThatHasTheZone) {
  EXPECT_EQ(Run("record set a.example A 192.0.2.1 192.0.2.2 --ttl 60"), ExitCode::kOk) << err;
  EXPECT_THAT(out, HasSubstr("us/g: "));
  EXPECT_THAT(out, HasSubstr("eu/g: "));
  for (const Region* region : {&us, &eu}) {
    EXPECT_EQ(RunAt("record get a.example. A --server " + region->url()), ExitCode::kOk);
    EXPECT_EQ(out, "a.example. 60 IN A 192.0.2.1\na.example. 60 IN A 192.0.2.2\n");
  }
}

TEST_F(Commands, WhereOneRegionIsDownTheTextSaysWhichApplied) {
  eu_url = kNobody.http;
  EXPECT_EQ(Run("record set a.example. A 192.0.2.1 --timeout 0.5"), ExitCode::kUnavailable);
  EXPECT_THAT(out, HasSubstr("us/g: set a.example. A"));
  EXPECT_THAT(out, Not(HasSubstr("eu/g")));
  EXPECT_THAT(err, HasSubstr("eu/g is unavailable"));
  EXPECT_EQ(Run("record set a.example. A 192.0.2.1 --region us"), ExitCode::kOk);
}

TEST_F(Commands, AFailedConditionShowsWhatIsThereNow) {
  ASSERT_EQ(Run("record set a.example. A 192.0.2.1"), ExitCode::kOk);
  EXPECT_EQ(Run("record set a.example. A 192.0.2.2 --if-revision 1"), ExitCode::kPrecondition);
  EXPECT_THAT(err, HasSubstr("192.0.2.1"));
}

TEST_F(Commands, RecordsAreAddedAndDeletedOneByOne) {
  ASSERT_EQ(Run("record set a.example. A 192.0.2.1 --ttl 77"), ExitCode::kOk);
  ASSERT_EQ(Run("record add a.example. A 192.0.2.2"), ExitCode::kOk);
  ASSERT_EQ(Run("record delete a.example. A 192.0.2.1"), ExitCode::kOk);
  EXPECT_EQ(Run("record get a.example. --region us"), ExitCode::kOk);
  EXPECT_EQ(out, "a.example. 77 IN A 192.0.2.2\n");
  ASSERT_EQ(Run("record delete a.example. A"), ExitCode::kOk);
  EXPECT_EQ(Run("record get a.example."), ExitCode::kNotFound);
}

TEST_F(Commands, WrongUsageIsFoundBeforeAnythingIsSent) {
  const size_t before = oracle.requests().size();
  for (const char* line :
       {"record set a..b. A 192.0.2.1", "record set a.example. A", "record set a.example. NOPE x",
        "record set a.example. A 192.0.2.300", "record set a.example. A 192.0.2.1 --ttl -5"}) {
    EXPECT_EQ(Run(line), ExitCode::kUsage) << line;
  }
  EXPECT_EQ(oracle.requests().size(), before);
  EXPECT_EQ(RunAt("record get a.example."), ExitCode::kUsage);
  EXPECT_THAT(err, HasSubstr("QUORATE_ORACLE"));
}

TEST_F(Commands, ANameThatNobodyServesIsNotFound) {
  EXPECT_EQ(Run("record set a.other. A 192.0.2.1"), ExitCode::kNotFound);
  EXPECT_THAT(err, HasSubstr("a.other."));
  EXPECT_EQ(Run("record set a.example. A 192.0.2.1 --zone other."), ExitCode::kUsage);
  EXPECT_EQ(Run("zone delete other."), ExitCode::kNotFound);
}

TEST_F(Commands, ARefusalGivesTheExactReason) {
  ASSERT_EQ(Run("record set a.example. A 192.0.2.1"), ExitCode::kOk);
  EXPECT_EQ(Run("record set a.example. CNAME b.example."), ExitCode::kFailed);
  EXPECT_THAT(err, HasSubstr("CNAME"));
}

TEST_F(Commands, AMalformedFileIsNamedWithLineAndColumn) {
  const std::string file = testing::TempDir() + "/quorate-bad.zone";
  std::ofstream(file) << "@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\nbad 60 A 192.0.2.300\n";
  EXPECT_EQ(Run("zone import example. " + file), ExitCode::kFailed);
  EXPECT_THAT(err, HasSubstr(file + ":3:"));
  EXPECT_EQ(Run("zone import example. " + file + ".missing"), ExitCode::kFailed);
}

TEST_F(Commands, ADirectoryIsNoMasterFile) {
  EXPECT_EQ(Run("zone import example. " + testing::TempDir()), ExitCode::kFailed);
  EXPECT_THAT(err, HasSubstr("s a directory"));
}

TEST_F(Commands, AnExportIsNotJson) {
  EXPECT_EQ(Run("zone export example. -o json"), ExitCode::kUsage);
  EXPECT_EQ(out, "");
}

TEST_F(Commands, AUrlOfAnotherSchemeIsWrongUsage) {
  EXPECT_EQ(RunAt("zone list --server ftp://127.0.0.1"), ExitCode::kUsage);
  EXPECT_THAT(err, HasSubstr("ftp://127.0.0.1"));
}

TEST(WholeZone, TheTimeoutHoldsForAnImportToAGroupWithoutLeader) {
  const ScriptedServer server([](size_t attempt) {
    return attempt == 0 ? api::HttpResponse{.body = R"([{"name": "example."}])"}
                        : api::HttpResponse{.status = 503};
  });
  const std::string file = testing::TempDir() + "/quorate-import.zone";
  std::ofstream(file) << "@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\n";
  CLI::App app;
  ExitCode exit = ExitCode::kOk;
  RegisterZone(app, exit);
  const auto start = std::chrono::steady_clock::now();
  app.parse("zone import example. " + file + " --timeout 0.3 --server " + server.url());
  EXPECT_EQ(exit, ExitCode::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_F(Commands, AZoneCreatedAfterTheDeploymentWasFormedIsFound) {
  ASSERT_EQ(Run("zone create new.test. --group g"), ExitCode::kOk) << err;
  EXPECT_EQ(Run("record set a.new.test. A 192.0.2.1"), ExitCode::kOk) << err;
  EXPECT_EQ(Run("zone export new.test."), ExitCode::kOk);
  EXPECT_THAT(out, HasSubstr("a.new.test. 3600 IN A 192.0.2.1\n"));
  EXPECT_EQ(Run("zone list -o json"), ExitCode::kOk);
  EXPECT_THAT(out, HasSubstr("new.test."));
}

TEST_F(Commands, TheConsistencyOfAZoneIsSetInEveryRegionAndShown) {
  EXPECT_EQ(Run("zone set example. consistency=bounded=5s"), ExitCode::kOk) << err;
  EXPECT_THAT(out, HasSubstr("us/g: set"));
  EXPECT_THAT(out, HasSubstr("eu/g: set"));
  EXPECT_EQ(Run("zone show example."), ExitCode::kOk) << err;
  EXPECT_THAT(out, HasSubstr("example. serial 1 "));
  EXPECT_THAT(out, HasSubstr("consistency=bounded=5s us/g"));
  EXPECT_THAT(out, HasSubstr("consistency=bounded=5s eu/g"));
  EXPECT_EQ(Run("zone show example. -o json"), ExitCode::kOk);
  EXPECT_THAT(out, HasSubstr(R"("consistency": "bounded=5s")"));
  EXPECT_EQ(Run("zone set example. consistency=local --if-revision 1"), ExitCode::kPrecondition);
  for (const char* wrong : {"consistency", "consistency=bounded", "consistency=", "colour=red"})
    EXPECT_EQ(Run(std::string("zone set example. ") + wrong), ExitCode::kUsage) << wrong;
  EXPECT_EQ(Run("zone set other. consistency=local"), ExitCode::kNotFound);
  EXPECT_EQ(Run("zone show other."), ExitCode::kNotFound);
}

TEST_F(Commands, ALateRetryOfALostWriteIsUnknownWithAnExitCodeOfItsOwn) {
  us.group.client.lose_answers = true;
  EXPECT_EQ(Run("record set a.example. A 192.0.2.1 --region us --timeout 0.5 -o json"), ExitCode::kUnknown);
  EXPECT_THAT(out, HasSubstr("\"outcome\": \"unknown\""));
  us.group.client.lose_answers = false;
}

TEST_F(Commands, ASessionIsOpenedAndClosedInOneGroup) {
  EXPECT_EQ(Run("session open"), ExitCode::kUsage) << "there are two groups";
  EXPECT_EQ(Run("session open --region us --lifetime 60 -o json"), ExitCode::kOk) << err;
  const auto opened = nlohmann::json::parse(out);
  EXPECT_EQ(opened["lifetime"], 60);
  EXPECT_EQ(opened["outcome"], "applied");
  EXPECT_EQ(Run("session close " + opened["id"].dump() + " --region us"), ExitCode::kOk);
}

TEST_F(Commands, ReadsSayHowConsistentTheyMustBe) {
  EXPECT_EQ(Run("record list example. --consistency bounded=5s --region us"), ExitCode::kOk) << err;
  EXPECT_EQ(us.group.client.last_consistency.bound, std::chrono::seconds(5));
  const int reads = us.group.client.reads;
  EXPECT_EQ(Run("record list example. --consistency local --region us"), ExitCode::kOk);
  EXPECT_EQ(us.group.client.reads, reads);
  EXPECT_EQ(Run("record list example. --consistency perhaps"), ExitCode::kUsage);
}

TEST_F(Commands, GroupStatusTellsOfEveryGroup) {
  EXPECT_EQ(Run("group status"), ExitCode::kOk);
  EXPECT_THAT(out, HasSubstr("us/g: group 7, replica 1 (leader)"));
  EXPECT_THAT(out, HasSubstr("leases on, 600 ms"));
  EXPECT_THAT(out, HasSubstr("is given a read lease"));
  EXPECT_EQ(Run("group members -o json"), ExitCode::kOk);
  EXPECT_THAT(out, HasSubstr("127.0.0.1:1"));
}

TEST_F(Commands, GroupSetChangesEveryGroupItMeans) {
  ASSERT_EQ(Run("group set leases=off"), ExitCode::kOk) << err;
  for (const Region* region : {&us, &eu})
    EXPECT_FALSE(std::get<replica::SetLeases>(region->group.client.configured.value()).on);
  ASSERT_EQ(Run("group set preset=wan -o json --region eu"), ExitCode::kOk) << err;
  EXPECT_THAT(out, HasSubstr(R"("outcome": "changed")"));
  EXPECT_EQ(std::get<replica::SetTiming>(*eu.group.client.configured).timing, raft::WanTiming());
  EXPECT_EQ(Run("group set lease=long"), ExitCode::kUsage);
  us.group.client.configure_status = absl::InvalidArgumentError("elections must outlast two heartbeats");
  EXPECT_EQ(Run("group set heartbeat=100ms --region us"), ExitCode::kFailed);
  EXPECT_THAT(err, HasSubstr("elections must outlast two heartbeats"));
}

TEST_F(Commands, GroupStatusOfAFollowerSaysWhoseKnowledgeItIs) {
  us.group.client.role = raft::Role::kFollower;
  EXPECT_EQ(RunAt("group status --server " + us.url()), ExitCode::kOk);
  EXPECT_THAT(out, HasSubstr("This is what replica 2 knows: the leader, member 1, could not be asked"));
  EXPECT_EQ(RunAt("group set leases=off --timeout 0.3 --server " + us.url()), ExitCode::kFailed);
  EXPECT_THAT(err, HasSubstr("member 1 leads"));
}

// --- members: us is taken for a follower of eu's group ---

TEST_F(Commands, AChangeOfMembersGoesToWhoeverLeads) {
  us.group.client.role = raft::Role::kFollower;
  eu.group.client.peer = raft::PeerStatus{.id = MemberId{4}, .recent = true, .caught_up = true};
  const std::string servers = " --server " + kNobody.http + "," + us.url() + "," + eu.url();
  EXPECT_EQ(RunAt("member add 127.0.0.1:4 --learner --wait" + servers), ExitCode::kOk) << err;
  EXPECT_FALSE(us.group.client.configured);
  EXPECT_FALSE(std::get<replica::AddMember>(*eu.group.client.configured).promote);
  EXPECT_THAT(out, HasSubstr("member 4 is at 127.0.0.1:4"));
  EXPECT_THAT(out, HasSubstr("quorate serve --join " + kNobody.http + "," + us.url() + "," + eu.url() +
                             " --listen-peer 127.0.0.1:4"));
  EXPECT_EQ(RunAt("member list" + servers), ExitCode::kOk) << err;
  EXPECT_THAT(out, HasSubstr("127.0.0.1:4"));
  EXPECT_EQ(RunAt("member remove 4 --force -o json" + servers), ExitCode::kOk) << err;
  EXPECT_TRUE(std::get<replica::RemoveMember>(*eu.group.client.configured).force);
  EXPECT_EQ(nlohmann::json::parse(out)["already"], false);
  EXPECT_THAT(err, HasSubstr("--force"));
}

TEST_F(Commands, AChangeOfMembersWaitsForItsTurnAndNoLonger) {
  us.group.client.configure_status = absl::UnavailableError("another change is under way: try again");
  const std::string server = " --server " + us.url();
  EXPECT_EQ(RunAt("member demote 1 --timeout 0.5" + server), ExitCode::kUnavailable);
  EXPECT_THAT(err, HasSubstr("another change is under way"));
  us.group.client.configure_status = absl::AbortedError("member 3 does not answer");
  EXPECT_EQ(RunAt("member demote 1" + server), ExitCode::kFailed);
  EXPECT_THAT(err, HasSubstr("member 3 does not answer"));
  us.group.client.configure_status = absl::UnknownError("not complete yet");
  EXPECT_EQ(RunAt("member demote 1 --timeout 0.5" + server), ExitCode::kUnknown);
  us.group.client.role = raft::Role::kFollower;
  EXPECT_EQ(RunAt("member demote 1 --timeout 0.5" + server), ExitCode::kFailed);
  EXPECT_THAT(err, HasSubstr("member 1 leads, and where its HTTP door is nobody says"));
}

TEST_F(Commands, MembersOfOneGroupAreChangedAtATime) {
  EXPECT_EQ(Run("member remove 2"), ExitCode::kUsage);
  EXPECT_THAT(err, HasSubstr("--region and --group"));
  EXPECT_EQ(Run("member remove 2 --region us"), ExitCode::kOk) << err;
  for (const char* line :
       {"member", "member add", "member remove", "member remove x", "member remove 0", "member replace 2"})
    EXPECT_EQ(Run(line), ExitCode::kUsage) << line;
}

}  // namespace
}  // namespace quorate::cli
