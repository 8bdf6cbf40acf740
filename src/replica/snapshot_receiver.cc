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

std::optional<raft::SnapshotReceived> SnapshotReceiver::OnChunk(MemberId from, Term term,
                                                                const raft::SnapshotChunk& chunk,
                                                                LogIndex committed, Actions& actions) {
  const auto answer = [&](bool installed, bool refused) {
    actions.send.push_back(
        {self_, from, term, raft::SnapshotChunkReply{chunk.snapshot_id, chunk.offset, installed, refused}});
    return std::nullopt;
  };
  const bool same = phase_ != Phase::kIdle && from == from_ && chunk.snapshot_id == snapshot_id_;
  if (phase_ == Phase::kInstalling) {
    if (same) Reply(actions);  // still at it
    return std::nullopt;
  }
  if (chunk.meta.last_index <= committed) {
    if (same) Drop(actions);
    return answer(true, false);
  }
  SIM_PROBE("replica.snapshot-chunk-out-of-order", same && chunk.offset != next_offset_);
  if (!chunk.data || Crc32c(*chunk.data) != chunk.crc) return answer(false, true);
  if (!same) {
    if (chunk.offset != 0 || chunk.data->empty()) return answer(false, true);
    Drop(actions);
    phase_ = Phase::kWaiting;
    from_ = from, meta_ = chunk.meta, snapshot_id_ = chunk.snapshot_id;
    ++restore_id_;
    next_offset_ = 0;
  }
  term_ = term;
  if (phase_ != Phase::kWaiting) return std::nullopt;  // this very chunk is being written
  if (chunk.offset != next_offset_) {
    Reply(actions);
    return std::nullopt;
  }
  if (chunk.data->empty()) {
    phase_ = Phase::kComplete;
    return raft::SnapshotReceived{from_, term, meta_};
  }
  phase_ = Phase::kWriting;
  writing_bytes_ = chunk.data->size();
  actions.housekeeping.push_back(WriteSnapshot{restore_id_, next_offset_, chunk.data});
  return std::nullopt;
}

void SnapshotReceiver::OnWritten(const SnapshotWritten& event, Actions& actions) {
  if (phase_ != Phase::kWriting || event.restore_id != restore_id_) return;
  if (!event.status.ok()) {  // damaged in a way that the chunks' own sums do not show, or no room
    Reply(actions, false, true);
    return Drop(actions);
  }
  phase_ = Phase::kWaiting;
  next_offset_ += writing_bytes_;
  Reply(actions);
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
  Reply(actions, true);
  phase_ = Phase::kIdle;
}

}  // namespace quorate::replica
