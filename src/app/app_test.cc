#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/core_config.h"
#include "app/join.h"
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
  o.join = {"http://127.0.0.1:8101"};
  EXPECT_FALSE(Validate(o).ok()) << "both";
  o.replica_id = 0;
  EXPECT_TRUE(Validate(o).ok()) << Validate(o);
  o.feature_level = 1;
  EXPECT_THAT(MessageOf(Validate(o)), HasSubstr("--join needs --feature-level 2"));
  o.feature_level = 2;
  o.as_learner = true;
  o.replaces = 3;
  EXPECT_THAT(MessageOf(Validate(o)), HasSubstr("replaces nobody"));
  o.as_learner = false;
  o.join = {"http://127.0.0.1:8101", "127.0.0.1:8102"};
  EXPECT_THAT(MessageOf(Validate(o)), HasSubstr("127.0.0.1:8102"));
}

TEST(Validate, AFeatureLevelIsOneThatThisProgramHas) {
  for (const uint64_t level : {uint64_t{0}, raft::kFeatureLevel + 1}) {
    ServeOptions o = Valid();
    o.feature_level = level;
    EXPECT_THAT(MessageOf(Validate(o)), HasSubstr("--feature-level"));
  }
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

TEST(PlaceByHand, WhoWasAddedLaterIsNoPartOfTheFirstConfiguration) {
  ServeOptions o = Valid();
  o.members.push_back("4=127.0.0.1:9/joined");
  const auto first = PlaceByHand(o);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->members[2].addresses.peer, "127.0.0.1:9");
  EXPECT_EQ(BootstrapConfiguration(*first).members.size(), 2u);
  o.replica_id = 4;
  const auto later = PlaceByHand(o);
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_TRUE(BootstrapConfiguration(*later).members.empty());
  o.members = {"4=127.0.0.1:9/joined"};
  EXPECT_THAT(MessageOf(PlaceByHand(o).status()), HasSubstr("a member that votes"));
}

class TakenPlace : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(path);
    Open();
  }
  void TearDown() override {
    directory.reset();
    std::filesystem::remove_all(path);
  }
  void Open() {
    directory.reset();
    auto opened = storage::DataDirectory::Open(path);
    ASSERT_TRUE(opened.ok()) << opened.status();
    directory = *std::move(opened);
  }
  absl::StatusOr<oracle::Assignment> Take(const ServeOptions& o) {
    return TakePlace(o, *directory, {}, [](const std::string&) {});
  }

  const std::string path = testing::TempDir() + "/taken_place";
  std::unique_ptr<storage::DataDirectory> directory;
};

TEST_F(TakenPlace, WhoJoinedOnceNeedsNoWordOfIt) {
  ASSERT_TRUE(SavePlace(path, {GroupId{3}, MemberId{5}, "a group"}).ok());
  for (int start = 0; start < 2; ++start) {
    const auto place = Take({});
    ASSERT_TRUE(place.ok()) << place.status();
    EXPECT_EQ(place->group_id, GroupId{3});
    EXPECT_EQ(place->replica_id, MemberId{5});
    EXPECT_EQ(place->group, "a group");
    EXPECT_TRUE(BootstrapConfiguration(*place).members.empty());
    EXPECT_EQ(directory->identity().member, MemberId{5});
    Open();
  }
}

TEST_F(TakenPlace, AnEmptyDirectoryWithoutAWordIsRefusedAndOneInUseDoesNotJoin) {
  EXPECT_THAT(MessageOf(Take({}).status()), HasSubstr("--join"));
  ASSERT_TRUE(Take(Valid()).ok());
  ServeOptions o;
  o.join = {"http://127.0.0.1:9"};
  EXPECT_THAT(MessageOf(Take(o).status()), HasSubstr("belongs to member 2 of group 1 already"));
}

TEST(PlaceFile, IsReadAsItWasWrittenAndNoDamageIsTaken) {
  const JoinedPlace place{GroupId{3}, MemberId{5}, "a group"};
  const std::string text = EncodePlace(place);
  EXPECT_EQ(DecodePlace(text).value(), place);
  EXPECT_EQ(DecodePlace(EncodePlace({GroupId{3}, MemberId{5}, ""}))->group_name, "");
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodePlace(damaged).ok()) << bit;
  }
  EXPECT_EQ(DecodePlace("").status().code(), absl::StatusCode::kDataLoss);
}

constexpr const char* kPlace =
    R"({"id": 4, "group": {"id": 1, "name": "g"}, "address": "127.0.0.4:1", "instance": "00000000000000ff"})";

absl::StatusOr<JoinedPlace> FromReply(long status, const std::string& body, uint64_t instance = 255,
                                      const std::string& address = "127.0.0.4:1") {
  return PlaceFromReply(status, body, "http://d", instance, address);
}

TEST(PlaceFromReply, TakesANewPlaceAndOneThatItHasAlready) {
  const JoinedPlace expected{GroupId{1}, MemberId{4}, "g"};
  EXPECT_EQ(FromReply(201, kPlace).value(), expected);
  const std::string already =
      std::string(R"({"error": "member 4", "code": "already", "place": )") + kPlace + "}";
  EXPECT_EQ(FromReply(409, already, 255, "127.0.0.9:1").value(), expected) << "the same data directory";
  const auto other = FromReply(409, already, 7);
  EXPECT_EQ(other.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(other.status()), HasSubstr("another data directory"));
  std::string by_hand = already;
  by_hand.replace(by_hand.find("00000000000000ff"), 16, "");
  EXPECT_EQ(FromReply(409, by_hand, 7).value(), expected)
      << "added by hand, for whoever comes to that address";
  EXPECT_FALSE(FromReply(409, by_hand, 7, "127.0.0.9:1").ok());
}

TEST(PlaceFromReply, SaysWhetherToAskAgain) {
  for (const int status : {421, 429, 500, 503, 504})
    EXPECT_TRUE(absl::IsUnavailable(FromReply(status, "{}").status())) << status;
  for (const int status : {400, 404})
    EXPECT_TRUE(absl::IsFailedPrecondition(FromReply(status, "{}").status()));
  EXPECT_THAT(MessageOf(FromReply(401, "{}").status()), HasSubstr("api.token_file"));
  for (const char* body : {"", "[]", "{}", R"({"id": 4})", R"({"id": 4, "group": {"id": 1, "name": "a
b"}})",
                           R"({"id": "4", "group": {"id": 1, "name": "g"}})"})
    EXPECT_THAT(MessageOf(FromReply(201, body).status()), HasSubstr("gave no place")) << body;
}

TEST(CoreConfigFor, AProgramOfLevel1SaysNothingOfItsInstance) {
  const storage::Identity identity{.uuid = "u", .member = MemberId{2}, .incarnation = 3, .instance = 9};
  ServeOptions o = Valid();
  EXPECT_EQ(CoreConfigFor(o, identity)->instance, 9u);
  EXPECT_EQ(CoreConfigFor(o, identity)->self, MemberId{2});
  o.feature_level = 1;
  EXPECT_EQ(CoreConfigFor(o, identity)->instance, 0u);
  EXPECT_EQ(CoreConfigFor(o, identity)->feature_level, 1u);
  storage::Identity repairs = identity;
  repairs.repairs = 8;
  EXPECT_FALSE(CoreConfigFor(o, repairs).ok()) << "it would vote as if it had lost nothing";
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
