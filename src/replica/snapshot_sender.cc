#include "replica/snapshot_sender.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/limits.h"
#include "base/sim_hooks.h"
#include "raft/codec.h"

namespace quorate::replica {
namespace {

// Where no chunk is: whoever knows the snapshot answers with the offset that it has, whoever does not
// refuses.
constexpr uint64_t kNowhere = raft::kNumberMax;

bool IsLast(const raft::Payload& chunk) { return chunk && chunk->empty(); }

}  // namespace

void SnapshotSender::Need(BootTime now, MemberId to, Actions& actions) {
  if (transfers_.contains(to)) return;
  if (transfers_.size() >= limits::kSnapshotTransfersMax) {
    if (std::find(waiting_.begin(), waiting_.end(), to) == waiting_.end()) waiting_.push_back(to);
    return;
  }
  if (auto parked = parked_.find(to); parked != parked_.end()) {
    SIM_PROBE("replica.snapshot-transfer-taken-up-again", true);
    ++counts_.resumed;
    Transfer& transfer = transfers_[to] = std::move(parked->second);
    parked_.erase(parked);
    transfer.tried_since = now;
    transfer.asked_at = kLongAgo;
    return;
  }
  Transfer& transfer = transfers_[to];
  transfer.id = next_id_++;
  transfer.progress_at = transfer.tried_since = now;
  actions.apply.push_back(TakeSnapshot{transfer.id});
}

SnapshotSender::Transfer* SnapshotSender::Find(uint64_t id, MemberId* to) {
  for (auto& [member, transfer] : transfers_) {
    if (transfer.id != id) continue;
    *to = member;
    return &transfer;
  }
  return nullptr;
}

void SnapshotSender::OnTaken(BootTime now, const SnapshotTaken& event, raft::Configuration configuration,
                             Actions& actions) {
  MemberId to;
  Transfer* transfer = Find(event.snapshot_id, &to);
  if (!transfer) return actions.housekeeping.push_back(DropSnapshot{event.snapshot_id});
  transfer->taken = true;
  transfer->meta = {event.index, event.term, std::move(configuration)};
  transfer->progress_at = transfer->tried_since = now;
  actions.housekeeping.push_back(ReadSnapshot{transfer->id, 0});
}

void SnapshotSender::OnRead(BootTime now, Term term, SnapshotRead event, Actions& actions) {
  MemberId to;
  Transfer* transfer = Find(event.snapshot_id, &to);
  if (!transfer || event.offset != transfer->offset || transfer->chunk) return;
  if (!event.data.ok()) return End(now, transfers_.find(to), false, actions);
  transfer->chunk = std::make_shared<const std::string>(*std::move(event.data));
  transfer->sent = false;
  transfer->due = true;
  transfer->due_since = now;
  SendDue(now, term, actions);
}

// As fast as the rate allows, whoever waits longest first. A large chunk is paid for after it was sent.
void SnapshotSender::SendDue(BootTime now, Term term, Actions& actions) {
  while (now >= may_send_at_) {
    std::pair<const MemberId, Transfer>* first = nullptr;
    for (auto& each : transfers_) {
      const Transfer& transfer = each.second;
      if (transfer.due && (!first || transfer.due_since < first->second.due_since)) first = &each;
    }
    if (!first) return;
    Send(now, term, first->first, first->second, actions);
  }
}

void SnapshotSender::Send(BootTime now, Term term, MemberId to, Transfer& transfer, Actions& actions) {
  if (!transfer.sent) transfer.tried_since = now;
  transfer.sent = true;
  transfer.due = transfer.asked = false;
  transfer.asked_at = now;
  const size_t bytes = transfer.chunk->size();
  counts_.bytes += bytes;
  if (times_.bytes_per_second > 0) {
    const double seconds = static_cast<double>(bytes) / static_cast<double>(times_.bytes_per_second);
    may_send_at_ = now + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }
  actions.send.push_back({self_, to, term,
                          raft::SnapshotChunk{.meta = transfer.meta,
                                              .snapshot_id = transfer.id,
                                              .offset = transfer.offset,
                                              .data = transfer.chunk,
                                              .crc = Crc32c(*transfer.chunk),
                                              .done = transfer.chunk->empty()}});
}

// The chunk, or the answer to it, may be lost. It is large; the question is not.
void SnapshotSender::AskAfter(BootTime now, Term term, MemberId to, Transfer& transfer, Actions& actions) {
  transfer.asked_at = now;
  if (transfer.offset == 0 || IsLast(transfer.chunk)) {  // one who has nothing of it would refuse
    transfer.due = true;
    transfer.due_since = now;
    return;
  }
  transfer.asked = true;
  const auto nothing = std::make_shared<const std::string>();
  actions.send.push_back({self_, to, term,
                          raft::SnapshotChunk{.meta = transfer.meta,
                                              .snapshot_id = transfer.id,
                                              .offset = kNowhere,
                                              .data = nothing,
                                              .crc = Crc32c(*nothing)}});
}

void SnapshotSender::OnReply(BootTime now, MemberId from, const raft::SnapshotChunkReply& reply,
                             Actions& actions) {
  auto it = transfers_.find(from);
  if (it == transfers_.end()) {
    // It finished, or refuses, what was set aside.
    const auto parked = parked_.find(from);
    if (parked == parked_.end() || parked->second.id != reply.snapshot_id) return;
    if (!reply.installed && !reply.refused) return;
    if (reply.installed) {
      ++counts_.installed;
      ended_.push_back({from, true, parked->second.meta.last_index});
    }
    return Forget(parked_, parked, actions);
  }
  if (it->second.id != reply.snapshot_id) return;
  Transfer& transfer = it->second;
  if (reply.installed || reply.refused) return End(now, it, reply.installed, actions);
  if (!transfer.chunk || IsLast(transfer.chunk)) return;  // the last: it is being put in place
  if (reply.next_offset == transfer.offset && std::exchange(transfer.asked, false)) {
    transfer.due = true;  // it was lost
    transfer.due_since = now;
  }
  if (reply.next_offset != transfer.offset + transfer.chunk->size()) return;  // an old acknowledgement
  transfer.offset = reply.next_offset;
  transfer.chunk = nullptr;
  transfer.due = false;
  transfer.progress_at = transfer.tried_since = now;
  actions.housekeeping.push_back(ReadSnapshot{transfer.id, transfer.offset});
}

void SnapshotSender::Forget(Transfers& transfers, Transfers::iterator it, Actions& actions) {
  if (it->second.taken) actions.housekeeping.push_back(DropSnapshot{it->second.id});
  transfers.erase(it);
}

void SnapshotSender::End(BootTime now, Transfers::iterator it, bool installed, Actions& actions) {
  ++(installed ? counts_.installed : counts_.failed);
  ended_.push_back({it->first, installed, it->second.meta.last_index});
  Forget(transfers_, it, actions);
  StartNext(now, actions);
}

// Where nothing was acknowledged there is nothing to go on from.
void SnapshotSender::Park(BootTime now, Transfers::iterator it, Actions& actions) {
  if (!it->second.chunk || (it->second.offset == 0 && !IsLast(it->second.chunk))) {
    return End(now, it, false, actions);
  }
  ++counts_.set_aside;
  ended_.push_back({it->first, false, it->second.meta.last_index});
  if (parked_.size() >= limits::kSnapshotTransfersMax) Forget(parked_, parked_.begin(), actions);
  parked_[it->first] = std::move(it->second);
  transfers_.erase(it);
  StartNext(now, actions);
}

void SnapshotSender::StartNext(BootTime now, Actions& actions) {
  if (waiting_.empty()) return;
  const MemberId next = waiting_.front();
  waiting_.pop_front();
  Need(now, next, actions);
}

// What waits for its turn by the rate has not stalled.
BootTime SnapshotSender::StallsAt(const Transfer& transfer) const {
  if (transfer.chunk && !transfer.sent) return BootTime{Duration::max()};
  return transfer.tried_since + (IsLast(transfer.chunk) ? times_.install_timeout : times_.stall_timeout);
}

void SnapshotSender::Expire(BootTime now, Term term, Actions& actions) {
  std::vector<MemberId> stalled, forgotten;
  for (const auto& [to, transfer] : transfers_)
    if (now >= StallsAt(transfer)) stalled.push_back(to);
  SIM_PROBE("replica.snapshot-transfer-stalled", !stalled.empty());
  for (MemberId to : stalled) Park(now, transfers_.find(to), actions);
  for (const auto& [to, transfer] : parked_)
    if (now >= transfer.progress_at + times_.stall_timeout + times_.park_for) forgotten.push_back(to);
  for (MemberId to : forgotten) Forget(parked_, parked_.find(to), actions);
  for (auto& [to, transfer] : transfers_) {
    const bool silent = transfer.chunk && !transfer.due && now >= transfer.asked_at + times_.ask_after;
    if (silent) AskAfter(now, term, to, transfer, actions);
  }
  SendDue(now, term, actions);
}

BootTime SnapshotSender::NextDeadline() const {
  BootTime next{Duration::max()};
  for (const auto& [to, transfer] : transfers_) {
    next = std::min(next, StallsAt(transfer));
    if (!transfer.chunk) continue;
    next = std::min(next, transfer.due ? std::max(transfer.due_since, may_send_at_)
                                       : transfer.asked_at + times_.ask_after);
  }
  for (const auto& [to, transfer] : parked_)
    next = std::min(next, transfer.progress_at + times_.stall_timeout + times_.park_for);
  return next;
}

void SnapshotSender::Abort(Actions& actions) {
  while (!transfers_.empty()) Forget(transfers_, transfers_.begin(), actions);
  while (!parked_.empty()) Forget(parked_, parked_.begin(), actions);
  waiting_.clear();
  ended_.clear();
}

void SnapshotSender::OnLogCut(BootTime now, LogIndex base, Actions& actions) {
  std::vector<MemberId> useless;
  for (const auto& [to, transfer] : transfers_)
    if (transfer.taken && transfer.meta.last_index < base) useless.push_back(to);
  for (MemberId to : useless) End(now, transfers_.find(to), false, actions);
  useless.clear();
  for (const auto& [to, transfer] : parked_)
    if (transfer.meta.last_index < base) useless.push_back(to);
  for (MemberId to : useless) Forget(parked_, parked_.find(to), actions);
}

std::optional<LogIndex> SnapshotSender::pinned() const {
  std::optional<LogIndex> least;
  const auto add = [&least](const Transfers& transfers) {
    for (const auto& [to, transfer] : transfers) {
      const LogIndex at = transfer.meta.last_index;  // 0 until it is taken: holds everything
      if (!least || at < *least) least = at;
    }
  };
  add(transfers_);
  add(parked_);
  return least;
}

}  // namespace quorate::replica
