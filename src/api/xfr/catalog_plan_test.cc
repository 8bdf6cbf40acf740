#include "api/xfr/catalog_plan.h"

#include <gmock/gmock.h>

#include "api/xfr/test_world.h"
#include "zone/catalog.h"

namespace quorate::api::xfr {
namespace {

constexpr const char* kHead = "@ 0 SOA invalid. invalid. 1 1 1 1 1\n@ 0 NS invalid.\nversion 0 TXT \"2\"\n";

// A group that consumes `catalog.` with this content.
class Consumer : public World {
 public:
  explicit Consumer(const std::string& text, const std::string& name = "catalog.") { AddCatalog(name, text); }
  void AddCatalog(const std::string& name, const std::string& text) {
    EXPECT_EQ(
        Apply(rsm::SecondaryCreate{N(name), "primaries=192.0.2.9\ncatalog-role=consumed\nquery=none"}).reason,
        "");
    Load(name, text);
  }
  void Load(const std::string& name, const std::string& text) {
    EXPECT_EQ(Apply(rsm::ZoneTransferIn{N(name), std::nullopt, Records(N(name), kHead + text), {}}).reason,
              "");
  }
  // Does what the catalog wants until it wants nothing; gives how much that was.
  size_t Reconcile(const std::string& name = "catalog.") {
    size_t done = 0;
    for (const rsm::Command& change : CatalogChanges(*state.zones(), N(name))) {
      EXPECT_EQ(Apply(change.body).reason, "");
      ++done;
    }
    EXPECT_TRUE(CatalogChanges(*state.zones(), N(name)).empty());
    return done;
  }
  std::string Zones() const {
    std::string names;
    for (const zone::ZonePtr& zone : state.zones()->All()) names += zone->apex().ToText() + " ";
    return names;
  }
  const zone::Settings& Settings(const std::string& name) const {
    return state.zones()->SettingsOf(*Zone(name));
  }
};

TEST(Catalog, Rfc9432Section5_MembersComeAndGo) {
  Consumer world("x.zones 0 PTR a.\ny.zones 0 PTR b.\n");
  EXPECT_EQ(world.Reconcile(), 2u);
  EXPECT_EQ(world.Zones(), "a. b. catalog. ");
  EXPECT_EQ(zone::ToText(world.Settings("a.").primaries), "192.0.2.9");
  EXPECT_EQ(world.Settings("a.").state, zone::SecondaryState::kNotLoaded);
  world.Load("catalog.", "y.zones 0 PTR b.\n");
  EXPECT_EQ(world.Reconcile(), 1u);
  EXPECT_EQ(world.Zones(), "b. catalog. ");
}

TEST(Catalog, Rfc9432Section5_2_AZoneThatIsHereOtherwiseIsLeftAlone) {
  Consumer world("x.zones 0 PTR a.\n");
  world.Create("a.", "@ SOA ns1 admin 7 1 1 1 1\n@ NS ns1\n");
  EXPECT_EQ(world.Reconcile(), 0u);
  world.Load("catalog.", "");
  EXPECT_EQ(world.Reconcile(), 0u);
  EXPECT_EQ(world.Zones(), "a. catalog. ");
}

TEST(Catalog, Rfc9432Section5_1_ABrokenCatalogChangesNothing) {
  Consumer world("x.zones 0 PTR a.\n");
  world.Reconcile();
  for (const char* broken : {"version 0 TXT \"1\"\n", "y.zones 0 PTR b.\ny.zones 0 PTR c.\n",
                             "y.zones 0 PTR b.\nz.zones 0 PTR b.\n"}) {
    world.Load("catalog.", broken);
    EXPECT_FALSE(zone::CatalogMembers(*world.Zone("catalog.")).ok()) << broken;
    EXPECT_EQ(world.Reconcile(), 0u) << broken;
  }
  EXPECT_EQ(world.Zones(), "a. catalog. ");
}

TEST(Catalog, Rfc9432Section5_4_AnotherLabelBeginsTheZoneAnew) {
  Consumer world("x.zones 0 PTR a.\n");
  world.Reconcile();
  world.Apply(rsm::ZoneTransferIn{
      N("a."), std::nullopt, World::Records(N("a."), "@ SOA n m 7 1 1 1 1\n@ NS n\n"), {}});
  world.Load("catalog.", "x.zones 0 PTR A.\n");
  EXPECT_EQ(world.Reconcile(), 0u);
  world.Load("catalog.", "y.zones 0 PTR a.\n");
  EXPECT_EQ(world.Reconcile(), 2u);
  EXPECT_EQ(world.Settings("a.").state, zone::SecondaryState::kNotLoaded);
}

TEST(Catalog, Rfc9432Section4_4_1_ChangeOfOwnershipNeedsBoth) {
  Consumer world("x.zones 0 PTR a.\n");
  world.Reconcile();
  world.AddCatalog("next.", "q.zones 0 PTR a.\n");
  EXPECT_EQ(world.Reconcile("next."), 0u);
  world.Load("catalog.", "x.zones 0 PTR a.\ncoo.x.zones 0 PTR next.\n");
  EXPECT_EQ(world.Reconcile("next."), 1u);
  EXPECT_EQ(world.Settings("a.").from_catalog, N("next."));
  world.Load("catalog.", "");
  EXPECT_EQ(world.Reconcile(), 0u);
  EXPECT_EQ(world.Zones(), "a. catalog. next. ");
}

// What is produced here can be consumed.
TEST(Catalog, Rfc9432Section4_ProducedFromTheSettingsOfItsMembers) {
  World world;
  const auto members = [&] {
    std::vector<std::string> names;
    const auto parsed = zone::CatalogMembers(*world.Zone("catalog."));
    EXPECT_TRUE(parsed.ok());
    for (const auto& member : *parsed) names.push_back(member.name.ToText());
    std::sort(names.begin(), names.end());
    return names;
  };
  for (const char* name : {"a.", "B.", "c."}) world.Create(name, "@ SOA n m 1 1 1 1 1\n@ NS n\n");
  world.Apply(rsm::ZoneSettings{N("a."), "catalog=catalog."});  // before there is one
  world.Create("catalog.", "@ SOA n m 1 1 1 1 1\n@ NS invalid.\nstray TXT \"goes\"\n");
  ASSERT_EQ(world.Apply(rsm::ZoneSettings{N("catalog."), "catalog-role=produced\nquery=none"}).reason, "");
  EXPECT_THAT(members(), testing::ElementsAre("a."));
  EXPECT_EQ(world.Zone("catalog.")->Find(N("stray.catalog.").wire()), nullptr);
  const dns::Serial before = world.Zone("catalog.")->serial();
  world.Apply(rsm::ZoneSettings{N("B."), "catalog=catalog."});
  EXPECT_THAT(members(), testing::ElementsAre("a.", "b."));
  EXPECT_TRUE(dns::IsNewer(world.Zone("catalog.")->serial(), before));
  world.Apply(rsm::ZoneDelete{N("a.")});
  world.Apply(rsm::ZoneSettings{N("B."), "catalog=none"});
  world.Apply(rsm::SecondaryCreate{N("d."), "primaries=192.0.2.9\ncatalog=catalog."});
  EXPECT_THAT(members(), testing::ElementsAre("d."));
  EXPECT_NE(world
                .Apply(rsm::ZoneChange{N("catalog."),
                                       {{.owner = N("x.catalog."), .kind = zone::RRsetEdit::Kind::kDelete}}})
                .refused,
            rsm::Refused::kNot);
  // A restart finds the same.
  const auto zones = zone::ZoneToText(*world.Zone("catalog."));
  world.state.Reload();
  EXPECT_EQ(zone::ZoneToText(*world.Zone("catalog.")), zones);
}

}  // namespace
}  // namespace quorate::api::xfr
