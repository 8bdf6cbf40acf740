#include "replica/new_group.h"

#include <gtest/gtest.h>

#include "raft/codec.h"

namespace quorate::replica {
namespace {

raft::Configuration Three() {
  raft::Configuration c;
  for (uint64_t id = 1; id <= 3; ++id)
    c.members.push_back(
        {.id = MemberId{id}, .instance = 10 + id, .address = "h" + std::to_string(id) + ":1"});
  c.leases_on = true;
  c.feature_level = 2;
  c.last_id = MemberId{3};
  return c;
}

raft::LogEntry Entry(uint64_t index, uint64_t term, const raft::Configuration* configuration = nullptr) {
  raft::LogEntry entry{LogIndex{index}, Term{term}, raft::EntryType::kCommand,
                       std::make_shared<const std::string>("x")};
  if (configuration) {
    entry.type = raft::EntryType::kConfiguration;
    entry.payload = std::make_shared<const std::string>(raft::EncodeConfiguration(*configuration));
  }
  return entry;
}

raft::Restored Survivor() {
  return {.hard_state = {Term{7}, MemberId{3}},
          .base = {LogIndex{10}, Term{2}, Three()},
          .entries = {Entry(11, 2), Entry(12, 5)},
          .applied = LogIndex{11}};
}

raft::Configuration Written(const storage::LogWrite& write) {
  return *raft::DecodeConfiguration(*write.append.at(0).payload);
}

TEST(NewGroup, OneMoreEntryMakesTheSurvivorTheGroupAndKeepsEveryOther) {
  const auto write = BeginNewGroup(Survivor(), MemberId{2}, 99, {});
  ASSERT_TRUE(write.ok()) << write.status();
  EXPECT_FALSE(write->install.has_value());
  ASSERT_EQ(write->append.size(), 1u);
  EXPECT_EQ(write->append[0].index, LogIndex{13});
  EXPECT_EQ(write->append[0].term, Term{8}) << "above every term it has seen";
  EXPECT_EQ(*write->hard_state, (raft::HardState{Term{8}, MemberId{}}));
  const raft::Configuration group = Written(*write);
  ASSERT_EQ(group.members.size(), 1u);
  EXPECT_EQ(group.members[0].id, MemberId{2});
  EXPECT_TRUE(group.members[0].voter);
  EXPECT_EQ(group.members[0].instance, 99u);
  EXPECT_EQ(group.members[0].address, "h2:1");
  EXPECT_TRUE(group.leases_on);
  EXPECT_EQ(group.last_id, MemberId{3}) << "ids are given once";
}

TEST(NewGroup, WhoJoinsHasNoVoteUntilItHasCaughtUp) {
  const auto write = BeginNewGroup(Survivor(), MemberId{2}, 99, {{.id = MemberId{1}, .address = "h9:1"}});
  ASSERT_TRUE(write.ok()) << write.status();
  const raft::Configuration group = Written(*write);
  ASSERT_EQ(group.members.size(), 2u);
  EXPECT_EQ(group.members[0].address, "h9:1");
  EXPECT_FALSE(group.members[0].voter);
  EXPECT_TRUE(group.members[0].promote);
  EXPECT_EQ(group.members[0].instance, 0u) << "not the data directory that is gone";
}

TEST(NewGroup, AnUnfinishedChangeOfTheOldGroupIsOver) {
  raft::Restored found = Survivor();
  raft::Configuration joint = Three();
  joint.outgoing_voters = {MemberId{1}, MemberId{2}, MemberId{3}};
  joint.members[2].voter = joint.members[2].lease_eligible = false;
  joint.members[2].leaving = true;
  found.entries.push_back(Entry(13, 5, &joint));
  const auto write = BeginNewGroup(found, MemberId{2}, 99, {});
  ASSERT_TRUE(write.ok()) << write.status();
  EXPECT_EQ(write->append[0].index, LogIndex{14});
  EXPECT_TRUE(Written(*write).outgoing_voters.empty());
}

TEST(NewGroup, ARemovedOrRepairingReplicaIsNoSurvivor) {
  EXPECT_EQ(BeginNewGroup(Survivor(), MemberId{4}, 99, {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  raft::Restored found = Survivor();
  found.base.configuration.members[1].repairing = true;
  EXPECT_EQ(BeginNewGroup(found, MemberId{2}, 99, {}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(NewGroup, NobodyIsListedTwice) {
  for (const std::vector<raft::Member>& bad :
       {std::vector<raft::Member>{{.id = MemberId{2}, .address = "h:1"}},
        {{.id = MemberId{1}, .address = "h:1"}, {.id = MemberId{1}, .address = "h:2"}},
        {{.id = MemberId{1}}},
        {{.id = MemberId{0}, .address = "h:1"}}}) {
    EXPECT_EQ(BeginNewGroup(Survivor(), MemberId{2}, 99, bad).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace quorate::replica
