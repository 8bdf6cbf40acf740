#include "replica/snapshot_receiver.h"

#include "base/crc32c.h"
#include "base/sim_hooks.h"

namespace quorate::replica {

void SnapshotReceiver::Reply(Actions& actions, bool installed, bool refused) const {
  actions.send.push_back(
      {self_, from_, term_, raft::SnapshotChunkReply{snapshot_id_, next_offset_, installed, refused}});
}

void SnapshotReceiver::Drop(Actions& actions) {
  if (phase_ != Phase::kIdle) actions.housekeeping.push_back(DropRestore{restore_id_});
  phase_ = Phase::kIdle;
}

// The sender begins anew.
void SnapshotReceiver::Refuse(Actions& actions) {
  ++counts_.refused;
  Reply(actions, false, true);
  Drop(actions);
}

void SnapshotReceiver::Begin(MemberId from, const raft::SnapshotChunk& chunk, Actions& actions) {
  Drop(actions);
  phase_ = Phase::kWaiting;
  from_ = from, meta_ = chunk.meta, snapshot_id_ = chunk.snapshot_id;
  ++restore_id_;
  next_offset_ = 0;
}

void SnapshotReceiver::OnChunk(BootTime now, MemberId from, Term term, const raft::SnapshotChunk& chunk,
                               LogIndex committed, Actions& actions) {
  const auto answer = [&](bool installed, bool refused) {
    actions.send.push_back(
        {self_, from, term, raft::SnapshotChunkReply{chunk.snapshot_id, chunk.offset, installed, refused}});
  };
  const bool same = phase_ != Phase::kIdle && from == from_ && chunk.snapshot_id == snapshot_id_;
  if (phase_ == Phase::kInstalling) {
    if (same) Reply(actions);  // still at it
    return;
  }
  if (chunk.meta.last_index <= committed) {
    if (same) Drop(actions);
    return answer(true, false);
  }
  SIM_PROBE("replica.snapshot-chunk-out-of-order", same && chunk.offset != next_offset_);
  const bool damaged = !chunk.data || Crc32c(*chunk.data) != chunk.crc || (same && chunk.meta != meta_);
  const bool from_the_middle = !same && (chunk.offset != 0 || chunk.data->empty());
  if (damaged || from_the_middle) {
    ++counts_.refused;
    return answer(false, true);
  }
  if (!same) Begin(from, chunk, actions);
  term_ = term;
  heard_at_ = now;
  if (phase_ != Phase::kWaiting) return;  // this very chunk is being written, or all of it checked
  if (chunk.offset != next_offset_) return Reply(actions);
  if (chunk.data->empty()) {
    phase_ = Phase::kVerifying;
    actions.housekeeping.push_back(VerifySnapshot{restore_id_, meta_});
    return;
  }
  phase_ = Phase::kWriting;
  writing_bytes_ = chunk.data->size();
  actions.housekeeping.push_back(WriteSnapshot{restore_id_, next_offset_, chunk.data});
}

void SnapshotReceiver::OnWritten(const SnapshotWritten& event, Actions& actions) {
  if (phase_ != Phase::kWriting || event.restore_id != restore_id_) return;
  // Damaged in a way that the chunks' own sums do not show, or no room.
  if (!event.status.ok()) return Refuse(actions);
  phase_ = Phase::kWaiting;
  next_offset_ += writing_bytes_;
  counts_.bytes += writing_bytes_;
  Reply(actions);
}

std::optional<raft::SnapshotReceived> SnapshotReceiver::OnVerified(const SnapshotVerified& event,
                                                                   Actions& actions) {
  if (phase_ != Phase::kVerifying || event.restore_id != restore_id_) return std::nullopt;
  SIM_PROBE("replica.snapshot-refused-as-a-whole", !event.status.ok());
  if (!event.status.ok()) {
    Refuse(actions);
    return std::nullopt;
  }
  return raft::SnapshotReceived{from_, term_, meta_};
}

void SnapshotReceiver::Install(const raft::SnapshotMeta& meta, Actions& actions) {
  phase_ = Phase::kInstalling;
  actions.apply.push_back(InstallSnapshot{restore_id_, meta});
}

void SnapshotReceiver::Decline(bool committed, Actions& actions) {
  Reply(actions, committed, !committed);
  Drop(actions);
}

void SnapshotReceiver::Installed(Term term, Actions& actions) {
  term_ = term;
  ++counts_.installed;
  Reply(actions, true);
  phase_ = Phase::kIdle;
}

void SnapshotReceiver::Expire(BootTime now, Actions& actions) {
  if (phase_ == Phase::kWaiting && now >= heard_at_ + keep_for_) Drop(actions);
}

BootTime SnapshotReceiver::NextDeadline() const {
  return phase_ == Phase::kWaiting ? heard_at_ + keep_for_ : BootTime{Duration::max()};
}

}  // namespace quorate::replica
