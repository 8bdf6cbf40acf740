#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/place.h"
#include "app/seed.h"
#include "app/serve_config.h"
#include "base/status_macros.h"
#include "zone/builder.h"

namespace quorate::app {
namespace {

using testing::HasSubstr;

class ConfigFile : public testing::Test {
 protected:
  absl::Status Load(const std::string& text) {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path = std::filesystem::path(testing::TempDir()) / (std::string("config.") + info->name() + ".toml");
    std::ofstream(path) << text;
    options.config_file = path;
    return LoadConfigFile(options);
  }
  void TearDown() override { std::filesystem::remove(path); }

  ServeOptions options;
  std::filesystem::path path;
};

TEST_F(ConfigFile, FlagsWinOverTheFileAndTheFileOverDefaults) {
  options.data_dir = "from-flag";
  ASSERT_TRUE(
      Load("data = 'from-file'\n[listen]\ndns = ['127.0.0.1:5300']\n[raft]\nheartbeat_ms = 70\n").ok());
  EXPECT_EQ(options.data_dir, "from-flag");
  EXPECT_EQ(options.listen_dns, std::vector<std::string>{"127.0.0.1:5300"});
  EXPECT_EQ(options.heartbeat_ms, 70);
  EXPECT_EQ(options.election_ms, 0);
}

TEST_F(ConfigFile, AnUnknownKeyIsNamedWithItsLine) {
  const absl::Status status = Load("data = 'd'\n[listen]\ndsn = ['127.0.0.1:5300']\n");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(status), HasSubstr(":3: unknown key `listen.dsn`"));
}

TEST_F(ConfigFile, AWrongTypeIsNamedWithItsLine) {
  EXPECT_THAT(MessageOf(Load("[raft]\nheartbeat_ms = 'fast'\n")),
              HasSubstr(":2: `raft.heartbeat_ms` must be"));
  EXPECT_THAT(MessageOf(Load("[raft]\nheartbeat_ms = -1\n")), HasSubstr("a positive number"));
}

TEST_F(ConfigFile, BadSyntaxIsNamedWithItsLine) {
  EXPECT_THAT(MessageOf(Load("data = \n")), HasSubstr(":1: "));
}

ServeOptions Valid() {
  ServeOptions o;
  o.data_dir = "d";
  o.listen_peer = "127.0.0.1:2380";
  o.listen_dns = {"[::1]:5300"};
  o.group_id = 1;
  o.replica_id = 2;
  o.members = {"1=127.0.0.1:2380", "2=[::1]:2380"};
  return o;
}

TEST(Validate, TakesWhatIsComplete) { EXPECT_TRUE(Validate(Valid()).ok()); }

TEST(Validate, ADoorOffLoopbackNeedsTls) {
  for (std::string ServeOptions::*door :
       {&ServeOptions::listen_http, &ServeOptions::listen_etcd, &ServeOptions::listen_peer}) {
    ServeOptions o = Valid();
    o.*door = "192.0.2.1:80";
    EXPECT_THAT(MessageOf(Validate(o)), HasSubstr("needs TLS"));
  }
}

TEST(Validate, AReplicaIsFormedInOneWay) {
  ServeOptions o = Valid();
  o.oracle_url = "http://127.0.0.1:8050";
  EXPECT_FALSE(Validate(o).ok()) << "both";
  o = Valid();
  o.replica_id = 0;
  EXPECT_FALSE(Validate(o).ok()) << "neither";
}

TEST(Validate, ElectionsMustOutlastHeartbeats) {
  ServeOptions o = Valid();
  o.heartbeat_ms = 100;
  EXPECT_THAT(MessageOf(Validate(o)), HasSubstr("raft.election_ms"));
}

TEST(Validate, DnsNeedsAWorker) {
  for (const int workers : {-3, 0, 100000}) {
    ServeOptions o = Valid();
    o.dns_workers = workers;
    EXPECT_THAT(MessageOf(Validate(o)), HasSubstr("--dns-workers")) << workers;
  }
}

TEST_F(ConfigFile, LeasesAndPresetAreToldInTheFileOrByFlag) {
  ASSERT_TRUE(Load("[raft]\npreset = 'wan'\nleases = false\n").ok());
  EXPECT_EQ(options.preset, "wan");
  EXPECT_FALSE(options.leases);
  ASSERT_TRUE(Load("[raft]\nleases = true\n").ok());
  EXPECT_FALSE(options.leases) << "--no-leases wins over the file";
  EXPECT_THAT(MessageOf(Load("[raft]\nleases = 'on'\n")), HasSubstr("true or false"));
}

TEST(BootstrapTiming, HoldIsThePresetsUnlessGiven) {
  ServeOptions o = Valid();
  o.preset = "wan";
  EXPECT_EQ(BootstrapTiming(o), raft::WanTiming());
  o.hold_ms = 70;
  EXPECT_EQ(BootstrapTiming(o).hold, std::chrono::milliseconds(70));
}

TEST(SplitAddress, TakesNumericAddressesOfBothFamilies) {
  std::string host;
  uint16_t port = 0;
  EXPECT_TRUE(SplitAddress("[2001:db8::1]:53", host, port).ok());
  EXPECT_EQ(host, "2001:db8::1");
  EXPECT_EQ(port, 53);
  for (const char* bad :
       {"localhost:53", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:5x", "[::1]", ":53"}) {
    EXPECT_FALSE(SplitAddress(bad, host, port).ok()) << bad;
  }
}

TEST(PlaceByHand, RefusesMembersThatMakeNoSense) {
  EXPECT_TRUE(PlaceByHand(Valid()).ok());
  for (const char* bad : {"x=127.0.0.1:1", "1", "0=127.0.0.1:1", "1=localhost:1", "2=127.0.0.1:9"}) {
    ServeOptions o = Valid();
    o.members.push_back(bad);
    EXPECT_FALSE(PlaceByHand(o).ok()) << bad;
  }
  ServeOptions learner = Valid();
  learner.members.push_back("3=127.0.0.1:9/learner");
  const auto place = PlaceByHand(learner);
  ASSERT_TRUE(place.ok());
  EXPECT_TRUE(place->members[1].voter);
  EXPECT_FALSE(place->members[2].voter);
  EXPECT_EQ(place->members[2].addresses.peer, "127.0.0.1:9");
  learner.members = {"2=127.0.0.1:9/learner"};
  EXPECT_THAT(MessageOf(PlaceByHand(learner).status()), HasSubstr("a member that votes"));
  ServeOptions unlisted = Valid();
  unlisted.replica_id = 3;
  EXPECT_THAT(MessageOf(PlaceByHand(unlisted).status()), HasSubstr("does not list this replica"));
}

TEST(Seed, EveryZoneIsValidAndNamesTheGroupsServers) {
  const auto seed = MakeSeed({".", "org.", "example.org."}, {"192.0.2.1", "2001:db8::2"});
  ASSERT_TRUE(seed.ok());
  ASSERT_EQ(seed->zones.size(), 3u);
  for (const rsm::ZoneCreate& made : seed->zones) {
    zone::ZoneBuilder builder(made.apex);
    for (const dns::RRset& rrset : made.rrsets) builder.Add(rrset);
    const auto built = std::move(builder).Build();
    ASSERT_TRUE(std::holds_alternative<zone::ZonePtr>(built)) << made.apex.ToText();
    EXPECT_EQ(std::get<zone::ZonePtr>(built)->record_count(), 5u);
  }
  EXPECT_FALSE(MakeSeed({"bad..name"}, {"192.0.2.1"}).ok());
}

}  // namespace
}  // namespace quorate::app
