#include "rsm/codec.h"

namespace quorate::rsm::codec {

void PutName(ByteWriter& out, const dns::Name& name) { out.String(name.wire()); }

dns::Name GetName(ByteReader& in) {
  std::optional<dns::Name> name = dns::Name::FromWire(in.String());
  if (!name) in.Fail();
  return name.value_or(dns::Name());
}

void PutStrings(ByteWriter& out, const std::vector<std::string>& strings) {
  out.Varint(strings.size());
  for (const std::string& s : strings) out.String(s);
}

std::vector<std::string> GetStrings(ByteReader& in) {
  const size_t n = in.Count();
  std::vector<std::string> strings;
  strings.reserve(n);
  for (size_t i = 0; i < n && in.ok(); ++i) strings.emplace_back(in.String());
  return strings;
}

void PutRRset(ByteWriter& out, const dns::RRset& rrset) {
  PutName(out, rrset.owner);
  out.U16(static_cast<uint16_t>(rrset.type));
  out.U32(rrset.ttl);
  PutStrings(out, rrset.rdata);
}

dns::RRset GetRRset(ByteReader& in) {
  dns::RRset rrset;
  rrset.owner = GetName(in);
  rrset.type = static_cast<dns::RRType>(in.U16());
  rrset.ttl = in.U32();
  rrset.rdata = GetStrings(in);
  return rrset;
}

void PutRRsets(ByteWriter& out, const std::vector<dns::RRset>& rrsets) {
  out.Varint(rrsets.size());
  for (const dns::RRset& rrset : rrsets) PutRRset(out, rrset);
}

std::vector<dns::RRset> GetRRsets(ByteReader& in) {
  constexpr size_t kSmallestRRset = 9;  // root owner 2, type 2, ttl 4, count 1
  const size_t n = in.Count(kSmallestRRset);
  std::vector<dns::RRset> rrsets;
  rrsets.reserve(n);
  for (size_t i = 0; i < n && in.ok(); ++i) rrsets.push_back(GetRRset(in));
  return rrsets;
}

static constexpr uint8_t kKeepTtl = 0x80;  // beside the kind

void PutEdits(ByteWriter& out, const std::vector<zone::RRsetEdit>& edits) {
  out.Varint(edits.size());
  for (const zone::RRsetEdit& edit : edits) {
    out.U8(static_cast<uint8_t>(edit.kind) | (edit.keep_ttl ? kKeepTtl : 0));
    PutRRset(out, {edit.owner, edit.type, edit.ttl, edit.rdata});
  }
}

std::vector<zone::RRsetEdit> GetEdits(ByteReader& in) {
  const size_t n = in.Count();
  std::vector<zone::RRsetEdit> edits;
  for (size_t i = 0; i < n && in.ok(); ++i) {
    zone::RRsetEdit edit;
    const uint8_t flags = in.U8(), kind = flags & ~kKeepTtl;
    edit.keep_ttl = (flags & kKeepTtl) != 0;
    if (kind < 1 || kind > static_cast<uint8_t>(zone::RRsetEdit::Kind::kRemoveRecords)) in.Fail();
    edit.kind = static_cast<zone::RRsetEdit::Kind>(kind);
    dns::RRset rrset = GetRRset(in);
    edit.owner = std::move(rrset.owner);
    edit.type = rrset.type;
    edit.ttl = rrset.ttl;
    edit.rdata = std::move(rrset.rdata);
    edits.push_back(std::move(edit));
  }
  return edits;
}

}  // namespace quorate::rsm::codec
