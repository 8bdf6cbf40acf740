// Whatever arrives, well-formed or not, no CHECK may fail: those are for our own mistakes. Messages of random
// content (small numbers, so that they often nearly fit) meet a member in every role.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "raft/codec.h"
#include "raft/member_model.h"

namespace quorate::raft {
namespace {

class Attack {
 public:
  explicit Attack(uint64_t seed)
      : rng_(seed), member_(Config(seed), {.base = {.configuration = ThreeVoters()}}) {
    member_.Start(now_);
  }

  void Step() {
    now_ = now_ + std::chrono::milliseconds(rng_.Below(60));
    switch (rng_.Below(12)) {
      case 0:
        return Give(Tick{});
      case 1:
        return Give(Propose{{{.tag = 1, .payload = std::make_shared<const std::string>("x")}}});
      case 2:
        return Give(ReadRequest{rng_.Next()});
      case 3:
        return Give(TransferLeadership{{rng_.Below(5)}});
      case 4:
        return Sync();
      case 5:
        return Compact();
      case 6:
        return GiveSnapshot();
      case 7:
        return Give(SnapshotSent{{rng_.Below(5)}, rng_.Chance(1, 2), Index()});
      default:
        return Give(Receive{RandomMessage()});
    }
  }
  bool led() const { return led_; }
  uint64_t refused() const { return member_.core().GetStatus().refused_messages; }

 private:
  static Configuration ThreeVoters() {
    return {.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}}, .timing = LanTiming(), .leases_on = true};
  }
  static CoreConfig Config(uint64_t seed) {
    CoreConfig config{.self = {1}, .seed = seed};
    config.inflight_messages_max = 3;
    return config;
  }
  LogIndex Index() { return {rng_.Below(12)}; }
  // Near the member's own term, sometimes far away.
  Term SomeTerm() {
    const uint64_t own = member_.core().term().value;
    return {rng_.Chance(1, 200) ? own + rng_.Below(3) : rng_.Chance(3, 4) ? own : rng_.Below(own + 1)};
  }
  LogEntry Entry(LogIndex index, Term term) {
    const auto type = static_cast<EntryType>(rng_.Below(20) == 0 ? 2 : rng_.Below(2));
    std::string payload = rng_.Chance(1, 2) ? EncodeConfiguration(ThreeVoters()) : "?";
    const bool none = type == EntryType::kNoOp || rng_.Chance(1, 10);
    return {index, term, type, none ? nullptr : std::make_shared<const std::string>(std::move(payload))};
  }
  AppendEntries RandomAppend() {
    AppendEntries m{
        .prev_index = Index(), .prev_term = SomeTerm(), .leader_commit = Index(), .round = rng_.Below(9)};
    LogIndex index = m.prev_index;
    for (uint64_t n = rng_.Below(4); n > 0; --n) {
      index = rng_.Chance(1, 20) ? Index() : index + 1;
      m.entries.push_back(Entry(index, rng_.Chance(3, 4) ? member_.core().term() : SomeTerm()));
    }
    if (rng_.Chance(1, 2))
      m.stamp = Stamp{{Duration(static_cast<int64_t>(rng_.Next() >> 2))},
                      rng_.Below(3),
                      rng_.Below(4),
                      Index(),
                      std::chrono::milliseconds(rng_.Below(2000))};
    return m;
  }
  Message RandomMessage() {
    Message m{{rng_.Below(5)}, {rng_.Chance(1, 50) ? 2u : 1u}, SomeTerm(), TimeoutNow{}};
    switch (rng_.Below(10)) {
      case 0:
        m.body = RequestVote{rng_.Chance(1, 2), rng_.Chance(1, 3), Index(), SomeTerm()};
        if (rng_.Chance(1, 4)) m.term = m.term + 1;
        break;
      case 1:
      case 2: {
        const bool pre_vote = member_.core().role() == Role::kPreCandidate;
        m.body =
            RequestVoteReply{pre_vote, rng_.Chance(3, 4), Duration(static_cast<int64_t>(rng_.Next() >> 2))};
        if (pre_vote) m.term = member_.core().term() + 1;
        break;
      }
      case 3:
      case 4:
        m.body = RandomAppend();
        break;
      case 5:
        m.body = AppendEntriesReply{rng_.Chance(2, 3), Index(),    Index(), Index(),       SomeTerm(),
                                    rng_.Below(9),     SomeTerm(), now_,    rng_.Below(3), rng_.Chance(1, 9)};
        break;
      case 6:
        m.body = ReadIndexRequest{rng_.Next()};
        break;
      case 7:
        m.body = Revoke{rng_.Below(4)};
        break;
      case 8:
        if (rng_.Chance(1, 2))
          m.body = RevokeReply{rng_.Below(4), rng_.Below(3)};
        else
          m.body = Goodbye{rng_.Below(3)};
        break;
      default:
        if (rng_.Chance(1, 2)) m.body = ReadIndexReply{rng_.Next(), true, Index()};
        break;
    }
    return m;
  }

  void Give(const Input& input) {
    const Effects e = member_.Step(now_, input);
    led_ |= member_.core().role() == Role::kLeader;
    if (!e.committed.empty()) Give(Applied{e.committed.back().index});
  }
  void Sync() {
    const MemberModel::Synced synced = member_.Sync(1 + rng_.Below(3));
    if (synced.durable) Give(*synced.durable);
  }
  void Compact() {
    const LogIndex applied = member_.core().GetStatus().applied;
    if (applied) Give(Compacted{{rng_.Below(applied.value + 1)}});
  }
  void GiveSnapshot() {
    const LogIndex index = Index();
    member_.set_incoming_state(std::vector<LogEntry>(index.value));
    Give(SnapshotReceived{{2 + rng_.Below(2)}, SomeTerm(), {index, SomeTerm(), ThreeVoters()}});
  }

  Rng rng_;
  BootTime now_{std::chrono::seconds(1)};
  MemberModel member_;
  bool led_ = false;
};

TEST(Core, NoMessageReachesACheck) {
  size_t led = 0;
  uint64_t refused = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    Attack attack(seed);
    for (int i = 0; i < 500; ++i) attack.Step();
    led += attack.led();
    refused += attack.refused();
  }
  EXPECT_GT(led, 100u);
  EXPECT_GT(refused, 10000u);
}

}  // namespace
}  // namespace quorate::raft
