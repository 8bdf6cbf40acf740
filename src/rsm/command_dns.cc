#include "rsm/command_dns.h"

#include <algorithm>

#include "base/limits.h"
#include "rsm/codec.h"

namespace quorate::rsm::codec {
namespace {

using Tag = CommandTag;

void PutTag(Tag tag, ByteWriter& out) { out.U8(static_cast<uint8_t>(tag)); }

template <class Octets>
void PutOctets(const Octets& octets, ByteWriter& out) {
  out.Raw({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

template <class Octets>
void GetOctets(ByteReader& in, Octets& octets) {
  const std::string_view raw = in.Raw(octets.size());
  if (raw.size() == octets.size()) std::copy(raw.begin(), raw.end(), octets.begin());
}

void PutUpdateRecords(const std::vector<zone::UpdateRecord>& records, ByteWriter& out) {
  out.Varint(records.size());
  for (const zone::UpdateRecord& record : records) {
    PutName(out, record.owner);
    out.U16(static_cast<uint16_t>(record.type));
    out.U16(static_cast<uint16_t>(record.rr_class));
    out.U32(record.ttl);
    out.String(record.rdata);
  }
}

std::vector<zone::UpdateRecord> GetUpdateRecords(ByteReader& in) {
  constexpr size_t kSmallest = 11;  // root owner 2, type 2, class 2, ttl 4, length 1
  const size_t n = in.Count(kSmallest);
  std::vector<zone::UpdateRecord> records;
  records.reserve(n);
  for (size_t i = 0; i < n && in.ok(); ++i) records.push_back(GetUpdateRecord(in));
  return records;
}

ZoneUpdate GetUpdate(ByteReader& in) {
  ZoneUpdate update;
  update.apex = GetName(in);
  update.update.updates = GetUpdateRecords(in);
  update.update.prerequisites = GetUpdateRecords(in);
  GetOctets(in, update.client);
  if (in.U8() != 0) update.key = GetName(in);
  update.identity = in.String();
  update.remembered = Duration(static_cast<int64_t>(in.U64()));
  if (update.identity.size() > limits::kUpdateIdentityBytesMax || update.remembered < Duration(0) ||
      update.remembered > kUpdateRememberedMax)
    in.Fail();
  return update;
}

ZoneTransferIn GetTransfer(ByteReader& in) {
  ZoneTransferIn transfer;
  transfer.apex = GetName(in);
  if (in.U8() != 0) transfer.from = dns::Serial{in.U32()};
  transfer.rrsets = GetRRsets(in);
  transfer.edits = GetEdits(in);
  return transfer;
}

std::string GetStageId(ByteReader& in) {
  std::string id(in.String());
  if (id.empty() || id.size() > kStageIdMax) in.Fail();
  return id;
}

}  // namespace

void PutDnsBody(const ZoneUpdate& body, ByteWriter& out) {
  PutTag(Tag::kZoneUpdate, out);
  PutName(out, body.apex);
  PutUpdateRecords(body.update.updates, out);
  PutUpdateRecords(body.update.prerequisites, out);
  PutOctets(body.client, out);
  out.U8(body.key.has_value());
  if (body.key) PutName(out, *body.key);
  out.String(body.identity);
  out.U64(static_cast<uint64_t>(body.remembered.count()));
}

void PutDnsBody(const SecondaryCreate& body, ByteWriter& out) {
  PutTag(Tag::kSecondaryCreate, out);
  PutName(out, body.apex);
  out.String(body.settings);
}

void PutDnsBody(const ZoneTransferIn& body, ByteWriter& out) {
  PutTag(Tag::kZoneTransferIn, out);
  PutName(out, body.apex);
  out.U8(body.from.has_value());
  if (body.from) out.U32(body.from->value);
  PutRRsets(out, body.rrsets);
  PutEdits(out, body.edits);
}

void PutDnsBody(const ZoneChecked& body, ByteWriter& out) {
  PutTag(Tag::kZoneChecked, out);
  PutName(out, body.apex);
  out.U32(body.serial.value);
  out.U8(static_cast<uint8_t>((body.expired ? 1 : 0) | (body.wanted ? 2 : 0)));
}

void PutDnsBody(const TsigKeyPut& body, ByteWriter& out) {
  PutTag(Tag::kTsigKeyPut, out);
  PutKey(body.key, out);
  out.U8(body.replace);
}

void PutDnsBody(const TsigKeyDelete& body, ByteWriter& out) {
  PutTag(Tag::kTsigKeyDelete, out);
  PutName(out, body.name);
}

void PutDnsBody(const CookieSecretRoll& body, ByteWriter& out) {
  PutTag(Tag::kCookieSecretRoll, out);
  out.U64(body.rolls);
  PutOctets(body.fresh, out);
}

void PutDnsBody(const ZoneStage& body, ByteWriter& out) {
  PutTag(Tag::kZoneStage, out);
  out.String(body.id);
  out.U32(body.piece);
  PutRRsets(out, body.rrsets);
}

void PutDnsBody(const ZoneReplaceStaged& body, ByteWriter& out) {
  PutTag(Tag::kZoneReplaceStaged, out);
  PutName(out, body.apex);
  out.String(body.id);
  out.U32(body.pieces);
  out.U8(body.transferred);
}

bool GetDnsBody(CommandTag tag, ByteReader& in, Command& command) {
  switch (tag) {
    case Tag::kZoneUpdate:
      command.body = GetUpdate(in);
      break;
    case Tag::kSecondaryCreate: {
      dns::Name apex = GetName(in);
      command.body = SecondaryCreate{std::move(apex), std::string(in.String())};
      break;
    }
    case Tag::kZoneTransferIn:
      command.body = GetTransfer(in);
      break;
    case Tag::kZoneChecked: {
      ZoneChecked body{.apex = GetName(in)};
      body.serial = dns::Serial{in.U32()};
      const uint8_t flags = in.U8();
      if (flags > 3) in.Fail();
      body.expired = (flags & 1) != 0;
      body.wanted = (flags & 2) != 0;
      command.body = std::move(body);
      break;
    }
    case Tag::kTsigKeyPut: {
      TsigKeyPut body{.key = GetKey(in)};
      body.replace = in.U8() != 0;
      command.body = std::move(body);
      break;
    }
    case Tag::kTsigKeyDelete:
      command.body = TsigKeyDelete{GetName(in)};
      break;
    case Tag::kCookieSecretRoll: {
      CookieSecretRoll body{.rolls = in.U64()};
      GetOctets(in, body.fresh);
      command.body = body;
      break;
    }
    case Tag::kZoneStage: {
      ZoneStage body{.id = GetStageId(in)};
      body.piece = in.U32();
      body.rrsets = GetRRsets(in);
      command.body = std::move(body);
      break;
    }
    case Tag::kZoneReplaceStaged: {
      ZoneReplaceStaged body{.apex = GetName(in)};
      body.id = GetStageId(in);
      body.pieces = in.U32();
      body.transferred = in.U8() != 0;
      command.body = std::move(body);
      break;
    }
    default:
      return false;
  }
  return in.ok();
}

zone::UpdateRecord GetUpdateRecord(ByteReader& in) {
  zone::UpdateRecord record;
  record.owner = GetName(in);
  record.type = static_cast<dns::RRType>(in.U16());
  record.rr_class = static_cast<dns::RRClass>(in.U16());
  record.ttl = in.U32();
  record.rdata = in.String();
  return record;
}

// key := name:name algorithm:u8 secret:string count:varint (kind:u8 name:name count:varint type:u16*)*
void PutKey(const zone::TsigKey& key, ByteWriter& out) {
  PutName(out, key.name);
  out.U8(static_cast<uint8_t>(key.algorithm));
  out.String(key.secret);
  out.Varint(key.grants.size());
  for (const zone::UpdateGrant& grant : key.grants) {
    out.U8(static_cast<uint8_t>(grant.kind));
    PutName(out, grant.name);
    out.Varint(grant.types.size());
    for (const dns::RRType type : grant.types) out.U16(static_cast<uint16_t>(type));
  }
}

zone::TsigKey GetKey(ByteReader& in) {
  zone::TsigKey key;
  key.name = GetName(in).Folded();
  const auto algorithm = dns::TsigAlgorithmFromNumber(in.U8());
  if (!algorithm) in.Fail();
  key.algorithm = algorithm.value_or(key.algorithm);
  key.secret = in.String();
  const size_t grants = in.Count(4);
  if (key.secret.size() > limits::kTsigSecretBytesMax || grants > limits::kUpdateGrantsMax) in.Fail();
  for (size_t i = 0; i < grants && in.ok(); ++i) {
    zone::UpdateGrant grant;
    const uint8_t kind = in.U8();
    if (kind < 1 || kind > 2) in.Fail();
    grant.kind = static_cast<zone::UpdateGrant::Kind>(kind);
    grant.name = GetName(in);
    for (size_t left = in.Count(2); left > 0 && in.ok(); --left)
      grant.types.push_back(static_cast<dns::RRType>(in.U16()));
    key.grants.push_back(std::move(grant));
  }
  return key;
}

}  // namespace quorate::rsm::codec
