#include "replica/snapshot_sender.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/limits.h"
#include "base/sim_hooks.h"

namespace quorate::replica {

void SnapshotSender::Need(BootTime now, MemberId to, Actions& actions) {
  if (transfers_.contains(to)) return;
  if (transfers_.size() >= limits::kSnapshotTransfersMax) {
    if (std::find(waiting_.begin(), waiting_.end(), to) == waiting_.end()) waiting_.push_back(to);
    return;
  }
  Transfer& transfer = transfers_[to];
  transfer.id = next_id_++;
  transfer.progress_at = now;
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
  transfer->progress_at = now;
  actions.housekeeping.push_back(ReadSnapshot{transfer->id, 0});
}

void SnapshotSender::OnRead(BootTime now, Term term, SnapshotRead event, Actions& actions) {
  MemberId to;
  Transfer* transfer = Find(event.snapshot_id, &to);
  if (!transfer || event.offset != transfer->offset || transfer->chunk) return;
  if (!event.data.ok()) return End(now, transfers_.find(to), false, actions);
  transfer->chunk = std::make_shared<const std::string>(*std::move(event.data));
  transfer->progress_at = now;
  Send(now, term, to, *transfer, actions);
}

void SnapshotSender::Send(BootTime now, Term term, MemberId to, Transfer& transfer, Actions& actions) {
  transfer.sent_at = now;
  actions.send.push_back({self_, to, term,
                          raft::SnapshotChunk{.meta = transfer.meta,
                                              .snapshot_id = transfer.id,
                                              .offset = transfer.offset,
                                              .data = transfer.chunk,
                                              .crc = Crc32c(*transfer.chunk),
                                              .done = transfer.chunk->empty()}});
}

void SnapshotSender::OnReply(BootTime now, MemberId from, const raft::SnapshotChunkReply& reply,
                             Actions& actions) {
  auto it = transfers_.find(from);
  if (it == transfers_.end() || it->second.id != reply.snapshot_id) return;
  Transfer& transfer = it->second;
  if (reply.installed || reply.refused) return End(now, it, reply.installed, actions);
  transfer.progress_at = now;
  if (!transfer.chunk || transfer.chunk->empty()) return;  // the last: it is being installed
  if (reply.next_offset != transfer.offset + transfer.chunk->size()) return;  // an old acknowledgement
  transfer.offset = reply.next_offset;
  transfer.chunk = nullptr;
  actions.housekeeping.push_back(ReadSnapshot{transfer.id, transfer.offset});
}

void SnapshotSender::End(BootTime now, std::map<MemberId, Transfer>::iterator it, bool installed,
                         Actions& actions) {
  ended_.push_back({it->first, installed, it->second.meta.last_index});
  if (it->second.taken) actions.housekeeping.push_back(DropSnapshot{it->second.id});
  transfers_.erase(it);
  if (waiting_.empty()) return;
  const MemberId next = waiting_.front();
  waiting_.pop_front();
  Need(now, next, actions);
}

void SnapshotSender::Expire(BootTime now, Term term, Actions& actions) {
  std::vector<MemberId> stalled;
  for (auto& [to, transfer] : transfers_) {
    if (now >= transfer.progress_at + stall_timeout_) {
      stalled.push_back(to);
    } else if (transfer.chunk && now >= transfer.sent_at + resend_after_) {
      Send(now, term, to, transfer, actions);
    }
  }
  SIM_PROBE("replica.snapshot-transfer-stalled", !stalled.empty());
  for (MemberId to : stalled) End(now, transfers_.find(to), false, actions);
}

BootTime SnapshotSender::NextDeadline() const {
  BootTime next{Duration::max()};
  for (const auto& [to, transfer] : transfers_) {
    next = std::min(next, transfer.progress_at + stall_timeout_);
    if (transfer.chunk) next = std::min(next, transfer.sent_at + resend_after_);
  }
  return next;
}

void SnapshotSender::Abort(Actions& actions) {
  for (const auto& [to, transfer] : transfers_)
    if (transfer.taken) actions.housekeeping.push_back(DropSnapshot{transfer.id});
  transfers_.clear();
  waiting_.clear();
  ended_.clear();
}

std::optional<LogIndex> SnapshotSender::pinned() const {
  std::optional<LogIndex> least;
  for (const auto& [to, transfer] : transfers_) {
    const LogIndex at = transfer.meta.last_index;  // 0 until it is taken: holds everything
    if (!least || at < *least) least = at;
  }
  return least;
}

}  // namespace quorate::replica
