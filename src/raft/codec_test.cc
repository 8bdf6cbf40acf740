#include "raft/codec.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/rng.h"

namespace quorate::raft {
namespace {

Payload Bytes(std::string s) { return std::make_shared<const std::string>(std::move(s)); }

Configuration ThreeVotersAndALearner() {
  return {.members = {{.id = {1}, .address = "127.0.0.1:7001"},
                      {.id = {2}, .address = "[::1]:7002"},
                      {.id = {5}, .lease_eligible = false, .lease_barred = true, .address = "c.example:7003"},
                      {.id = {9}, .voter = false}},
          .outgoing_voters = {{1}, {2}, {4}}};
}

std::string Encoded(const Message& m) {
  ByteWriter out;
  EncodeMessage(m, out);
  return out.Take();
}

std::vector<Message> OneOfEach() {
  const SnapshotMeta meta{.last_index = {7}, .last_term = {3}, .configuration = ThreeVotersAndALearner()};
  const AppendEntries append{
      .prev_index = {4},
      .prev_term = {2},
      .entries =
          {{{5}, {2}, EntryType::kCommand, Bytes("x")},
           {{6}, {3}, EntryType::kNoOp, nullptr},
           {{7}, {3}, EntryType::kConfiguration, Bytes(EncodeConfiguration(ThreeVotersAndALearner()))}},
      .leader_commit = {5},
      .round = 11,
      .stamp = Stamp{{std::chrono::seconds(8)}, 4, 2, {6}, std::chrono::milliseconds(600)}};
  std::vector<decltype(Message::body)> bodies = {
      RequestVote{.pre_vote = true, .leadership_transfer = true, .last_index = {9}, .last_term = {2}},
      RequestVoteReply{.pre_vote = true, .granted = true, .since_round = std::chrono::seconds(2)},
      append,
      AppendEntriesReply{true, {7}, {6}, {5}, {4}, 11, {3}, {std::chrono::seconds(9)}, 4, true},
      TimeoutNow{},
      ReadIndexRequest{~uint64_t{0}},
      ReadIndexReply{77, true, {7}},
      ProposeRequest{5, Bytes("command")},
      ProposeReply{5, ProposeReply::Status::kQueueFull, {8}, {3}},
      SnapshotChunk{meta, 1, 1 << 20, Bytes("data"), 0xdeadbeef, true},
      SnapshotChunkReply{1, 1 << 21, true, true},
      Revoke{3},
      RevokeReply{3, 4},
      Goodbye{4},
      Knock{12},
      Removed{13}};
  std::vector<Message> out;
  for (auto& body : bodies) out.push_back({{1}, {2}, {3}, std::move(body)});
  return out;
}

TEST(Codec, EveryKindOfMessageSurvivesTheWire) {
  const std::vector<Message> all = OneOfEach();
  ASSERT_EQ(all.size(), std::variant_size_v<decltype(Message::body)>);
  for (const Message& m : all) {
    const std::string bytes = Encoded(m);
    const std::optional<Message> back = DecodeMessage(bytes);
    ASSERT_TRUE(back) << m.body.index();
    EXPECT_EQ(back->body.index(), m.body.index());
    EXPECT_EQ(back->from, m.from);
    EXPECT_EQ(back->to, m.to);
    EXPECT_EQ(back->term, m.term);
    EXPECT_EQ(Encoded(*back), bytes);  // the encoding is canonical, so equal bytes are equal messages
  }
}

TEST(Codec, DecodedEntriesKeepIndexTermTypeAndPayload) {
  const std::optional<Message> back = DecodeMessage(Encoded(OneOfEach()[2]));
  ASSERT_TRUE(back);
  const AppendEntries& m = std::get<AppendEntries>(back->body);
  ASSERT_EQ(m.entries.size(), 3u);
  EXPECT_EQ(m.entries[0].index, LogIndex{5});
  EXPECT_EQ(*m.entries[0].payload, "x");
  EXPECT_EQ(m.entries[1].term, Term{3});
  EXPECT_EQ(m.entries[1].payload, nullptr);
  EXPECT_EQ(DecodeConfiguration(*m.entries[2].payload), ThreeVotersAndALearner());
}

TEST(Codec, NoTruncatedMessageDecodes) {
  for (const Message& m : OneOfEach()) {
    const std::string bytes = Encoded(m);
    for (size_t n = 0; n < bytes.size(); ++n)
      EXPECT_FALSE(DecodeMessage(std::string_view(bytes).substr(0, n)));
    EXPECT_FALSE(DecodeMessage(bytes + '\0'));
  }
}

TEST(Codec, DamagedMessagesNeverCrashAndWhatDecodesEncodesAgain) {
  Rng rng(1);
  const std::vector<Message> all = OneOfEach();
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = Encoded(all[rng.Below(all.size())]);
    for (uint64_t flips = 1 + rng.Below(3); flips > 0; --flips) {
      bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
    }
    const std::optional<Message> m = DecodeMessage(bytes);
    EXPECT_TRUE(!m || DecodeMessage(Encoded(*m)));
  }
}

TEST(Codec, RefusesEntriesOfFallingTermsOrOfTermsBeyondTheSender) {
  Message m{
      {1}, {2}, {3}, AppendEntries{.prev_term = {2}, .entries = {{{1}, {1}, EntryType::kNoOp, nullptr}}}};
  EXPECT_FALSE(DecodeMessage(Encoded(m)));
  std::get<AppendEntries>(m.body).entries[0].term = {4};
  EXPECT_FALSE(DecodeMessage(Encoded(m)));
  std::get<AppendEntries>(m.body).entries[0].term = {3};
  EXPECT_TRUE(DecodeMessage(Encoded(m)));
}

TEST(Codec, RefusesNumbersThatCouldWrap) {
  Message m{{1}, {2}, {3}, AppendEntries{.prev_index = {~uint64_t{0}}}};
  EXPECT_FALSE(DecodeMessage(Encoded(m)));
  m.body = RequestVote{};
  m.term = {kNumberMax + 1};
  EXPECT_FALSE(DecodeMessage(Encoded(m)));
}

TEST(Codec, RefusesAConfigurationEntryThatIsNone) {
  const Message m{
      {1}, {2}, {3}, AppendEntries{.entries = {{{1}, {1}, EntryType::kConfiguration, Bytes("?")}}}};
  EXPECT_FALSE(DecodeMessage(Encoded(m)));
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char c : bytes) out += "0123456789abcdef"[c >> 4], out += "0123456789abcdef"[c & 15];
  return out;
}

// Logs and snapshots hold these for ever.
TEST(Codec, TheBytesOfAConfigurationNeverChange) {
  EXPECT_EQ(Hex(EncodeConfiguration(ThreeVotersAndALearner())),
            "0104"
            "01030e3132372e302e302e313a37303031"
            "02030a5b3a3a315d3a37303032"
            "05050e632e6578616d706c653a37303033"
            "090200"
            "03010204");
  EXPECT_EQ(Hex(EncodeSnapshotMeta({.last_index = {300}, .last_term = {3}})), "ac0203010000");
}

Configuration InTheMiddleOfAChange() {
  return {.members = {{.id = {1}, .repairing = true, .instance = 0x0102030405060708, .address = "a:1"},
                      {.id = {2}, .voter = false, .lease_eligible = false, .leaving = true},
                      {.id = {3},
                       .voter = false,
                       .lease_eligible = false,
                       .promote = true,
                       .replaces = {1},
                       .instance = 7}},
          .outgoing_voters = {{1}, {2}},
          .feature_level = 2,
          .last_id = {5}};
}

TEST(Codec, TheBytesOfAConfigurationWithChangesNeverChange) {
  const std::string bytes = EncodeConfiguration(InTheMiddleOfAChange());
  EXPECT_EQ(Hex(bytes),
            "0303"
            "0123"
            "03613a31"
            "0807060504030201"
            "00"
            "0210"
            "00"
            "0000000000000000"
            "00"
            "0308"
            "00"
            "0700000000000000"
            "01"
            "020102"
            "00"
            "0000000000000000"
            "0205");
  EXPECT_EQ(DecodeConfiguration(bytes), InTheMiddleOfAChange());
}

TEST(Codec, ChangesThatCannotBeAreRefused) {
  const auto refused = [](auto change) {
    Configuration c = InTheMiddleOfAChange();
    change(c);
    return !DecodeConfiguration(EncodeConfiguration(c));
  };
  EXPECT_TRUE(refused([](Configuration& c) { c.members[1].voter = true; })) << "leaving with a vote";
  EXPECT_TRUE(refused([](Configuration& c) { c.members[1].lease_eligible = true; }))
      << "leaving with a lease";
  EXPECT_TRUE(refused([](Configuration& c) { c.members[2].replaces = {3}; })) << "replacing itself";
  EXPECT_TRUE(refused([](Configuration& c) { c.members[0].replaces = {2}; })) << "replacing as a voter";
  EXPECT_TRUE(refused([](Configuration& c) { c.outgoing_voters = {{1}, {4}}; })) << "a voter not listed";
  EXPECT_TRUE(refused([](Configuration& c) { c.last_id = {2}; })) << "an id that was never given";
  EXPECT_TRUE(refused([](Configuration& c) { c.feature_level = 0; }));
}

TEST(Codec, MembersOfTheVersionBeforeAreSpokenToInIt) {
  for (const Message& m : OneOfEach()) {
    if (!CanEncode(m, kMessageVersionMin)) {
      EXPECT_TRUE(std::holds_alternative<Knock>(m.body) || std::holds_alternative<Removed>(m.body));
      continue;
    }
    Message with = m;
    with.instance = 7;
    ByteWriter out;
    EncodeMessage(with, out, kMessageVersionMin);
    const std::string bytes = out.Take();
    EXPECT_EQ(bytes[0], kMessageVersionMin);
    const std::optional<Message> back = DecodeMessage(bytes);
    ASSERT_TRUE(back) << m.body.index();
    EXPECT_EQ(back->instance, 0u);
    EXPECT_EQ(DecodeMessage(Encoded(with))->instance, 7u);
  }
}

TEST(Codec, ConfigurationsAreValidated) {
  EXPECT_EQ(DecodeConfiguration(EncodeConfiguration({})), Configuration{});
  const Configuration good = ThreeVotersAndALearner();
  EXPECT_EQ(DecodeConfiguration(EncodeConfiguration(good)), good);

  Configuration both = good;
  both.members[2].lease_eligible = true;
  EXPECT_FALSE(DecodeConfiguration(EncodeConfiguration(both))) << "eligible and barred";

  Configuration unordered = good;
  std::swap(unordered.members[0], unordered.members[1]);
  EXPECT_FALSE(DecodeConfiguration(EncodeConfiguration(unordered)));
  EXPECT_FALSE(DecodeConfiguration(EncodeConfiguration({.members = {{.id = {0}}}})));
  EXPECT_FALSE(DecodeConfiguration(EncodeConfiguration({.members = {{.id = {1}, .voter = false}}})));
  EXPECT_FALSE(DecodeConfiguration(EncodeConfiguration({.outgoing_voters = {{1}}})));
  Configuration many;
  for (uint64_t i = 1; i <= limits::kMembersMax + 1; ++i) many.members.push_back({.id = {i}});
  EXPECT_FALSE(DecodeConfiguration(EncodeConfiguration(many)));
}

}  // namespace
}  // namespace quorate::raft
