#include "oracle/plan.h"

#include <gmock/gmock.h>

#include "oracle/names.h"

namespace quorate::oracle {
namespace {

using testing::HasSubstr;

InitRequest ExampleInit() {
  return {.n_regions = 2,
          .region_names = {"us-east-1", "ap-southeast-1"},
          .instances_per_region = 9,
          .replicas_per_group = 3,
          .groups = {}};
}

RegisterRequest Instance(const std::string& id, const std::string& region = "us-east-1") {
  return {.inst_id = id,
          .region = region,
          .uuid = "uuid-" + id,
          .incarnation = 1,
          .addresses = {.peer = "127.0." + std::to_string(id.size()) + ".1:" + id.substr(id.rfind('-') + 1)}};
}

Deployment Initialised(const InitRequest& request = ExampleInit()) { return *Initialise({}, request); }

Deployment With(Deployment deployment, int instances, const std::string& region = "us-east-1") {
  for (int i = 1; i <= instances; ++i) {
    deployment = *Register(deployment, Instance(region + "-" + std::to_string(i), region));
  }
  return deployment;
}

Refusal InitRefusal(const InitRequest& request) {
  const auto result = Initialise({}, request);
  return result.ok() ? Refusal{.status = 200} : result.error();
}

Refusal RegisterRefusal(const Deployment& deployment, const RegisterRequest& request) {
  const auto result = Register(deployment, request);
  return result.ok() ? Refusal{.status = 200} : result.error();
}

TEST(OracleInit, WithoutGroupsGivesTheExampleOfTheOriginal) {
  const Deployment deployment = Initialised();
  ASSERT_EQ(deployment.layout->groups.size(), 3u);
  EXPECT_EQ(deployment.layout->groups[0], (GroupTemplate{"root", {"."}}));
  EXPECT_EQ(deployment.layout->groups[1], (GroupTemplate{"org", {"org."}}));
  EXPECT_EQ(deployment.layout->groups[2], (GroupTemplate{"example.org", {"example.org."}}));
  EXPECT_EQ(PhaseOf(deployment), Phase::kForming);
}

TEST(OracleInit, TheSameAgainChangesNothingAndOtherValuesConflict) {
  const Deployment once = Initialised();
  EXPECT_EQ(*Initialise(once, ExampleInit()), once);
  InitRequest other = ExampleInit();
  other.region_names[1] = "eu-west-1";
  const auto result = Initialise(once, other);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().status, 409);
}

TEST(OracleInit, ZonesAreKeptInOneForm) {
  InitRequest request = ExampleInit();
  request.groups = {{.name = "a", .zones = {"Example.ORG"}},
                    {.name = "b", .zones = {"."}},
                    {.name = "c", .zones = {"net."}}};
  EXPECT_EQ(Initialised(request).layout->groups[0].zones[0], "example.org.");
}

TEST(OracleInit, RefusesReplicasThatDoNotDivideTheInstances) {
  InitRequest request = ExampleInit();
  request.instances_per_region = 10;
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("does not divide"));
  EXPECT_EQ(InitRefusal(request).status, 400);
}

TEST(OracleInit, RefusesGroupsThatDoNotFillTheInstances) {
  InitRequest request = ExampleInit();
  request.instances_per_region = 12;
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("need 9 instances per region"));
}

TEST(OracleInit, RefusesACountOfNamesThatDiffers) {
  InitRequest request = ExampleInit();
  request.n_regions = 3;
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("region_names has 2 names"));
}

TEST(OracleInit, RefusesNamesThatAreTwiceOrUnusable) {
  InitRequest request = ExampleInit();
  request.region_names = {"a", "a"};
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("named twice"));
  request.region_names = {"a", "b c"};
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("not usable"));
}

TEST(OracleInit, RefusesZonesThatAreTwiceOrNoNames) {
  InitRequest request = ExampleInit();
  request.groups = {
      {.name = "a", .zones = {"org."}}, {.name = "b", .zones = {"ORG"}}, {.name = "c", .zones = {"."}}};
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("listed twice"));
  request.groups[1].zones = {"bad..name."};
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("not a domain name"));
  request.groups[1].zones = {};
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("has 0 zones"));
}

TEST(OracleInit, RefusesModesThatItCannotForm) {
  InitRequest request = ExampleInit();
  request.groups = {
      {.name = "a", .zones = {"."}}, {.name = "b", .zones = {"b."}}, {.name = "c", .zones = {"c."}}};
  request.groups[2].mode = "spanning";
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("spanning"));
  request.groups[2].mode = "quantum";
  EXPECT_THAT(InitRefusal(request).error, HasSubstr("unknown mode"));
}

TEST(OracleInit, RefusesZeroAndTooMany) {
  InitRequest request = ExampleInit();
  request.replicas_per_group = 0;
  EXPECT_EQ(InitRefusal(request).status, 400);
  request.replicas_per_group = 1000;
  EXPECT_EQ(InitRefusal(request).status, 400);
  request = ExampleInit();
  request.n_regions = 0;
  EXPECT_EQ(InitRefusal(request).status, 400);
}

TEST(OracleRegister, FillsGroupAfterGroupInOrderOfRegistration) {
  const Deployment deployment = With(Initialised(), 9);
  for (int i = 0; i < 9; ++i) {
    const Replica& replica = deployment.replicas[static_cast<size_t>(i)];
    EXPECT_EQ(replica.group, static_cast<size_t>(i / 3));
    EXPECT_EQ(replica.id.value, static_cast<uint64_t>(i % 3 + 1));
  }
  EXPECT_EQ(PhaseOf(deployment), Phase::kForming);
  const Deployment full = With(deployment, 9, "ap-southeast-1");
  EXPECT_EQ(PhaseOf(full), Phase::kReady);
  EXPECT_EQ(GroupIdOf(*full.layout, 0, 0).value, 1u);
  EXPECT_EQ(GroupIdOf(*full.layout, 1, 2).value, 6u);
}

TEST(OracleRegister, TheSameDirectoryKeepsItsPlaceAndRenewsItsAddresses) {
  const Deployment before = With(Initialised(), 4);
  RegisterRequest again = Instance("us-east-1-2");
  again.addresses.peer = "127.9.9.9:2380";
  again.incarnation = 7;
  const Deployment after = *Register(before, again);
  const Replica* replica = FindInstance(after, "us-east-1-2");
  EXPECT_EQ(replica->addresses.peer, "127.9.9.9:2380");
  EXPECT_EQ(replica->incarnation, 7u);
  EXPECT_EQ(replica->id, FindInstance(before, "us-east-1-2")->id);
  EXPECT_EQ(after.replicas.size(), before.replicas.size());
}

TEST(OracleRegister, AnotherDirectoryOfTheSameInstanceConflicts) {
  RegisterRequest reborn = Instance("us-east-1-2");
  reborn.uuid = "another";
  const Refusal refusal = RegisterRefusal(With(Initialised(), 4), reborn);
  EXPECT_EQ(refusal.status, 409);
  EXPECT_THAT(refusal.error, HasSubstr("another data directory"));
}

TEST(OracleRegister, OneDirectoryCannotBeTwoInstances) {
  RegisterRequest copy = Instance("us-east-1-8");
  copy.uuid = "uuid-us-east-1-2";
  EXPECT_EQ(RegisterRefusal(With(Initialised(), 4), copy).status, 409);
}

TEST(OracleRegister, OnePeerAddressCannotBeTwoInstances) {
  RegisterRequest copy = Instance("us-east-1-8");
  copy.addresses.peer = Instance("us-east-1-2").addresses.peer;
  EXPECT_EQ(RegisterRefusal(With(Initialised(), 4), copy).status, 409);
}

TEST(OracleRegister, RefusesWhatItCannotPlace) {
  EXPECT_EQ(RegisterRefusal({}, Instance("i-1")).status, 425);
  EXPECT_THAT(RegisterRefusal({}, Instance("i-1")).hint, HasSubstr("POST /init"));
  EXPECT_EQ(RegisterRefusal(Initialised(), Instance("i-1", "mars")).status, 400);
  EXPECT_EQ(RegisterRefusal(With(Initialised(), 9), Instance("i-10")).status, 409);
  RegisterRequest moved = Instance("us-east-1-2");
  moved.region = "ap-southeast-1";
  EXPECT_EQ(RegisterRefusal(With(Initialised(), 4), moved).status, 409);
  RegisterRequest without_peer = Instance("i-1");
  without_peer.addresses.peer = "";
  EXPECT_EQ(RegisterRefusal(Initialised(), without_peer).status, 400);
  RegisterRequest without_uuid = Instance("i-1");
  without_uuid.uuid = "";
  EXPECT_EQ(RegisterRefusal(Initialised(), without_uuid).status, 400);
}

TEST(OracleEnv, IsThatOfTheInstanceOrSaysWhyNot) {
  const Deployment deployment = With(Initialised(), 4);
  EXPECT_EQ((*FindEnv(deployment, "us-east-1-4", "us-east-1"))->group, 1u);
  EXPECT_EQ(FindEnv(deployment, "nobody", "us-east-1").error().status, 404);
  EXPECT_EQ(FindEnv(deployment, "us-east-1-4", "ap-southeast-1").error().status, 400);
  EXPECT_EQ(FindEnv({}, "us-east-1-4", "us-east-1").error().status, 425);
}

TEST(OracleNames, ZonesAreDomainNames) {
  EXPECT_EQ(CanonicalZone("."), ".");
  EXPECT_EQ(CanonicalZone("_tcp.Ex-1.ORG."), "_tcp.ex-1.org.");
  EXPECT_EQ(CanonicalZone(""), std::nullopt);
  EXPECT_EQ(CanonicalZone(".."), std::nullopt);
  EXPECT_EQ(CanonicalZone("a b."), std::nullopt);
  EXPECT_TRUE(CanonicalZone(std::string(63, 'a') + ".").has_value());
  EXPECT_EQ(CanonicalZone(std::string(64, 'a') + "."), std::nullopt);
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  EXPECT_TRUE(CanonicalZone(longest).has_value());
  EXPECT_EQ(CanonicalZone(longest + "a."), std::nullopt);
}

TEST(OracleNames, AddressesNameAHostAndAPort) {
  EXPECT_TRUE(IsAddress("127.0.0.1:53"));
  EXPECT_TRUE(IsAddress("[::1]:53"));
  EXPECT_FALSE(IsAddress("::1:53"));
  EXPECT_FALSE(IsAddress("127.0.0.1"));
  EXPECT_FALSE(IsAddress("127.0.0.1:0"));
  EXPECT_FALSE(IsAddress("127.0.0.1:70000"));
  EXPECT_FALSE(IsAddress(":53"));
}

}  // namespace
}  // namespace quorate::oracle
