#include "wire/message.h"

#include <algorithm>

#include "wire/header.h"
#include "wire/name.h"
#include "wire/rdata.h"
#include "wire/writer.h"

namespace quorate::wire {
namespace {

class Parser {
 public:
  explicit Parser(Bytes message) : in_(message) {}

  Result<Message, WireError> Run() {
    if (in_.size() < kHeaderBytes) return WireError{WireFault::kTruncated, 0};
    const Header header = LoadHeader(in_);
    TakeHeader(header);
    std::optional<WireError> error;
    for (size_t i = 0; i < header.counts[0] && !error; ++i) error = TakeQuestion();
    for (size_t s = 1; s < 4 && !error; ++s)
      for (size_t i = 0; i < header.counts[s] && !error; ++i) error = TakeRecord(static_cast<Section>(s));
    if (error) return *error;
    if (at_ != in_.size()) return WireError{WireFault::kTrailingBytes, at_};
    return std::move(out_);
  }

 private:
  void TakeHeader(const Header& h) {
    out_.id = h.id;
    out_.opcode = h.opcode();
    out_.rcode = static_cast<dns::Rcode>(h.rcode());
    out_.response = h.has(kFlagQR), out_.aa = h.has(kFlagAA), out_.tc = h.has(kFlagTC),
    out_.rd = h.has(kFlagRD);
    out_.ra = h.has(kFlagRA), out_.z = h.has(kFlagZ), out_.ad = h.has(kFlagAD), out_.cd = h.has(kFlagCD);
  }

  std::optional<WireError> TakeName(dns::Name& name) {
    NameBuffer buffer;
    const auto next = DecodeName(in_, at_, buffer);
    if (!next.ok()) return next.error();
    auto decoded = dns::Name::FromWire(buffer.view());
    CHECK(decoded.has_value());  // DecodeName gives nothing but well-formed names
    name = *std::move(decoded);
    at_ = *next;
    return std::nullopt;
  }

  std::optional<WireError> TakeQuestion() {
    Question q;
    if (auto error = TakeName(q.name)) return error;
    if (in_.size() - at_ < 4) return WireError{WireFault::kTruncated, at_};
    q.type = static_cast<dns::RRType>(LoadU16(&in_[at_]));
    q.rr_class = static_cast<dns::RRClass>(LoadU16(&in_[at_ + 2]));
    at_ += 4;
    out_.questions.push_back(std::move(q));
    return std::nullopt;
  }

  std::optional<WireError> TakeRecord(Section section) {
    Record r;
    const size_t start = at_;
    if (auto error = TakeName(r.name)) return error;
    if (in_.size() - at_ < 10) return WireError{WireFault::kTruncated, at_};
    r.type = static_cast<dns::RRType>(LoadU16(&in_[at_]));
    r.rr_class = static_cast<dns::RRClass>(LoadU16(&in_[at_ + 2]));
    r.ttl = LoadU32(&in_[at_ + 4]);
    const size_t length = LoadU16(&in_[at_ + 8]);
    at_ += 10;
    if (length > in_.size() - at_) return WireError{WireFault::kTruncated, at_};
    const size_t rdata_at = at_;
    at_ += length;
    if (r.type == dns::RRType::kOPT) return TakeOpt(section, start, r, rdata_at, length);
    // UPDATE names RRsets by type with no data at all (RFC 2136 2.4, 2.5).
    const bool named_only =
        length == 0 && (r.rr_class == dns::RRClass::kANY || r.rr_class == dns::RRClass::kNONE);
    if (!named_only)
      if (auto error = DecodeRdata(in_, rdata_at, length, r.type, r.rdata)) return error;
    std::vector<Record>* const lists[] = {&out_.answer, &out_.authority, &out_.additional};
    lists[static_cast<size_t>(section) - 1]->push_back(std::move(r));
    return std::nullopt;
  }

  std::optional<WireError> TakeOpt(Section section, size_t start, const Record& r, size_t at, size_t length) {
    if (section != Section::kAdditional || !r.name.IsRoot()) return WireError{WireFault::kBadOpt, start};
    if (out_.edns) return WireError{WireFault::kDuplicateOpt, start};
    Edns edns{.udp_size = static_cast<uint16_t>(r.rr_class),
              .version = static_cast<uint8_t>(r.ttl >> 16),
              .dnssec_ok = (r.ttl & 0x8000) != 0};
    for (const size_t end = at + length; at < end;) {
      if (end - at < 4) return WireError{WireFault::kBadOpt, at};
      const size_t bytes = LoadU16(&in_[at + 2]);
      if (bytes > end - at - 4) return WireError{WireFault::kBadOpt, at};
      const char* data = reinterpret_cast<const char*>(in_.data()) + at + 4;
      edns.options.push_back({LoadU16(&in_[at]), std::string(data, bytes)});
      at += 4 + bytes;
    }
    out_.rcode = static_cast<dns::Rcode>(static_cast<uint32_t>(out_.rcode) | (r.ttl >> 24) << 4);
    out_.edns = std::move(edns);
    return std::nullopt;
  }

  const Bytes in_;
  size_t at_ = kHeaderBytes;
  Message out_;
};

uint16_t EncodeFlags(const Message& m) {
  const auto flag = [](bool on, uint16_t bit) { return on ? bit : uint16_t{0}; };
  return static_cast<uint16_t>(
      flag(m.response, kFlagQR) | static_cast<uint16_t>(static_cast<uint16_t>(m.opcode) << 11) |
      flag(m.aa, kFlagAA) | flag(m.tc, kFlagTC) | flag(m.rd, kFlagRD) | flag(m.ra, kFlagRA) |
      flag(m.z, kFlagZ) | flag(m.ad, kFlagAD) | flag(m.cd, kFlagCD) | (static_cast<uint16_t>(m.rcode) & 0xf));
}

bool AddEdns(MessageWriter& writer, const Message& m) {
  std::string options;
  for (const EdnsOption& option : m.edns->options) {
    uint8_t head[4];
    StoreU16(head, option.code);
    StoreU16(head + 2, static_cast<uint16_t>(option.data.size()));
    options.append(reinterpret_cast<const char*>(head), sizeof head).append(option.data);
  }
  return writer.AddOpt({.udp_size = m.edns->udp_size,
                        .extended_rcode = static_cast<uint8_t>(static_cast<uint16_t>(m.rcode) >> 4),
                        .version = m.edns->version,
                        .dnssec_ok = m.edns->dnssec_ok,
                        .options = options});
}

}  // namespace

Result<Message, WireError> ParseMessage(Bytes message) { return Parser(message).Run(); }

Result<std::string, WireError> EncodeMessage(const Message& message, size_t limit) {
  std::string out(std::clamp(limit, kHeaderBytes, kMessageBytesMax), '\0');
  MessageWriter writer({reinterpret_cast<uint8_t*>(out.data()), out.size()}, out.size());
  bool fits = true;
  for (const Question& q : message.questions)
    fits = fits && writer.AddQuestion(q.name.wire(), static_cast<uint16_t>(q.type),
                                      static_cast<uint16_t>(q.rr_class));
  const std::pair<Section, const std::vector<Record>*> sections[] = {
      {Section::kAnswer, &message.answer},
      {Section::kAuthority, &message.authority},
      {Section::kAdditional, &message.additional}};
  for (const auto& [section, records] : sections)
    for (const Record& r : *records)
      fits = fits && writer.AddRecord(section, r.name.wire(), r.type, r.rr_class, r.ttl, r.rdata);
  if (message.edns) fits = fits && AddEdns(writer, message);
  if (!fits) return WireError{WireFault::kTooLarge, writer.size()};
  out.resize(writer.Finish(message.id, EncodeFlags(message)));
  return out;
}

Message MakeQuery(uint16_t id, const dns::Name& name, dns::RRType type) {
  Message query{.id = id};
  query.questions.push_back({name, type, dns::RRClass::kIN});
  query.edns.emplace();
  return query;
}

}  // namespace quorate::wire
