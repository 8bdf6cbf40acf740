#include "replica/merge_replies.h"

#include <gtest/gtest.h>

namespace quorate::replica {
namespace {

using raft::AppendEntriesReply;
using raft::Message;

Message Reply(uint64_t to, uint64_t received, uint64_t durable, uint64_t round, uint64_t request_term = 3) {
  AppendEntriesReply reply{
      .matched = true, .received = LogIndex{received}, .durable = LogIndex{durable}, .round = round};
  reply.request_term = Term{request_term};
  reply.incarnation = 1;
  return {MemberId{1}, MemberId{to}, Term{3}, reply};
}
const AppendEntriesReply& At(const std::vector<Message>& messages, size_t i) {
  return std::get<AppendEntriesReply>(messages.at(i).body);
}

TEST(MergeReplies, TheLastSaysTheMostOfAll) {
  std::vector<Message> messages = {Reply(2, 5, 1, 7), Reply(2, 9, 1, 8), Reply(2, 6, 6, 7)};
  MergeReplies(messages);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(At(messages, 0).received, LogIndex{9});
  EXPECT_EQ(At(messages, 0).durable, LogIndex{6});
  EXPECT_EQ(At(messages, 0).round, 8u);
}

TEST(MergeReplies, OthersKeepTheirOrderAndNothingIsLost) {
  std::vector<Message> messages = {{MemberId{1}, MemberId{2}, Term{3}, raft::ReadIndexRequest{1}},
                                   Reply(2, 5, 5, 7),
                                   Reply(3, 4, 4, 2),
                                   {MemberId{1}, MemberId{2}, Term{3}, raft::ReadIndexRequest{2}},
                                   Reply(2, 6, 5, 8)};
  MergeReplies(messages);
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(std::get<raft::ReadIndexRequest>(messages[0].body).id, 1u);
  EXPECT_EQ(messages[1].to, MemberId{3});
  EXPECT_EQ(std::get<raft::ReadIndexRequest>(messages[2].body).id, 2u);
  EXPECT_EQ(At(messages, 3).received, LogIndex{6});
}

TEST(MergeReplies, AnswersToAnotherTermOrThatDidNotMatchStayAlone) {
  Message mismatch = Reply(2, 0, 0, 9);
  std::get<AppendEntriesReply>(mismatch.body).matched = false;
  std::vector<Message> messages = {Reply(2, 5, 5, 7, /*request_term=*/2), mismatch, Reply(2, 6, 6, 8)};
  MergeReplies(messages);
  EXPECT_EQ(messages.size(), 3u);
}

TEST(MergeReplies, NothingOfNothing) {
  std::vector<Message> messages;
  MergeReplies(messages);
  EXPECT_TRUE(messages.empty());
}

}  // namespace
}  // namespace quorate::replica
