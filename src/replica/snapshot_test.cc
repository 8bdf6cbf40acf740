// A snapshot's way from a leader's sender to a follower's receiver, over a network played by the test.
#include <gmock/gmock.h>

#include <optional>
#include <string>

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
    received = receiver.OnChunk(kLeader, kTerm, chunk, committed, actions);
    if (const auto* write = Find<WriteSnapshot>(actions.housekeeping)) {
      if (write->offset == 0) restored.clear();
      restored += *write->data;
      receiver.OnWritten({write->restore_id, write_status}, actions);
    }
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
  SnapshotSender sender{kLeader, 100, milliseconds(500), seconds(10)};
  SnapshotReceiver receiver{kFollower};
  std::optional<raft::SnapshotReceived> received;
  std::string restored;
  absl::Status write_status;
  bool source_dropped = false;
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
