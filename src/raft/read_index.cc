// ReadIndex (dissertation 6.4): a leader learns by one round of answers that it still leads, and what was
// committed when the round began is then safe to read. Many requests share a round. Followers ask their
// leader.
#include <algorithm>

#include "base/limits.h"
#include "base/sim_hooks.h"
#include "raft/impl.h"

namespace quorate::raft {
namespace {

// More under way only splits the batches; fewer makes a request wait for rounds that it cannot share.
constexpr size_t kReadRoundsMax = 4;
constexpr size_t kForwardsMax = 8;

}  // namespace

void Core::Impl::OnReadRequest(const ReadRequest& input) {
  if (role_ == Role::kLeader) return AddRead({{}, input.id});
  if (!leader_ || unforwarded_.size() + forwarded_reads_ >= limits::kReadWaitersMax) {
    return AnswerRead({{}, input.id}, false, {});
  }
  unforwarded_.push_back(input.id);
  ForwardReads();
}

// --- at the leader ---

void Core::Impl::AddRead(ReadWaiter waiter) {
  if (reads_held_ >= limits::kReadWaitersMax) return AnswerRead(waiter, false, {});
  ++reads_held_;
  read_queue_.push_back(waiter);  // FinishLeaderStep starts a round
}

void Core::Impl::StartReadRound() {
  // Before an entry of its own term is committed a leader cannot know what its predecessors had committed.
  const bool may = CommittedInTerm() || SIM_MUTANT("read-before-own-commit");
  if (!read_queue_.empty() && may && read_batches_.size() < kReadRoundsMax) NewRound();
}

void Core::Impl::BeginReadBatch() {
  const bool may = CommittedInTerm() || SIM_MUTANT("read-before-own-commit");
  SIM_PROBE("raft.read-waits-for-the-terms-first-commit", !read_queue_.empty() && !may);
  if (read_queue_.empty() || !may) return;
  read_batches_.push_back({round_, commit_, {read_queue_.begin(), read_queue_.end()}});
  read_queue_.clear();
}

void Core::Impl::ConfirmReads() {
  if (read_batches_.empty()) return;
  const uint64_t confirmed = ConfirmedRound();
  while (!read_batches_.empty() && read_batches_.front().round <= confirmed) {
    const ReadBatch& batch = read_batches_.front();
    for (const ReadWaiter& waiter : batch.waiters) AnswerRead(waiter, true, batch.index);
    reads_held_ -= batch.waiters.size();
    read_batches_.pop_front();
  }
}

void Core::Impl::AnswerRead(const ReadWaiter& waiter, bool ok, LogIndex index) {
  if (!waiter.from) {
    effects_.reads.push_back({waiter.id, ok, index});
  } else {
    effects_.send_now.push_back(To(waiter.from, ReadIndexReply{waiter.id, ok, index}));
  }
}

void Core::Impl::OnMessage(const Message& m, const ReadIndexRequest& request) {
  if (m.term > term()) BecomeFollower(m.term, {});
  if (role_ == Role::kLeader) return AddRead({m.from, request.id});
  AnswerRead({m.from, request.id}, false, {});
}

// --- at a follower ---

void Core::Impl::ForwardReads() {
  if (unforwarded_.empty() || forwarded_.size() >= kForwardsMax) return;
  forwarded_reads_ += unforwarded_.size();
  forwarded_.push_back({next_read_id_, now_ + election_min(), {unforwarded_.begin(), unforwarded_.end()}});
  unforwarded_.clear();
  effects_.send_now.push_back(To(leader_, ReadIndexRequest{next_read_id_}));
  if (!SIM_MUTANT("read-index-id-reused"))
    ++next_read_id_;  // never used again: a late answer to an earlier attempt must not be taken for this
                      // one's
}

void Core::Impl::OnMessage(const Message& m, const ReadIndexReply& reply) {
  if (m.term > term()) BecomeFollower(m.term, {});
  if (m.term < term() || m.from != leader_) return;
  const auto it = std::ranges::find(forwarded_, reply.id, &Forwarded::id);
  if (it == forwarded_.end()) return;
  for (uint64_t id : it->reads) AnswerRead({{}, id}, reply.ok, reply.index);
  forwarded_reads_ -= it->reads.size();
  forwarded_.erase(it);
  ForwardReads();
}

void Core::Impl::ExpireForwarded() {
  while (!forwarded_.empty() && now_ >= forwarded_.front().deadline) {
    for (uint64_t id : forwarded_.front().reads) AnswerRead({{}, id}, false, {});
    forwarded_reads_ -= forwarded_.front().reads.size();
    forwarded_.pop_front();
  }
  ForwardReads();
}

// Leadership or the leader changed: what was asked of the old one is void.
void Core::Impl::FailReads() {
  for (const ReadBatch& batch : read_batches_) {
    for (const ReadWaiter& waiter : batch.waiters) AnswerRead(waiter, false, {});
  }
  for (const ReadWaiter& waiter : read_queue_) AnswerRead(waiter, false, {});
  for (const Forwarded& f : forwarded_) {
    for (uint64_t id : f.reads) AnswerRead({{}, id}, false, {});
  }
  for (uint64_t id : unforwarded_) AnswerRead({{}, id}, false, {});
  read_batches_.clear();
  read_queue_.clear();
  forwarded_.clear();
  unforwarded_.clear();
  reads_held_ = forwarded_reads_ = 0;
}

}  // namespace quorate::raft
