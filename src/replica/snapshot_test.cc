// A snapshot's way from a leader's sender to a follower's receiver, over a network played by the test.
#include <gmock/gmock.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "replica/snapshot_receiver.h"
#include "replica/snapshot_sender.h"

namespace quorate::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MemberId kLeader{1}, kFollower{2};
constexpr Term kTerm{3};

template <class Job, class Jobs>
const Job* Find(const Jobs& jobs) {
  for (const auto& job : jobs)
    if (const auto* found = std::get_if<Job>(&job)) return found;
  return nullptr;
}

class SnapshotTransfer : public ::testing::Test {
 protected:
  // Carries out what the leader wants from its threads; gives the chunk it sends, if any.
  std::optional<raft::SnapshotChunk> Leader(Actions actions) {
    while (true) {
      Actions next;
      if (const auto* take = Find<TakeSnapshot>(actions.apply)) {
        sender.OnTaken(now, {take->snapshot_id, LogIndex{9}, Term{2}}, {}, next);
      } else if (const auto* read = Find<ReadSnapshot>(actions.housekeeping)) {
        const std::string data = content.substr(std::min<size_t>(read->offset, content.size()), 4);
        sender.OnRead(now, kTerm, {read->snapshot_id, read->offset, data}, next);
      } else {
        break;
      }
      for (const raft::Message& message : actions.send) next.send.push_back(message);
      actions = std::move(next);
    }
    if (Find<DropSnapshot>(actions.housekeeping)) source_dropped = true;
    if (actions.send.empty()) return std::nullopt;
    return std::get<raft::SnapshotChunk>(actions.send.back().body);
  }
  // The follower's answer, if any.
  std::optional<raft::SnapshotChunkReply> Follower(const raft::SnapshotChunk& chunk,
                                                   LogIndex committed = {}) {
    Actions actions;
    received.reset();
    receiver.OnChunk(now, kLeader, kTerm, chunk, committed, actions);
    if (const auto* write = Find<WriteSnapshot>(actions.housekeeping)) {
      if (write->offset == 0) restored.clear();
      restored += *write->data;
      receiver.OnWritten({write->restore_id, write_status}, actions);
    }
    if (const auto* verify = Find<VerifySnapshot>(actions.housekeeping))
      received = receiver.OnVerified({verify->restore_id, verify_status}, actions);
    dropped = Find<DropRestore>(actions.housekeeping) != nullptr;
    if (actions.send.empty()) return std::nullopt;
    return std::get<raft::SnapshotChunkReply>(actions.send.back().body);
  }
  std::optional<raft::SnapshotChunk> Need() {
    Actions actions;
    sender.Need(now, kFollower, actions);
    return Leader(std::move(actions));
  }
  std::optional<raft::SnapshotChunk> Acknowledge(const raft::SnapshotChunkReply& reply) {
    Actions actions;
    sender.OnReply(now, kFollower, reply, actions);
    return Leader(std::move(actions));
  }
  std::optional<raft::SnapshotChunk> Wait(Duration length) {
    now = now + length;
    Actions actions;
    sender.Expire(now, kTerm, actions);
    return Leader(std::move(actions));
  }

  BootTime now{seconds(1)};
  std::string content = "0123456789";
  SnapshotTimes times{.ask_after = milliseconds(500),
                      .stall_timeout = seconds(10),
                      .park_for = seconds(60),
                      .install_timeout = seconds(40)};
  SnapshotSender sender{kLeader, 100, times};
  SnapshotReceiver receiver{kFollower};
  std::optional<raft::SnapshotReceived> received;
  std::string restored;
  absl::Status write_status, verify_status;
  bool source_dropped = false, dropped = false;
};

TEST_F(SnapshotTransfer, ChunkByChunkUntilItIsInstalled) {
  auto chunk = Need();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(chunk.has_value());
    EXPECT_FALSE(chunk->done);
    const auto reply = Follower(*chunk);
    ASSERT_TRUE(reply.has_value());
    chunk = Acknowledge(*reply);
  }
  ASSERT_TRUE(chunk.has_value());
  EXPECT_TRUE(chunk->done);
  EXPECT_FALSE(Follower(*chunk).has_value());
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(received->meta.last_index, LogIndex{9});
  EXPECT_EQ(restored, content);

  Actions actions;
  receiver.Install(received->meta, actions);
  ASSERT_NE(Find<InstallSnapshot>(actions.apply), nullptr);
  EXPECT_FALSE(Follower(*chunk)->installed) << "still at it";
  actions = {};
  receiver.Installed(kTerm, actions);
  const auto reply = std::get<raft::SnapshotChunkReply>(actions.send.back().body);
  EXPECT_TRUE(reply.installed);
  EXPECT_FALSE(Acknowledge(reply).has_value());
  const auto ended = sender.TakeEnded();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_TRUE(ended[0].installed);
  EXPECT_TRUE(source_dropped);
  EXPECT_FALSE(sender.pinned().has_value());
}

TEST_F(SnapshotTransfer, ALostChunkAndALostAnswerAreSentAgain) {
  const auto lost = Need();
  EXPECT_FALSE(Wait(milliseconds(499)).has_value());
  auto again = Wait(milliseconds(1));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->offset, lost->offset);
  ASSERT_TRUE(Follower(*again).has_value());  // this answer is lost
  again = Wait(milliseconds(500));
  ASSERT_TRUE(again.has_value());
  const auto reply = Follower(*again);  // it has that chunk already
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->next_offset, 4u);
  EXPECT_EQ(restored, "0123");
  EXPECT_EQ(Acknowledge(*reply)->offset, 4u);
}

TEST_F(SnapshotTransfer, AChunkFromTheMiddleThatWasLostIsAskedAfterAndSentAgain) {
  const auto lost = Acknowledge(*Follower(*Need()));
  ASSERT_EQ(lost->offset, 4u);
  const uint64_t bytes = sender.counts().bytes;
  std::optional<raft::SnapshotChunk> question;
  for (int i = 0; i < 10; ++i) question = Wait(milliseconds(500));
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(sender.counts().bytes, bytes) << "one who is silent is sent no more";
  const auto reply = Follower(*question);
  EXPECT_EQ(reply->next_offset, 4u);
  EXPECT_EQ(restored, "0123");
  Acknowledge(*reply);
  const auto again = Wait(Duration(0));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->offset, 4u);
  EXPECT_EQ(Follower(*again)->next_offset, 8u);
}

TEST_F(SnapshotTransfer, ADamagedChunkIsRefusedAndTheTransferEnds) {
  auto chunk = Need();
  chunk->crc ^= 1;
  const auto reply = Follower(*chunk);
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(reply->refused);
  EXPECT_EQ(restored, "");
  Acknowledge(*reply);
  const auto ended = sender.TakeEnded();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_FALSE(ended[0].installed);
}

TEST_F(SnapshotTransfer, AChunkFromTheMiddleOfAnUnknownSnapshotIsRefused) {
  auto chunk = Need();
  chunk->offset = 4;
  EXPECT_TRUE(Follower(*chunk)->refused);
}

TEST_F(SnapshotTransfer, AStaleSnapshotIsAnsweredAsInstalled) {
  const auto reply = Follower(*Need(), LogIndex{9});
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(reply->installed);
  EXPECT_EQ(restored, "");
}

TEST_F(SnapshotTransfer, AFollowerWithoutRoomRefuses) {
  write_status = absl::ResourceExhaustedError("full");
  EXPECT_TRUE(Follower(*Need())->refused);
}

TEST_F(SnapshotTransfer, AFollowerThatNeverAnswersLosesItsTransfer) {
  ASSERT_TRUE(Need().has_value());
  EXPECT_EQ(sender.pinned(), LogIndex{9});
  Wait(seconds(10));
  EXPECT_EQ(sender.TakeEnded().size(), 1u);
  EXPECT_FALSE(sender.pinned().has_value()) << "the log may be cut again";
  EXPECT_TRUE(source_dropped) << "nothing of it arrived, so there is nothing to go on from";
}

// The defect that was: any answer counted as progress.
TEST_F(SnapshotTransfer, AFollowerThatAnswersWithoutProgressLosesItsTransferAndThenItsSnapshot) {
  const auto chunk = Acknowledge(*Follower(*Need()));
  ASSERT_EQ(chunk->offset, 4u);
  const raft::SnapshotChunkReply nothing_new{chunk->snapshot_id, 4};
  size_t ended = 0;
  for (int i = 0; i < 9; ++i) {
    Wait(seconds(1));
    Acknowledge(nothing_new);
    ended += sender.TakeEnded().size();
  }
  EXPECT_EQ(ended, 0u);
  Wait(seconds(1));
  EXPECT_EQ(sender.TakeEnded().size(), 1u);
  EXPECT_EQ(sender.pinned(), LogIndex{9}) << "kept for a while, in case that it comes back";
  for (int i = 0; i < 61; ++i) {  // it comes back again and again, and gets no further
    Need();
    Wait(seconds(1));
    Acknowledge(nothing_new);
  }
  sender.TakeEnded();
  Wait(seconds(10));
  EXPECT_TRUE(source_dropped);
  EXPECT_FALSE(sender.pinned().has_value());
}

TEST_F(SnapshotTransfer, AfterACutItGoesOnFromWhatTheFollowerHas) {
  auto chunk = Acknowledge(*Follower(*Need()));
  ASSERT_EQ(chunk->offset, 4u);
  ASSERT_TRUE(Follower(*chunk).has_value());  // the answer, and all that follows, is lost
  Wait(seconds(10));
  ASSERT_EQ(sender.TakeEnded().size(), 1u);
  EXPECT_FALSE(source_dropped);
  EXPECT_FALSE(Wait(seconds(20)).has_value()) << "nothing is sent to one who is away";

  Need();
  chunk = Wait(Duration(0));
  ASSERT_TRUE(chunk.has_value());
  EXPECT_TRUE(chunk->data->empty()) << "first it asks";
  EXPECT_FALSE(chunk->done);
  chunk = Acknowledge(*Follower(*chunk));
  EXPECT_EQ(chunk->offset, 8u);
  chunk = Acknowledge(*Follower(*chunk));
  ASSERT_TRUE(chunk->done);
  EXPECT_FALSE(Follower(*chunk).has_value());
  EXPECT_TRUE(received.has_value());
  EXPECT_EQ(restored, content);
  EXPECT_EQ(sender.counts().resumed, 1u);
  EXPECT_EQ(sender.counts().bytes, content.size()) << "no part twice";
}

TEST_F(SnapshotTransfer, AFollowerThatRestartedBeginsAnew) {
  auto chunk = Acknowledge(*Follower(*Need()));
  Wait(seconds(10));
  sender.TakeEnded();
  Need();
  chunk = Wait(Duration(0));
  receiver = SnapshotReceiver(kFollower);
  const auto reply = Follower(*chunk);
  ASSERT_TRUE(reply->refused);
  Acknowledge(*reply);
  EXPECT_EQ(sender.TakeEnded().size(), 1u);
  EXPECT_TRUE(source_dropped);
  chunk = Need();
  EXPECT_EQ(chunk->offset, 0u);
  EXPECT_NE(chunk->snapshot_id, reply->snapshot_id);
}

TEST_F(SnapshotTransfer, ASnapshotThatTheLogNoLongerReachesIsGivenUp) {
  Acknowledge(*Follower(*Need()));
  Actions actions;
  sender.OnLogCut(now, LogIndex{9}, actions);
  EXPECT_TRUE(sender.TakeEnded().empty()) << "the log goes on right after it";
  sender.OnLogCut(now, LogIndex{10}, actions);
  EXPECT_EQ(sender.TakeEnded().size(), 1u);
  EXPECT_NE(Find<DropSnapshot>(actions.housekeeping), nullptr);
}

TEST_F(SnapshotTransfer, WhatWasSetAsideMayEndWellAllTheSame) {
  auto chunk = Need();
  for (int i = 0; i < 3; ++i) chunk = Acknowledge(*Follower(*chunk));
  ASSERT_TRUE(chunk->done);
  Wait(seconds(39));
  EXPECT_TRUE(sender.TakeEnded().empty()) << "putting a whole snapshot in place may take longer than a chunk";
  Wait(seconds(1));
  ASSERT_EQ(sender.TakeEnded().size(), 1u);
  Acknowledge({chunk->snapshot_id, chunk->offset, /*installed=*/true});
  const auto ended = sender.TakeEnded();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_TRUE(ended[0].installed);
  EXPECT_FALSE(sender.pinned().has_value());
}

TEST_F(SnapshotTransfer, NoFasterThanTheRate) {
  times.bytes_per_second = 8;  // a chunk of 4 bytes takes half a second
  sender = SnapshotSender(kLeader, 100, times);
  const auto first = Need();
  ASSERT_TRUE(first.has_value()) << "the first at once";
  EXPECT_FALSE(Acknowledge(*Follower(*first)).has_value());
  EXPECT_EQ(sender.NextDeadline(), now + milliseconds(500));
  EXPECT_FALSE(Wait(milliseconds(499)).has_value());
  const auto second = Wait(milliseconds(1));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->offset, 4u);
}

TEST_F(SnapshotTransfer, WaitingForTheRateIsNoStall) {
  times.bytes_per_second = 1;
  times.stall_timeout = seconds(2);
  sender = SnapshotSender(kLeader, 100, times);
  auto chunk = Need();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(Acknowledge(*Follower(*chunk)).has_value());
    for (int wait = 0; wait < 3 && !(chunk = Wait(seconds(1))); ++wait) {
    }
    if (!chunk) chunk = Wait(seconds(1));
    ASSERT_TRUE(chunk.has_value());
    EXPECT_TRUE(sender.TakeEnded().empty());
  }
  EXPECT_TRUE(chunk->done);
}

TEST_F(SnapshotTransfer, TwoFollowersShareTheRate) {
  times.bytes_per_second = 4;
  sender = SnapshotSender(kLeader, 100, times);
  Need();
  Actions actions;
  sender.Need(now, MemberId{3}, actions);
  EXPECT_FALSE(Leader(std::move(actions)).has_value());
  std::vector<MemberId> turns;
  for (int second = 0; second < 4; ++second) {
    Actions due;
    now = now + seconds(1);
    sender.Expire(now, kTerm, due);
    ASSERT_EQ(due.send.size(), 1u);
    const MemberId to = due.send[0].to;
    turns.push_back(to);
    const auto chunk = std::get<raft::SnapshotChunk>(due.send[0].body);
    Actions next;
    sender.OnReply(now, to, {chunk.snapshot_id, chunk.offset + chunk.data->size()}, next);
    Leader(std::move(next));
  }
  EXPECT_EQ(std::count(turns.begin(), turns.end(), MemberId{3}), 2);
}

TEST_F(SnapshotTransfer, DuplicatesAndReorderedChunksAreAnsweredAndChangeNothing) {
  const auto first = Need();
  const auto second = Acknowledge(*Follower(*first));
  EXPECT_EQ(Follower(*first)->next_offset, 4u);
  EXPECT_EQ(Follower(*second)->next_offset, 8u);
  EXPECT_EQ(Follower(*first)->next_offset, 8u);
  EXPECT_EQ(Follower(*second)->next_offset, 8u);
  raft::SnapshotChunk ahead = *second;
  ahead.offset = 100;
  EXPECT_EQ(Follower(ahead)->next_offset, 8u);
  EXPECT_EQ(restored, "01234567");
}

TEST_F(SnapshotTransfer, ASnapshotThatIsNotWholeIsRefusedAndNothingIsReplaced) {
  verify_status = absl::DataLossError("cut off");
  auto chunk = Need();
  for (int i = 0; i < 3; ++i) chunk = Acknowledge(*Follower(*chunk));
  ASSERT_TRUE(chunk->done);
  const auto reply = Follower(*chunk);
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(reply->refused);
  EXPECT_FALSE(received.has_value()) << "the core is not asked";
  EXPECT_TRUE(dropped);
  EXPECT_EQ(receiver.counts().refused, 1u);
  Acknowledge(*reply);
  EXPECT_FALSE(sender.TakeEnded().front().installed);
  EXPECT_EQ(Need()->offset, 0u) << "anew";
}

TEST_F(SnapshotTransfer, ChunksOfOneSnapshotThatDisagreeOnWhatItIsAreRefused) {
  auto chunk = Acknowledge(*Follower(*Need()));
  chunk->meta.last_index = LogIndex{12};
  EXPECT_TRUE(Follower(*chunk)->refused);
}

TEST_F(SnapshotTransfer, WhatNobodyContinuesIsDropped) {
  Follower(*Need());
  Actions actions;
  now = receiver.NextDeadline();
  receiver.Expire(now, actions);
  EXPECT_NE(Find<DropRestore>(actions.housekeeping), nullptr);
}

TEST_F(SnapshotTransfer, ANewerSnapshotTakesThePlaceOfAnUnfinishedOne) {
  Follower(*Need());
  EXPECT_EQ(restored, "0123");
  raft::SnapshotChunk newer{.meta = {LogIndex{20}, Term{3}, {}},
                            .snapshot_id = 555,
                            .data = std::make_shared<const std::string>("abcd")};
  newer.crc = Crc32c(*newer.data);
  EXPECT_EQ(Follower(newer)->next_offset, 4u);
  EXPECT_EQ(restored, "abcd");
}

}  // namespace
}  // namespace quorate::replica
