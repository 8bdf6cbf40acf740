// Resource records (RFC 1034 3.6, 2181 5, 3597).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dns/name.h"

namespace quorate::dns {

// Any 16-bit value is legal (RFC 3597); these are the ones the code speaks of.
enum class RRType : uint16_t {
  kA = 1,
  kNS = 2,
  kCNAME = 5,
  kSOA = 6,
  kPTR = 12,
  kHINFO = 13,
  kMX = 15,
  kTXT = 16,
  kSIG = 24,
  kKEY = 25,
  kAAAA = 28,
  kSRV = 33,
  kNAPTR = 35,
  kDNAME = 39,
  kOPT = 41,
  kDS = 43,
  kRRSIG = 46,
  kNSEC = 47,
  kDNSKEY = 48,
  kNSEC3 = 50,
  kNSEC3PARAM = 51,
  kCDS = 59,
  kCDNSKEY = 60,
  kCSYNC = 62,
  kZONEMD = 63,
  kSVCB = 64,
  kHTTPS = 65,
  kTKEY = 249,
  kTSIG = 250,
  kIXFR = 251,
  kAXFR = 252,
  kMAILB = 253,
  kMAILA = 254,
  kANY = 255,
};
enum class RRClass : uint16_t { kIN = 1, kCH = 3, kHS = 4, kNONE = 254, kANY = 255 };
enum class Opcode : uint8_t { kQuery = 0, kIQuery = 1, kStatus = 2, kNotify = 4, kUpdate = 5 };
enum class Rcode : uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNXDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kYXDomain = 6,
  kYXRRSet = 7,
  kNXRRSet = 8,
  kNotAuth = 9,
  kNotZone = 10,
  kBadVers = 16,
  kBadSig = 16,  // in a TSIG record (RFC 8945 3)
  kBadKey = 17,
  kBadTime = 18,
  kBadTrunc = 22,
  kBadCookie = 23,
};

// "A", "TYPE65280" (RFC 3597 5). FromText is case-insensitive; nullopt: no such mnemonic.
std::string TypeToText(RRType type);
std::optional<RRType> TypeFromText(std::string_view text);
// A query or meta type (OPT, TSIG, AXFR, ANY, ...): never in a zone.
bool IsMetaType(RRType type);

// All records of one owner and type (class IN): one TTL (RFC 2181 5.2), no duplicate (5), rdata in canonical
// order (RFC 4034 6.3), uncompressed wire form with its case kept.
struct RRset {
  Name owner;
  RRType type = RRType::kA;
  uint32_t ttl = 0;
  std::vector<std::string> rdata;
  bool operator==(const RRset&) const = default;
};
// Sorts rdata canonically and drops duplicates (compared as RFC 4034 6.2 and 6840 5.1 say).
void Canonicalize(RRset& rrset);

// RFC 1982: there is no order on serials, only "newer". False both ways when 2^31 apart.
struct Serial {
  uint32_t value = 0;
  bool operator==(const Serial&) const = default;
};
bool IsNewer(Serial a, Serial b);

// The fixed fields of SOA rdata.
struct Soa {
  Name mname, rname;
  Serial serial;
  uint32_t refresh = 0, retry = 0, expire = 0, minimum = 0;
};
std::optional<Soa> ParseSoa(std::string_view rdata);
std::string EncodeSoa(const Soa& soa);

}  // namespace quorate::dns
