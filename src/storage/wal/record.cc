#include "storage/wal/record.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "raft/codec.h"

namespace quorate::storage::wal {
namespace {

void PutRecord(RecordType type, std::string_view body, ByteWriter& out) {
  out.U8(static_cast<uint8_t>(type));
  out.String(body);
}

void PutHardState(const raft::HardState& state, ByteWriter& out) {
  out.Varint(state.current_term.value);
  out.Varint(state.voted_for.value);
}

raft::HardState GetHardState(ByteReader& in) {
  raft::HardState state;
  state.current_term = Term{in.Varint()};
  state.voted_for = MemberId{in.Varint()};
  return state;
}

void PutMeta(const raft::SnapshotMeta& meta, ByteWriter& out) {
  out.Varint(meta.last_index.value);
  out.Varint(meta.last_term.value);
  out.String(raft::EncodeConfiguration(meta.configuration));
}

raft::SnapshotMeta GetMeta(ByteReader& in) {
  raft::SnapshotMeta meta;
  meta.last_index = LogIndex{in.Varint()};
  meta.last_term = Term{in.Varint()};
  auto configuration = raft::DecodeConfiguration(in.String());
  if (configuration.has_value() && meta.last_index.value <= raft::kNumberMax) {
    meta.configuration = *std::move(configuration);
  } else {
    in.Fail();
  }
  return meta;
}

void PutEntry(const raft::LogEntry& entry, ByteWriter& out) {
  ByteWriter head;
  head.Varint(entry.index.value);
  head.Varint(entry.term.value);
  head.U8(static_cast<uint8_t>(entry.type));
  head.U8(entry.payload != nullptr ? 1 : 0);
  out.U8(static_cast<uint8_t>(RecordType::kEntry));
  out.Varint(head.str().size() + entry.bytes());
  out.Raw(head.str());
  if (entry.payload != nullptr) out.Raw(*entry.payload);
}

void PutInstall(const LogWrite& write, Position& position, ByteWriter& out) {
  const raft::SnapshotMeta& base = *write.install;
  CHECK_GE(base.last_index, position.base.last_index);
  ByteWriter body;
  body.U8(write.keep_log_suffix ? 1 : 0);
  PutMeta(base, body);
  PutRecord(RecordType::kInstall, body.str(), out);
  position.base = base;
  position.next = write.keep_log_suffix ? std::max(position.next, base.last_index + 1) : base.last_index + 1;
}

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("malformed record: ", what));
}

}  // namespace

void PutOpen(const Position& position, ByteWriter& out) {
  ByteWriter body;
  PutHardState(position.hard_state, body);
  PutMeta(position.base, body);
  body.Varint(position.next.value);
  PutRecord(RecordType::kOpen, body.str(), out);
}

void PutSeal(ByteWriter& out) { PutRecord(RecordType::kSeal, "", out); }

void PutBase(const raft::SnapshotMeta& base, ByteWriter& out) {
  ByteWriter body;
  PutMeta(base, body);
  PutRecord(RecordType::kBase, body.str(), out);
}

void PutWrite(const LogWrite& write, Position& position, ByteWriter& out) {
  if (write.install.has_value()) PutInstall(write, position, out);
  if (write.hard_state.has_value()) {
    ByteWriter body;
    PutHardState(*write.hard_state, body);
    PutRecord(RecordType::kHardState, body.str(), out);
    position.hard_state = *write.hard_state;
  }
  if (write.append.empty()) return;
  const LogIndex first = write.append.front().index;
  CHECK_GT(first, position.base.last_index);
  CHECK_LE(first, position.next);
  if (first < position.next) {
    ByteWriter body;
    body.Varint(first.value);
    PutRecord(RecordType::kTruncate, body.str(), out);
    position.next = first;
  }
  for (const raft::LogEntry& entry : write.append) {
    CHECK_EQ(entry.index, position.next);
    PutEntry(entry, out);
    ++position.next;
  }
}

void CutSegments(LogIndex from, SegmentLasts& lasts) {
  for (LogIndex& last : lasts) {
    if (last >= from) last = from ? from - 1 : from;
  }
}

void Replay::BeginSegment() {
  lasts_.push_back(LogIndex{0});
  opening_ = true;
  sealed_ = false;
}

absl::Status Replay::Add(std::string_view records) {
  ByteReader in(records);
  while (in.remaining() > 0) {
    const uint8_t type = in.U8();
    const std::string_view body = in.String();
    if (!in.ok()) return Malformed("its length");
    if (sealed_) return Malformed("something after SEAL");
    if (opening_ != (type == static_cast<uint8_t>(RecordType::kOpen)))
      return Malformed("OPEN in the wrong place");
    opening_ = false;
    ByteReader fields(body);
    RETURN_IF_ERROR(AddRecord(static_cast<RecordType>(type), fields));
    if (!fields.AtEnd()) return Malformed(absl::StrCat("body of type ", type));
  }
  return absl::OkStatus();
}

absl::Status Replay::AddRecord(RecordType type, ByteReader& in) {
  switch (type) {
    case RecordType::kOpen:
      return OnOpen(in);
    case RecordType::kHardState:
      position_.hard_state = GetHardState(in);
      return absl::OkStatus();
    case RecordType::kEntry:
      return OnEntry(in);
    case RecordType::kTruncate:
      return OnTruncate(LogIndex{in.Varint()});
    case RecordType::kInstall: {
      const uint8_t keep = in.U8();
      return keep <= 1 ? OnInstall(keep == 1, GetMeta(in)) : Malformed("INSTALL");
    }
    case RecordType::kBase:
      return OnBase(GetMeta(in));
    case RecordType::kSeal:
      sealed_ = true;
      return absl::OkStatus();
  }
  return Malformed(absl::StrCat("unknown type ", static_cast<int>(type)));
}

absl::Status Replay::OnOpen(ByteReader& in) {
  Position opened;
  opened.hard_state = GetHardState(in);
  opened.base = GetMeta(in);
  opened.next = LogIndex{in.Varint()};
  if (!in.ok() || opened.next <= opened.base.last_index) return Malformed("OPEN");
  if (started_ && opened != position_) {
    return absl::DataLossError("a segment opens with another state than the one before it ended with");
  }
  position_ = std::move(opened);
  started_ = true;
  return absl::OkStatus();
}

absl::Status Replay::OnEntry(ByteReader& in) {
  raft::LogEntry entry;
  entry.index = LogIndex{in.Varint()};
  entry.term = Term{in.Varint()};
  const uint8_t type = in.U8();
  const uint8_t has_payload = in.U8();
  if (!in.ok() || type > static_cast<uint8_t>(raft::EntryType::kConfiguration) || has_payload > 1) {
    return Malformed("ENTRY");
  }
  entry.type = static_cast<raft::EntryType>(type);
  if (has_payload == 1) entry.payload = std::make_shared<const std::string>(in.Raw(in.remaining()));
  if (entry.index != position_.next) {
    return absl::DataLossError(
        absl::StrCat("entry ", entry.index.value, " where ", position_.next.value, " was expected"));
  }
  lasts_.back() = entry.index;
  ++position_.next;
  entries_.push_back(std::move(entry));
  return absl::OkStatus();
}

absl::Status Replay::OnTruncate(LogIndex from) {
  if (from <= position_.base.last_index || from >= position_.next)
    return Malformed("TRUNCATE out of the log");
  while (!entries_.empty() && entries_.back().index >= from) entries_.pop_back();
  CutSegments(from, lasts_);
  position_.next = from;
  return absl::OkStatus();
}

absl::Status Replay::OnInstall(bool keep_suffix, raft::SnapshotMeta base) {
  if (base.last_index < position_.base.last_index) return Malformed("INSTALL goes back");
  if (!keep_suffix) {
    entries_.clear();
    CutSegments(LogIndex{0}, lasts_);
    position_.next = base.last_index + 1;
  }
  position_.next = std::max(position_.next, base.last_index + 1);
  position_.base = std::move(base);
  return absl::OkStatus();
}

absl::Status Replay::OnBase(raft::SnapshotMeta base) {
  if (base.last_index < position_.base.last_index || base.last_index >= position_.next) {
    return Malformed("BASE out of the log");
  }
  position_.base = std::move(base);
  return absl::OkStatus();
}

absl::StatusOr<RecoveredLog> Replay::Finish() {
  while (!entries_.empty() && entries_.front().index <= position_.base.last_index) entries_.pop_front();
  const LogIndex first = position_.base.last_index + 1;
  const LogIndex present = entries_.empty() ? position_.next : entries_.front().index;
  if (present != first) {
    return absl::DataLossError(absl::StrCat("entries ", first.value, " to ", present.value - 1,
                                            " are missing: segments before the first one are gone"));
  }
  RecoveredLog log;
  log.hard_state = position_.hard_state;
  log.base = position_.base;
  log.entries.assign(std::make_move_iterator(entries_.begin()), std::make_move_iterator(entries_.end()));
  entries_.clear();
  return log;
}

}  // namespace quorate::storage::wal
