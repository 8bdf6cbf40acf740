// The pieces of TSIG that signing and verifying share (RFC 8945 4.3). For wire/tsig*.cc only.
#pragma once

#include "wire/tsig.h"

namespace quorate::wire {

// RFC 8945 4.2: class ANY and TTL 0 of every record.
inline constexpr uint32_t kTsigTtl = 0;

// The octets of a record beside its two names and the MAC.
inline constexpr size_t kTsigFixedBytes = 10 + 16;  // type to RDLENGTH; time, fudge, four lengths and codes

// What of a record is in the digest (4.3.3).
struct TsigVariables {
  dns::NameView key, algorithm;  // lower case
  uint64_t time_signed = 0;
  uint16_t fudge = 0;
  uint16_t error = 0;
  std::string_view other;
};
void AddVariables(Hmac& digest, const TsigVariables& variables);
// All that later messages of a stream have of them (5.3.1).
void AddTimers(Hmac& digest, uint64_t time_signed, uint16_t fudge);
// The MAC of an earlier message, behind its length (4.3.1).
void AddPriorMac(Hmac& digest, std::string_view mac);
// The message up to its record (4.3.2).
void AddSignedPart(Hmac& digest, Bytes message, const TsigRecord& record);

// Appends the record to a message that has no room for faults: false, and nothing appended, if it would pass
// 65535 octets, or has no header.
bool AppendTsig(std::string& message, const TsigVariables& variables, std::string_view mac,
                uint16_t original_id);

// 5.2.2.1: how short a MAC of the algorithm may be at all.
size_t MacBytesFloor(dns::TsigAlgorithm algorithm);

// Form, MAC, time, truncation (5.2.2 to 5.2.4) against the digest over all but the MAC.
TsigStatus CheckMac(const TsigRecord& record, dns::TsigAlgorithm algorithm, std::string_view expected,
                    uint64_t now, const TsigPolicy& policy);

}  // namespace quorate::wire
