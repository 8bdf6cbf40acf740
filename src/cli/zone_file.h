// A zone file of this machine, with what it includes: read in parts, from its beginning as often as one
// likes. $INCLUDE is confined to the directory of the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/error.h"
#include "dns/zone_text.h"

namespace quorate::cli {

// One thread. A copy of stdin is a temporary file without a name, so that it too can be read again.
class ZoneFile {
 public:
  // "-": stdin. Without $INCLUDE's files, which are opened as they are met. The error names the file.
  static CliResult<ZoneFile> Open(const std::string& file);

  const std::string& name() const { return name_; }  // "stdin" for "-"
  uint64_t bytes() const { return bytes_; }          // of the file itself

  class Reader;
  // From the beginning. `on_error` hears of files that cannot be read, too.
  std::unique_ptr<Reader> Read(const dns::Name& origin, uint32_t default_ttl,
                               dns::ZoneTextParser::OnRecord on_record,
                               dns::ZoneTextParser::OnError on_error) const;

 private:
  ZoneFile() = default;
  std::string name_, path_, directory_;  // where it is, and what $INCLUDE is confined to
  uint64_t bytes_ = 0;
  std::shared_ptr<void> spool_;  // of stdin
};

class ZoneFile::Reader {
 public:
  Reader(const ZoneFile& file, const dns::Name& origin, uint32_t default_ttl,
         dns::ZoneTextParser::OnRecord on_record, dns::ZoneTextParser::OnError on_error);
  ~Reader();
  // Reads a part. False: that was all of it, or it stopped at an error.
  bool Step();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// "file:4:17: reason".
std::string ToText(const dns::TextError& error);

}  // namespace quorate::cli
