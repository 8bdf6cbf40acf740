#include "oracle/service.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/status_macros.h"
#include "oracle/json.h"

namespace quorate::oracle {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kInit =
    R"({"n_regions":"2","region_names":["us-east-1","ap-southeast-1"],"instances_per_region":"9","replicas_per_ns":"3"})";

class OracleService : public testing::Test {
 protected:
  OracleService() {
    std::string pattern = std::filesystem::temp_directory_path() / "oracle-test-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    Restart();
  }
  ~OracleService() override {
    service_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Restart() {
    service_.reset();
    auto opened = Service::Open(dir_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    service_ = *std::move(opened);
  }
  Reply Post(const std::string& path, const std::string& body) {
    return service_->Handle("POST", path, body);
  }
  Reply Register(int i, const std::string& region = "us-east-1") {
    const std::string id = region + "-" + std::to_string(i);
    const json body = {{"inst_id", id},
                       {"region", region},
                       {"uuid", "uuid-" + id},
                       {"incarnation", 1},
                       {"addresses", {{"peer", id + ":2380"}, {"dns", id + ":5300"}}}};
    return Post("/register_replica", body.dump());
  }
  absl::Status OpenWith(const std::string& state) {
    service_.reset();
    std::ofstream(dir_ + "/oracle.json") << state;
    return Service::Open(dir_).status();
  }

  std::string dir_;
  std::unique_ptr<Service> service_;
};

TEST_F(OracleService, TakesTheJsonOfTheOriginalWithNumbersAsStringsOrNumbers) {
  EXPECT_EQ(Post("/init", kInit).status, 200);
  const char* numbers =
      R"({"n_regions":2,"region_names":["us-east-1","ap-southeast-1"],"instances_per_region":9,"replicas_per_ns":3})";
  EXPECT_EQ(Post("/init", numbers).status, 200);
  EXPECT_EQ(json::parse(service_->Handle("GET", "/status", "").body)["phase"], "forming");
}

TEST_F(OracleService, SaysWhatIsWrongWithABody) {
  EXPECT_THAT(Post("/init", "{").body, HasSubstr("not a JSON object"));
  EXPECT_THAT(Post("/init", "[]").body, HasSubstr("not a JSON object"));
  EXPECT_THAT(Post("/init", "{}").body, HasSubstr("`n_regions` is missing"));
  EXPECT_THAT(Post("/init", R"({"n_regions":"-2"})").body, HasSubstr("`n_regions` is not a whole number"));
  EXPECT_THAT(Post("/init", R"({"n_regions":2,"region_names":"a"})").body,
              HasSubstr("`region_names` is not an array"));
  EXPECT_THAT(Post("/init", R"({"n_regions":1,"region_names":[1]})").body, HasSubstr("array of strings"));
  EXPECT_THAT(Post("/register_replica", R"({"inst_id":"a","region":"b","uuid":"c"})").body,
              HasSubstr("`addresses` is missing"));
  EXPECT_THAT(Post("/get_env", "{}").body, HasSubstr("`inst_id` is missing"));
  EXPECT_EQ(Post("/init", "\xff").status, 400);
}

TEST_F(OracleService, SaysWhichPathsAndMethodsThereAre) {
  EXPECT_EQ(service_->Handle("GET", "/nothing", "").status, 404);
  const Reply reply = service_->Handle("GET", "/init", "");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.allow, "POST");
}

TEST_F(OracleService, GivesTheEnvironmentWhenTheGroupIsComplete) {
  Post("/init", kInit);
  EXPECT_EQ(json::parse(Register(1).body)["status"], "pending");
  Register(2);
  const json env = json::parse(Register(3).body);
  EXPECT_EQ(env["status"], "ok");
  EXPECT_EQ(env["replica_id"], 3);
  EXPECT_EQ(env["group"], "root");
  EXPECT_EQ(env["zones"], json({"."}));
  EXPECT_EQ(env["members"].size(), 3u);
  EXPECT_EQ(env["balancer"]["targets"].size(), 3u);
  const json asked = json::parse(Post("/get_env", R"({"inst_id":"us-east-1-1","region":"us-east-1"})").body);
  EXPECT_EQ(asked["status"], "ok");
  EXPECT_EQ(asked["replica_id"], 1);
  EXPECT_EQ(Post("/get_env", R"({"inst_id":"x","region":"us-east-1"})").status, 404);
}

TEST_F(OracleService, AReplicaReadsItsAssignmentFromTheEnvironment) {
  Post("/init", kInit);
  const auto pending = ParseEnv(Register(1).body);
  ASSERT_TRUE(pending.ok());
  EXPECT_FALSE(pending->has_value());
  Register(2);
  const auto formed = ParseEnv(Register(3).body);
  ASSERT_TRUE(formed.ok() && formed->has_value());
  EXPECT_EQ((*formed)->group_id.value, 1u);
  EXPECT_EQ((*formed)->replica_id.value, 3u);
  EXPECT_EQ((*formed)->members[1].addresses.peer, "us-east-1-2:2380");
  for (const char* wrong :
       {"", "{}", "[]", R"({"status":"ok"})",
        R"({"status":"ok","group_id":1,"group":"g","replica_id":1,"zones":[],"members":[]})"}) {
    EXPECT_FALSE(ParseEnv(wrong).ok()) << wrong;
  }
}

TEST_F(OracleService, RemembersEverythingOverARestart) {
  Post("/init", kInit);
  for (int i = 1; i <= 5; ++i) Register(i);
  const std::string before = service_->Handle("GET", "/status", "").body;
  Restart();
  EXPECT_EQ(service_->Handle("GET", "/status", "").body, before);
  EXPECT_EQ(json::parse(Register(4).body)["replica_id"], 1);
  EXPECT_EQ(Post("/init", kInit).status, 200);
}

TEST_F(OracleService, RefusesAStateThatItDoesNotUnderstand) {
  Post("/init", kInit);
  Register(1);
  std::string text;
  std::getline(std::ifstream(dir_ + "/oracle.json"), text, '\0');
  EXPECT_THAT(MessageOf(OpenWith(text.substr(0, text.size() / 2))), HasSubstr("not JSON"));
  EXPECT_THAT(MessageOf(OpenWith("{}")), HasSubstr("no state of an Oracle"));
  json state = json::parse(text);
  state["version"] = 2;
  EXPECT_THAT(MessageOf(OpenWith(state.dump())), HasSubstr("version 2"));
  state = json::parse(text);
  state["replicas"][0]["id"] = 2;
  EXPECT_THAT(MessageOf(OpenWith(state.dump())), HasSubstr("not where it belongs"));
  state = json::parse(text);
  state.erase("layout");
  EXPECT_FALSE(OpenWith(state.dump()).ok());
  EXPECT_TRUE(OpenWith(text).ok());
}

TEST_F(OracleService, TwoOraclesNeverShareAState) {
  EXPECT_THAT(MessageOf(Service::Open(dir_).status()), HasSubstr("another Oracle uses"));
}

TEST_F(OracleService, TellsNobodyOfAPlaceThatItCouldNotStore) {
  Post("/init", kInit);
  // A directory in the way of the new state file makes every write fail, for root as well.
  std::filesystem::create_directory(dir_ + "/oracle.json.new");
  EXPECT_EQ(Register(1).status, 507);
  EXPECT_EQ(Post("/get_env", R"({"inst_id":"us-east-1-1","region":"us-east-1"})").status, 404);
  std::filesystem::remove(dir_ + "/oracle.json.new");
  EXPECT_EQ(Register(1).status, 200);
}

}  // namespace
}  // namespace quorate::oracle
