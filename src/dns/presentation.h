// Text <-> wire, by libzscanner (entry_scanner.h) and libknot, behind one interface (RFC 1035 5, 3597). Any
// thread; no state is kept.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/rr.h"

namespace quorate::dns {

struct TextError {
  uint64_t line = 1, column = 1;  // from 1
  std::string file = {};          // one that $INCLUDE named; empty: the text itself
  std::string what = {};          // "unknown record type", for people; names the offending token where known
};

struct TextRecord {
  Name owner;
  RRType type = RRType::kA;
  RRClass rr_class = RRClass::kIN;
  uint32_t ttl = 0;
  std::string rdata;
  uint64_t line = 0;      // on which it begins
  std::string file = {};  // as in TextError
};

// A text that $INCLUDE names.
struct ZoneTextSource {
  std::string name;                                      // in errors
  std::function<Result<std::string, TextError>()> read;  // the next part; empty: that was all
};

struct ZoneTextOptions {
  Name origin;
  uint32_t default_ttl = 3600;      // of records before which no TTL stands (RFC 1035 5.1, 2308 4)
  bool split_long_strings = false;  // over 255 octets: several strings, not an error
  std::string name = {};            // of the text, in errors
  // Opens what $INCLUDE names in the text called `from`; its error needs only `what`. Null: refused.
  std::function<Result<ZoneTextSource, TextError>(const std::string& named, const std::string& from)>
      include = {};
};

// Calls `record` for each record in order; stops at the first error, or when `record` returns a non-empty
// reason.
std::optional<TextError> ParseZoneText(std::string_view text, const ZoneTextOptions& options,
                                       const std::function<std::string(TextRecord&&)>& record);

// One rdata in presentation form ("10 mail.example.", also "\# 4 C0000201"); relative names end in `origin`.
Result<std::string, TextError> RdataFromText(RRType type, std::string_view text, const Name& origin = Name());
// Never fails: rdata that is not valid for its type comes out in RFC 3597 form.
std::string RdataToText(RRType type, std::string_view rdata);
// Whether `rdata` is well-formed for `type` (unknown types: always).
bool IsValidRdata(RRType type, std::string_view rdata);
// An absolute name as every reader of zone files takes it, libzscanner too: what is neither a letter, a digit
// nor one of -_*/ is escaped.
std::string NameToZoneText(const Name& name);
// "owner ttl IN type rdata" lines, one a record.
std::string RRsetToText(const RRset& rrset);

}  // namespace quorate::dns
