// The request as the hot path sees it: checked from the first octet to the last, nothing copied, nothing
// allocated.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dns/name.h"
#include "dns/rr.h"
#include "wire/error.h"
#include "wire/header.h"

namespace quorate::wire {

struct EdnsView {
  uint16_t udp_size = 512;  // as the client says; below 512 means 512 (RFC 6891 6.2.3)
  uint8_t version = 0;
  bool dnssec_ok = false;
  bool has_cookie = false;
  std::string_view options;  // well-formed: code, length, data, repeated
};

struct QueryView {
  Header header;
  bool has_question = false;  // QDCOUNT is 1 and the question could be read
  dns::NameView qname;        // into the message; starts at octet 12 and is not compressed
  dns::RRType qtype = dns::RRType::kA;
  dns::RRClass qclass = dns::RRClass::kIN;
  std::optional<EdnsView> edns;
  bool has_tsig = false;  // the last record of the additional section is one (RFC 8945 5.1)
};

enum class QueryVerdict : uint8_t {
  kQuery,        // a well-formed request with opcode QUERY
  kOtherOpcode,  // only the header was read
  kFormErr,      // not well-formed: what could be read is in the view
  kDrop,         // under twelve octets, or a response: silence (RFC 8906 2, and to stop loops)
};

struct QueryParse {
  QueryVerdict verdict = QueryVerdict::kDrop;
  QueryView view;
};

// Follows RFC 1035 4.1, RFC 9619 4 (QDCOUNT is 1; 0 only with a COOKIE option, RFC 7873 5.4), RFC 6891 6.1
// (one OPT, at the root), RFC 8945 5.2 (TSIG is the last record) and RFC 8906: answer records, authority
// records (but in IXFR) or octets behind the last record are kFormErr. `message` must live as long as the
// view.
QueryParse ParseQuery(Bytes message);

}  // namespace quorate::wire
