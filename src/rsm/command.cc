#include "rsm/command.h"

#include <charconv>

#include "base/bytes.h"
#include "base/overloaded.h"
#include "kv/codec.h"
#include "rsm/codec.h"
#include "rsm/command_dns.h"
#include "rsm/command_tags.h"

namespace quorate::rsm {
namespace {

using codec::GetEdits;
using codec::GetName;
using codec::GetRRsets;
using codec::PutEdits;
using codec::PutName;
using codec::PutRRsets;

using Tag = CommandTag;
constexpr uint8_t kVersion = kCommandVersion, kSessionVersion = kCommandVersionOfSessions;

void PutTag(ByteWriter& out, Tag tag) { out.U8(static_cast<uint8_t>(tag)); }

void PutZone(ByteWriter& out, Tag tag, const dns::Name& apex, const std::vector<dns::RRset>& rrsets) {
  PutTag(out, tag);
  PutName(out, apex);
  PutRRsets(out, rrsets);
}

void PutBody(const Command& command, ByteWriter& out) {
  std::visit(Overloaded{
                 [&](const KvTxn& c) { PutTag(out, Tag::kKvTxn), kv::EncodeTxnRequest(c.txn, out); },
                 [&](const KvCompact& c) { PutTag(out, Tag::kKvCompact), out.Varint(c.revision.value); },
                 [&](const ZoneCreate& c) { PutZone(out, Tag::kZoneCreate, c.apex, c.rrsets); },
                 [&](const ZoneReplace& c) { PutZone(out, Tag::kZoneReplace, c.apex, c.rrsets); },
                 [&](const ZoneDelete& c) { PutTag(out, Tag::kZoneDelete), PutName(out, c.apex); },
                 [&](const ZoneChange& c) {
                   PutTag(out, Tag::kZoneChange);
                   PutName(out, c.apex);
                   PutEdits(out, c.edits);
                 },
                 [&](const Seed& c) {
                   PutTag(out, Tag::kSeed);
                   out.Varint(c.zones.size());
                   for (const ZoneCreate& zone : c.zones)
                     PutName(out, zone.apex), PutRRsets(out, zone.rrsets);
                 },
                 [&](const ZoneSettings& c) {
                   PutTag(out, Tag::kZoneSettings);
                   PutName(out, c.apex);
                   out.String(c.changes);
                 },
                 [&](const SessionOpen& c) {
                   PutTag(out, Tag::kSessionOpen);
                   out.U64(static_cast<uint64_t>(c.lifetime.count()));
                 },
                 [&](const SessionClose& c) { PutTag(out, Tag::kSessionClose), out.U64(c.id); },
                 [&](const auto& c) { codec::PutDnsBody(c, out); },
             },
             command.body);
}

bool IsSessionCommand(const Command& command) {
  return std::holds_alternative<SessionOpen>(command.body) ||
         std::holds_alternative<SessionClose>(command.body);
}

bool IsOfDns(const Command& command) {
  if (const auto* settings = std::get_if<ZoneSettings>(&command.body)) {
    const std::string& changes = settings->changes;
    return !changes.starts_with("consistency=") || changes.find('\n') != std::string::npos;
  }
  return command.body.index() > Command{.body = SessionClose{}}.body.index();
}

bool GetBody(ByteReader& in, uint8_t version, Command& command) {
  const Tag tag = static_cast<Tag>(in.U8());
  if (version == kVersion && tag > Tag::kZoneSettings) return false;
  if (tag > Tag::kSessionClose) return version == kCommandVersionOfDns && codec::GetDnsBody(tag, in, command);
  switch (tag) {
    case Tag::kKvTxn: {
      std::optional<kv::TxnRequest> txn = kv::DecodeTxnRequest(in);
      if (!txn) return false;
      command.body = KvTxn{std::move(*txn)};
      return true;
    }
    case Tag::kKvCompact:
      command.body = KvCompact{Revision{in.Varint()}};
      return true;
    case Tag::kZoneCreate: {
      dns::Name apex = GetName(in);
      command.body = ZoneCreate{std::move(apex), GetRRsets(in)};
      return true;
    }
    case Tag::kZoneReplace: {
      dns::Name apex = GetName(in);
      command.body = ZoneReplace{std::move(apex), GetRRsets(in)};
      return true;
    }
    case Tag::kZoneDelete:
      command.body = ZoneDelete{GetName(in)};
      return true;
    case Tag::kZoneChange: {
      dns::Name apex = GetName(in);
      command.body = ZoneChange{std::move(apex), GetEdits(in)};
      return true;
    }
    case Tag::kSeed: {
      Seed seed;
      const size_t n = in.Count();
      for (size_t i = 0; i < n && in.ok(); ++i) {
        dns::Name apex = GetName(in);
        seed.zones.push_back({std::move(apex), GetRRsets(in)});
      }
      command.body = std::move(seed);
      return true;
    }
    case Tag::kZoneSettings: {
      dns::Name apex = GetName(in);
      command.body = ZoneSettings{std::move(apex), std::string(in.String())};
      return true;
    }
    case Tag::kSessionOpen:
      command.body = SessionOpen{Duration(static_cast<int64_t>(in.U64()))};
      return true;
    case Tag::kSessionClose:
      command.body = SessionClose{in.U64()};
      return true;
    default:
      return false;
  }
}

// Takes a decimal number off the front of `text`. False: there is none.
bool TakeNumber(std::string_view& text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::optional<SessionRequest> ParseSessionRequest(std::string_view text) {
  SessionRequest request;
  bool good = TakeNumber(text, request.id) && TakePrefix(text, ":") && TakeNumber(text, request.sequence);
  if (good && TakePrefix(text, ";")) {
    while (TakePrefix(text, " ")) continue;
    good = TakePrefix(text, "oldest=") && TakeNumber(text, request.oldest_unanswered);
  }
  if (!good || !text.empty() || request.id == 0 || request.sequence == 0 ||
      request.oldest_unanswered > request.sequence)
    return std::nullopt;
  return request;
}

// command := 1:u8 origin:string key:string rest
//          | 2:u8 origin:string oldest_unanswered:varint key:string session:varint sequence:varint rest
//          | 3:u8, the same
// rest := has_revision:u8 [revision:varint] tag:u8 body
std::string EncodeCommand(const Command& command) {
  CHECK_LE(command.idempotency_key.size(), kIdempotencyKeyMax);
  const bool of_dns = IsOfDns(command);
  const bool of_sessions = of_dns || command.session || IsSessionCommand(command);
  ByteWriter out(256);
  out.U8(of_dns ? kCommandVersionOfDns : of_sessions ? kSessionVersion : kVersion);
  out.String(command.origin);
  const SessionRequest session = command.session.value_or(SessionRequest());
  if (of_sessions) out.Varint(session.oldest_unanswered);
  out.String(command.idempotency_key);
  if (of_sessions) out.Varint(session.id), out.Varint(session.sequence);
  out.U8(command.if_revision.has_value());
  if (command.if_revision) out.Varint(command.if_revision->value);
  PutBody(command, out);
  return out.Take();
}

Result<Command, std::string> DecodeCommand(std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t version = in.U8();
  if (!in.ok() || version < kVersion || version > kCommandVersionOfDns) {
    return std::string("unknown command version ") + std::to_string(version);
  }
  Command command;
  SessionRequest session;
  command.origin = in.String();
  if (version >= kSessionVersion) session.oldest_unanswered = in.Varint();
  command.idempotency_key = in.String();
  if (command.idempotency_key.size() > kIdempotencyKeyMax) return std::string("idempotency key too long");
  if (version >= kSessionVersion) session.id = in.Varint(), session.sequence = in.Varint();
  if (session.id != 0) command.session = session;
  if (in.U8() != 0) command.if_revision = Revision{in.Varint()};
  if (!GetBody(in, version, command) || !in.AtEnd()) return std::string("malformed command");
  if (command.session && (!command.idempotency_key.empty() || IsSessionCommand(command)))
    return std::string("a session does not go with an idempotency key, nor with opening or closing one");
  return command;
}

uint64_t FeatureLevelFor(std::string_view command) {
  return !command.empty() && command[0] == kCommandVersionOfDns ? kFeatureLevelOfDns : 1;
}

std::string_view WhatIsAsked(std::string_view command) {
  ByteReader in(command);
  const uint8_t version = in.U8();
  in.String();
  if (version >= kSessionVersion) in.Varint();
  return in.Raw(in.remaining());
}

}  // namespace quorate::rsm
