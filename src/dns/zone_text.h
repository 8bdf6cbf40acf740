// A zone file (RFC 1035 5) that comes in parts, to records: what libzscanner reads, with $INCLUDE and
// $GENERATE. Pure: whoever may read files gives them. Bounded memory however long the text.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/presentation.h"

namespace quorate::dns {

// Beside libzscanner's: $ORIGIN may be relative; a record without a TTL has $TTL's, or before any $TTL that
// of the record before (RFC 1035 5.1); a TTL of 2^31 or more is 0 (RFC 2181 8); CRLF ends lines. An included
// text changes neither origin nor owner nor TTL of the one that names it. One thread.
class ZoneTextParser {
 public:
  // A reason why the record cannot be had makes it an error; empty: it was taken.
  using OnRecord = std::function<std::string(TextRecord&&)>;
  // Whether to go on with what comes after the entry.
  using OnError = std::function<bool(TextError&&)>;

  ZoneTextParser(ZoneTextOptions options, OnRecord on_record, OnError on_error);
  ~ZoneTextParser();

  // False: it has stopped, by an error after which it shall not or cannot go on.
  bool Feed(std::string_view part);
  // After the last part.
  bool Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::dns
