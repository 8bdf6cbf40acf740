#include "wire/tsig.h"

#include <algorithm>

#include "wire/endian.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/tsig_digest.h"
#include "wire/writer.h"

namespace quorate::wire {
namespace {

constexpr uint64_t kTimeMask = (uint64_t{1} << 48) - 1;

uint64_t LoadU48(const uint8_t* p) { return uint64_t{LoadU16(p)} << 32 | LoadU32(p + 2); }

std::string Text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Bytes AsOctets(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

void Append(std::string& out, uint64_t value, int octets) {
  for (int i = octets - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// 4.2. Its algorithm's name is never compressed (RFC 3597 4).
bool ReadRdata(Bytes rdata, TsigRecord& record) {
  const auto end = SkipPlainName(rdata, 0);
  if (!end.ok() || rdata.size() - *end < 10) return false;
  auto algorithm = dns::Name::FromWire(Text(rdata.first(*end)));
  if (!algorithm) return false;
  record.algorithm = *std::move(algorithm);
  size_t at = *end;
  record.time_signed = LoadU48(&rdata[at]);
  record.fudge = LoadU16(&rdata[at + 6]);
  const size_t mac_bytes = LoadU16(&rdata[at + 8]);
  at += 10;
  if (rdata.size() - at < mac_bytes || rdata.size() - at - mac_bytes < 6) return false;
  record.mac = Text(rdata.subspan(at, mac_bytes));
  at += mac_bytes;
  record.original_id = LoadU16(&rdata[at]);
  record.error = LoadU16(&rdata[at + 2]);
  const size_t other_bytes = LoadU16(&rdata[at + 4]);
  at += 6;
  if (rdata.size() - at != other_bytes) return false;
  record.other = Text(rdata.subspan(at));
  return true;
}

bool ReadOwner(Bytes message, size_t offset, TsigRecord& record) {
  NameBuffer owner;
  if (!DecodeName(message, offset, owner).ok()) return false;
  auto key = dns::Name::FromWire(owner.view());
  if (!key) return false;
  record.key = *std::move(key);
  record.offset = offset;
  return true;
}

// Moves `at` over the question; false: it cannot be read.
bool SkipQuestions(Bytes message, size_t count, size_t& at) {
  for (size_t i = 0; i < count; ++i) {
    const auto next = SkipName(message, at);
    if (!next.ok() || message.size() - *next < 4) return false;
    at = *next + 4;
  }
  return true;
}

// Of a message whose TSIG could not be found in order: FORMERR needs no more than the header.
std::string HeaderAnswer(Bytes request, dns::Rcode rcode) {
  Header header = LoadHeader(request);
  header.flags = static_cast<uint16_t>(kFlagQR | (header.flags & (0x7800 | kFlagRD)) |
                                       (static_cast<uint16_t>(rcode) & 0xf));
  size_t end = kHeaderBytes;
  const bool echo =
      header.counts[0] == 1 && SkipPlainName(request, end).ok() && SkipQuestions(request, 1, end);
  if (!echo) end = kHeaderBytes;
  header.counts[0] = echo ? 1 : 0;
  header.counts[1] = header.counts[2] = header.counts[3] = 0;
  std::string answer = Text(request.first(end));
  StoreHeader(header, reinterpret_cast<uint8_t*>(answer.data()));
  return answer;
}

uint16_t ErrorOf(TsigStatus status) {
  switch (status) {
    case TsigStatus::kBadKey:
      return static_cast<uint16_t>(dns::Rcode::kBadKey);
    case TsigStatus::kBadSig:
      return static_cast<uint16_t>(dns::Rcode::kBadSig);
    default:
      return 0;
  }
}

}  // namespace

std::string_view TsigStatusText(TsigStatus status) {
  switch (status) {
    case TsigStatus::kUnsigned:
      return "not signed";
    case TsigStatus::kVerified:
      return "verified";
    case TsigStatus::kFormErr:
      return "FORMERR: malformed, or its TSIG record is";
    case TsigStatus::kBadKey:
      return "BADKEY: unknown key, or not with this algorithm";
    case TsigStatus::kBadSig:
      return "BADSIG: the signature is wrong: another secret?";
    case TsigStatus::kBadTime:
      return "BADTIME: signed too long ago, or in the future: do the clocks agree?";
    case TsigStatus::kBadTrunc:
      return "BADTRUNC: the signature is cut too short";
    case TsigStatus::kPeerError:
      return "the peer refused the signature of the request";
  }
  return "unknown";
}

TsigStatus FindTsig(Bytes message, TsigRecord& record) {
  if (message.size() < kHeaderBytes) return TsigStatus::kFormErr;
  const Header header = LoadHeader(message);
  size_t at = kHeaderBytes;
  if (!SkipQuestions(message, header.counts[0], at)) return TsigStatus::kFormErr;
  const size_t before = size_t{header.counts[1]} + header.counts[2], all = before + header.counts[3];
  bool found = false;
  for (size_t i = 0; i < all; ++i) {
    const size_t owner_at = at;
    const auto next = SkipName(message, at);
    if (!next.ok() || message.size() - *next < 10) return TsigStatus::kFormErr;
    const size_t length = LoadU16(&message[*next + 8]);
    if (length > message.size() - *next - 10) return TsigStatus::kFormErr;
    at = *next + 10 + length;
    if (static_cast<dns::RRType>(LoadU16(&message[*next])) != dns::RRType::kTSIG) continue;
    const bool in_place = i + 1 == all && i >= before &&
                          static_cast<dns::RRClass>(LoadU16(&message[*next + 2])) == dns::RRClass::kANY &&
                          LoadU32(&message[*next + 4]) == kTsigTtl;
    if (!in_place || !ReadOwner(message, owner_at, record)) return TsigStatus::kFormErr;
    if (!ReadRdata(message.subspan(*next + 10, length), record)) return TsigStatus::kFormErr;
    found = true;
  }
  if (at != message.size()) return TsigStatus::kFormErr;
  return found ? TsigStatus::kVerified : TsigStatus::kUnsigned;
}

std::string WithoutTsig(Bytes message, const TsigRecord& record) {
  std::string out = Text(message.first(record.offset));
  auto* additional = reinterpret_cast<uint8_t*>(out.data()) + 10;
  StoreU16(additional, static_cast<uint16_t>(LoadU16(additional) - 1));
  return out;
}

void AddVariables(Hmac& digest, const TsigVariables& variables) {
  digest.Add(variables.key);
  digest.AddU16(static_cast<uint16_t>(dns::RRClass::kANY));
  digest.AddU32(kTsigTtl);
  digest.Add(variables.algorithm);
  AddTimers(digest, variables.time_signed, variables.fudge);
  digest.AddU16(variables.error);
  digest.AddU16(static_cast<uint16_t>(variables.other.size()));
  digest.Add(variables.other);
}

void AddTimers(Hmac& digest, uint64_t time_signed, uint16_t fudge) {
  digest.AddU48(time_signed);
  digest.AddU16(fudge);
}

void AddPriorMac(Hmac& digest, std::string_view mac) {
  digest.AddU16(static_cast<uint16_t>(mac.size()));
  digest.Add(mac);
}

void AddSignedPart(Hmac& digest, Bytes message, const TsigRecord& record) {
  uint8_t header[kHeaderBytes];
  std::copy_n(message.begin(), kHeaderBytes, header);
  StoreU16(header, record.original_id);
  StoreU16(header + 10, static_cast<uint16_t>(LoadU16(header + 10) - 1));
  digest.Add(Bytes(header));
  digest.Add(message.subspan(kHeaderBytes, record.offset - kHeaderBytes));
}

bool AppendTsig(std::string& message, const TsigVariables& v, std::string_view mac, uint16_t original_id) {
  const size_t rdata_bytes = v.algorithm.size() + 16 + mac.size() + v.other.size();
  const size_t record_bytes = v.key.size() + 10 + rdata_bytes;
  if (message.size() < kHeaderBytes || message.size() + record_bytes > kMessageBytesMax) return false;
  auto* additional = reinterpret_cast<uint8_t*>(message.data()) + 10;
  if (LoadU16(additional) == UINT16_MAX) return false;
  StoreU16(additional, static_cast<uint16_t>(LoadU16(additional) + 1));
  message.append(v.key);
  Append(message, static_cast<uint16_t>(dns::RRType::kTSIG), 2);
  Append(message, static_cast<uint16_t>(dns::RRClass::kANY), 2);
  Append(message, kTsigTtl, 4);
  Append(message, rdata_bytes, 2);
  message.append(v.algorithm);
  Append(message, v.time_signed, 6);
  Append(message, v.fudge, 2);
  Append(message, mac.size(), 2);
  message.append(mac);
  Append(message, original_id, 2);
  Append(message, v.error, 2);
  Append(message, v.other.size(), 2);
  message.append(v.other);
  return true;
}

size_t MacBytesFloor(dns::TsigAlgorithm algorithm) {
  return std::max<size_t>(10, (dns::TsigMacBytes(algorithm) + 1) / 2);
}

TsigStatus CheckMac(const TsigRecord& record, dns::TsigAlgorithm algorithm, std::string_view expected,
                    uint64_t now, const TsigPolicy& policy) {
  if (expected.empty()) return TsigStatus::kBadKey;
  if (!SameMac(record.mac, expected.substr(0, record.mac.size()))) return TsigStatus::kBadSig;
  now &= kTimeMask;
  const uint64_t apart = now > record.time_signed ? now - record.time_signed : record.time_signed - now;
  if (apart > std::min(record.fudge, policy.fudge_max)) return TsigStatus::kBadTime;
  const bool cut = record.mac.size() < std::min(policy.mac_bytes_min, dns::TsigMacBytes(algorithm));
  return cut ? TsigStatus::kBadTrunc : TsigStatus::kVerified;
}

TsigCheck CheckTsig(Bytes request, const TsigKeyLookup& lookup, uint64_t now, const TsigPolicy& policy) {
  TsigCheck check;
  check.status = FindTsig(request, check.record);
  if (check.status != TsigStatus::kVerified) return check;
  const TsigRecord& record = check.record;
  const auto key = lookup(record.key.wire());
  const auto algorithm = dns::TsigAlgorithmFromName(record.algorithm.wire());
  if (!key || algorithm != key->algorithm) {
    check.status = TsigStatus::kBadKey;
    return check;
  }
  check.key = key;
  if (record.mac.size() > dns::TsigMacBytes(*algorithm) || record.mac.size() < MacBytesFloor(*algorithm)) {
    check.status = TsigStatus::kFormErr;
    return check;
  }
  const dns::Name name = record.key.Folded();
  Hmac digest(key->algorithm, key->secret);
  AddSignedPart(digest, request, record);
  AddVariables(digest, {.key = name.wire(),
                        .algorithm = dns::TsigAlgorithmName(*algorithm),
                        .time_signed = record.time_signed,
                        .fudge = record.fudge,
                        .error = record.error,
                        .other = record.other});
  check.status = CheckMac(record, *algorithm, digest.Finish(), now, policy);
  return check;
}

std::string TsigFaultAnswer(Bytes request, const TsigCheck& check, uint64_t now) {
  if (request.size() < kHeaderBytes) return {};
  if (check.status == TsigStatus::kFormErr) return HeaderAnswer(request, dns::Rcode::kFormErr);
  std::string answer = HeaderAnswer(request, dns::Rcode::kNotAuth);
  const TsigRecord& record = check.record;
  if (check.status == TsigStatus::kBadTime || check.status == TsigStatus::kBadTrunc) {
    TsigSigner signer(*check.key, record.mac);
    if (check.status == TsigStatus::kBadTime)
      signer.SignBadTime(answer, record.time_signed, now);
    else
      signer.SignBadTrunc(answer, now);
    return answer;
  }
  AppendTsig(answer,
             {.key = record.key.wire(),
              .algorithm = record.algorithm.wire(),
              .time_signed = now & kTimeMask,
              .fudge = kTsigFudgeSeconds,
              .error = ErrorOf(check.status),
              .other = {}},
             {}, LoadU16(AsOctets(answer).data()));
  return answer;
}

}  // namespace quorate::wire
