#include "raft/codec.h"

#include "base/limits.h"
#include "raft/codec_io.h"

namespace quorate::raft {
namespace {

// A stamped command is a few bytes longer than the command its client sent.
constexpr size_t kPayloadBytesMax = limits::kCommandBytesMax + 64;

Payload ReadPayload(ByteReader& in) {
  const std::string_view bytes = in.String();
  if (bytes.size() > kPayloadBytesMax) in.Fail();
  return std::make_shared<const std::string>(bytes);
}

std::string_view BytesOf(const Payload& payload) {
  return payload ? std::string_view(*payload) : std::string_view();
}

BootTime ReadBootTime(ByteReader& in) { return {ReadDuration(in)}; }

void WriteMeta(const SnapshotMeta& meta, ByteWriter& out) {
  out.Varint(meta.last_index.value);
  out.Varint(meta.last_term.value);
  WriteConfiguration(meta.configuration, out);
}

SnapshotMeta ReadMeta(ByteReader& in) {
  SnapshotMeta meta;
  meta.last_index = ReadNumber<LogIndex>(in);
  meta.last_term = ReadNumber<Term>(in);
  meta.configuration = ReadConfiguration(in);
  return meta;
}

// --- bodies: one Write and one Read for each, in the order of the variant ---

void Write(const RequestVote& m, ByteWriter& out) {
  out.U8(m.pre_vote);
  out.U8(m.leadership_transfer);
  out.Varint(m.last_index.value);
  out.Varint(m.last_term.value);
}
void Read(RequestVote& m, Term, ByteReader& in) {
  m.pre_vote = ReadBool(in);
  m.leadership_transfer = ReadBool(in);
  m.last_index = ReadNumber<LogIndex>(in);
  m.last_term = ReadNumber<Term>(in);
}

void Write(const RequestVoteReply& m, ByteWriter& out) {
  out.U8(m.pre_vote);
  out.U8(m.granted);
  WriteDuration(m.since_round, out);
}
void Read(RequestVoteReply& m, Term, ByteReader& in) {
  m.pre_vote = ReadBool(in);
  m.granted = ReadBool(in);
  m.since_round = ReadDuration(in);
}

void Write(const Stamp& s, ByteWriter& out) {
  WriteDuration(s.echo.since_boot, out);
  out.Varint(s.incarnation);
  out.Varint(s.seq);
  out.Varint(s.floor.value);
  WriteDuration(s.lease, out);
}
Stamp ReadStamp(ByteReader& in) {
  Stamp s;
  s.echo = ReadBootTime(in);
  s.incarnation = ReadNumber<LogIndex>(in).value;
  s.seq = ReadNumber<LogIndex>(in).value;
  s.floor = ReadNumber<LogIndex>(in);
  s.lease = ReadDuration(in);
  if (s.lease > kLeaseMax) in.Fail();
  return s;
}

void Write(const AppendEntries& m, ByteWriter& out) {
  out.Varint(m.prev_index.value);
  out.Varint(m.prev_term.value);
  out.Varint(m.leader_commit.value);
  out.Varint(m.round);
  out.Varint(m.entries.size());
  LogIndex index = m.prev_index;
  for (const LogEntry& e : m.entries) {
    CHECK_EQ(e.index, ++index);
    out.Varint(e.term.value);
    out.U8(static_cast<uint8_t>(e.type));
    out.String(BytesOf(e.payload));
  }
  out.U8(m.stamp.has_value());
  if (m.stamp) Write(*m.stamp, out);
}
void Read(AppendEntries& m, Term sender, ByteReader& in) {
  m.prev_index = ReadNumber<LogIndex>(in);
  m.prev_term = ReadNumber<Term>(in);
  m.leader_commit = ReadNumber<LogIndex>(in);
  m.round = ReadNumber<LogIndex>(in).value;
  const size_t count = in.Count(3);
  if (count > limits::kAppendEntriesMax) in.Fail();
  LogIndex index = m.prev_index;
  Term term = m.prev_term;
  for (size_t i = 0; in.ok() && i < count; ++i) {
    LogEntry e{.index = ++index, .term = ReadNumber<Term>(in)};
    const uint8_t type = in.U8();
    if (type > static_cast<uint8_t>(EntryType::kConfiguration)) in.Fail();
    e.type = static_cast<EntryType>(type);
    e.payload = ReadPayload(in);
    if (e.term < term || e.term > sender) in.Fail();
    if (e.type == EntryType::kNoOp && e.bytes() > 0) in.Fail();
    if (e.type == EntryType::kNoOp) e.payload = nullptr;
    if (in.ok() && e.type == EntryType::kConfiguration && !DecodeConfiguration(*e.payload)) in.Fail();
    term = e.term;
    m.entries.push_back(std::move(e));
  }
  if (ReadBool(in)) m.stamp = ReadStamp(in);
}

void Write(const AppendEntriesReply& m, ByteWriter& out) {
  out.U8(m.matched);
  out.Varint(m.received.value);
  out.Varint(m.durable.value);
  out.Varint(m.conflict_index.value);
  out.Varint(m.conflict_term.value);
  out.Varint(m.round);
  out.Varint(m.request_term.value);
  WriteDuration(m.echo.since_boot, out);
  out.Varint(m.incarnation);
  out.U8(m.alarm);
}
void Read(AppendEntriesReply& m, Term, ByteReader& in) {
  m.matched = ReadBool(in);
  m.received = ReadNumber<LogIndex>(in);
  m.durable = ReadNumber<LogIndex>(in);
  m.conflict_index = ReadNumber<LogIndex>(in);
  m.conflict_term = ReadNumber<Term>(in);
  m.round = ReadNumber<LogIndex>(in).value;
  m.request_term = ReadNumber<Term>(in);
  m.echo = ReadBootTime(in);
  m.incarnation = ReadNumber<LogIndex>(in).value;
  m.alarm = ReadBool(in);
}

void Write(const TimeoutNow&, ByteWriter&) {}
void Read(TimeoutNow&, Term, ByteReader&) {}

void Write(const ReadIndexRequest& m, ByteWriter& out) { out.U64(m.id); }
void Read(ReadIndexRequest& m, Term, ByteReader& in) { m.id = in.U64(); }

void Write(const ReadIndexReply& m, ByteWriter& out) {
  out.U64(m.id);
  out.U8(m.ok);
  out.Varint(m.index.value);
}
void Read(ReadIndexReply& m, Term, ByteReader& in) {
  m.id = in.U64();
  m.ok = ReadBool(in);
  m.index = ReadNumber<LogIndex>(in);
}

void Write(const ProposeRequest& m, ByteWriter& out) {
  out.U64(m.id);
  out.String(BytesOf(m.command));
}
void Read(ProposeRequest& m, Term, ByteReader& in) {
  m.id = in.U64();
  m.command = ReadPayload(in);
}

void Write(const ProposeReply& m, ByteWriter& out) {
  out.U64(m.id);
  out.U8(static_cast<uint8_t>(m.status));
  out.Varint(m.index.value);
  out.Varint(m.entry_term.value);
}
void Read(ProposeReply& m, Term, ByteReader& in) {
  m.id = in.U64();
  const uint8_t status = in.U8();
  if (status > static_cast<uint8_t>(ProposeReply::Status::kQueueFull)) in.Fail();
  m.status = static_cast<ProposeReply::Status>(status);
  m.index = ReadNumber<LogIndex>(in);
  m.entry_term = ReadNumber<Term>(in);
}

void Write(const SnapshotChunk& m, ByteWriter& out) {
  WriteMeta(m.meta, out);
  out.U64(m.snapshot_id);
  out.Varint(m.offset);
  out.U32(m.crc);
  out.U8(m.done);
  out.String(BytesOf(m.data));
}
void Read(SnapshotChunk& m, Term, ByteReader& in) {
  m.meta = ReadMeta(in);
  m.snapshot_id = in.U64();
  m.offset = in.Varint();
  m.crc = in.U32();
  m.done = ReadBool(in);
  m.data = ReadPayload(in);
}

void Write(const SnapshotChunkReply& m, ByteWriter& out) {
  out.U64(m.snapshot_id);
  out.Varint(m.next_offset);
  out.U8(m.installed);
  out.U8(m.refused);
}
void Read(SnapshotChunkReply& m, Term, ByteReader& in) {
  m.snapshot_id = in.U64();
  m.next_offset = in.Varint();
  m.installed = ReadBool(in);
  m.refused = ReadBool(in);
}

void Write(const Revoke& m, ByteWriter& out) { out.Varint(m.seq); }
void Read(Revoke& m, Term, ByteReader& in) { m.seq = ReadNumber<LogIndex>(in).value; }

void Write(const RevokeReply& m, ByteWriter& out) {
  out.Varint(m.seq);
  out.Varint(m.incarnation);
}
void Read(RevokeReply& m, Term, ByteReader& in) {
  m.seq = ReadNumber<LogIndex>(in).value;
  m.incarnation = ReadNumber<LogIndex>(in).value;
}

void Write(const Goodbye& m, ByteWriter& out) { out.Varint(m.incarnation); }
void Read(Goodbye& m, Term, ByteReader& in) { m.incarnation = ReadNumber<LogIndex>(in).value; }

void Write(const Knock& m, ByteWriter& out) { out.U64(m.repairs); }
void Read(Knock& m, Term, ByteReader& in) { m.repairs = in.U64(); }

void Write(const Removed& m, ByteWriter& out) { out.U64(m.stranger); }
void Read(Removed& m, Term, ByteReader& in) { m.stranger = in.U64(); }

// What version 3 adds to a message of version 2, after its body.
void WriteAdded(const Message& message, ByteWriter& out) {
  out.U64(message.instance);
  const auto* reply = std::get_if<AppendEntriesReply>(&message.body);
  if (!reply) return;
  out.Varint(reply->applied.value);
  out.U64(reply->repairs);
  out.Varint(reply->feature_level);
  out.U8(reply->disk_low);
}
void ReadAdded(Message& message, ByteReader& in) {
  message.instance = in.U64();
  auto* reply = std::get_if<AppendEntriesReply>(&message.body);
  if (!reply) return;
  reply->applied = ReadNumber<LogIndex>(in);
  reply->repairs = in.U64();
  reply->feature_level = ReadNumber<LogIndex>(in).value;
  reply->disk_low = ReadBool(in);
}

using Body = decltype(Message::body);

// Makes `body` the alternative numbered `kind` and reads it.
template <size_t I = 0>
void ReadBody(size_t kind, Body& body, Term sender, ByteReader& in) {
  if constexpr (I == std::variant_size_v<Body>) {
    in.Fail();
  } else if (kind == I) {
    Read(body.template emplace<I>(), sender, in);
  } else {
    ReadBody<I + 1>(kind, body, sender, in);
  }
}

}  // namespace

std::string EncodeSnapshotMeta(const SnapshotMeta& meta) {
  ByteWriter out;
  WriteMeta(meta, out);
  return out.Take();
}

std::optional<SnapshotMeta> DecodeSnapshotMeta(std::string_view bytes) {
  ByteReader in(bytes);
  SnapshotMeta meta = ReadMeta(in);
  if (!in.AtEnd()) return std::nullopt;
  return meta;
}

bool CanEncode(const Message& message, uint8_t version) {
  return version >= kMessageVersion ||
         (!std::holds_alternative<Knock>(message.body) && !std::holds_alternative<Removed>(message.body));
}

void EncodeMessage(const Message& message, ByteWriter& out, uint8_t version) {
  out.U8(version);
  out.U8(static_cast<uint8_t>(message.body.index()));
  out.Varint(message.from.value);
  out.Varint(message.to.value);
  out.Varint(message.term.value);
  std::visit([&](const auto& body) { Write(body, out); }, message.body);
  if (version >= kMessageVersion) WriteAdded(message, out);
}

std::optional<Message> DecodeMessage(std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t version = in.U8();
  if (version < kMessageVersionMin || version > kMessageVersion) return std::nullopt;
  const uint8_t kind = in.U8();
  Message message;
  message.from = ReadNumber<MemberId>(in);
  message.to = ReadNumber<MemberId>(in);
  message.term = ReadNumber<Term>(in);
  ReadBody(kind, message.body, message.term, in);
  if (version >= kMessageVersion) ReadAdded(message, in);
  if (!in.AtEnd() || !message.from || !message.to || !CanEncode(message, version)) return std::nullopt;
  return message;
}

}  // namespace quorate::raft
