// A whole message as values, for those who are not in a hurry: resolvers, tests, UPDATE. Parse and Encode are
// each other's inverse for every message that Parse takes (compression aside).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/name.h"
#include "dns/rr.h"
#include "wire/error.h"

namespace quorate::wire {

struct Question {
  dns::Name name;
  dns::RRType type = dns::RRType::kA;
  dns::RRClass rr_class = dns::RRClass::kIN;
  bool operator==(const Question&) const = default;
};

struct Record {
  dns::Name name;
  dns::RRType type = dns::RRType::kA;
  dns::RRClass rr_class = dns::RRClass::kIN;
  uint32_t ttl = 0;
  std::string rdata;  // names in it are not compressed
  bool operator==(const Record&) const = default;
};

struct EdnsOption {
  uint16_t code = 0;
  std::string data;
  bool operator==(const EdnsOption&) const = default;
};

// RFC 6891 6.1.2. The extended RCODE's upper bits are in Message::rcode.
struct Edns {
  uint16_t udp_size = 1232;
  uint8_t version = 0;
  bool dnssec_ok = false;
  std::vector<EdnsOption> options;
  bool operator==(const Edns&) const = default;
};

struct Message {
  uint16_t id = 0;
  dns::Opcode opcode = dns::Opcode::kQuery;
  dns::Rcode rcode = dns::Rcode::kNoError;  // all twelve bits; above 15 needs edns
  bool response = false, aa = false, tc = false, rd = false, ra = false, z = false, ad = false, cd = false;
  std::vector<Question> questions;
  std::vector<Record> answer, authority, additional;  // OPT is in edns, not here
  std::optional<Edns> edns;
  bool operator==(const Message&) const = default;
};

// Checks all of it: names, RDLENGTH against the types whose form RFC 1035 and RFC 3597 4 give, one OPT at
// most, no octet left over. Allocates no more than a small multiple of `message`.
Result<Message, WireError> ParseMessage(Bytes message);

// kTooLarge: more than `limit` octets. Nothing is cut off.
Result<std::string, WireError> EncodeMessage(const Message& message, size_t limit = 65535);

// A query for one name, RD clear, with EDNS.
Message MakeQuery(uint16_t id, const dns::Name& name, dns::RRType type);

}  // namespace quorate::wire
