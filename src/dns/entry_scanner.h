// One entry of a zone file to a record, by libzscanner. What lies between entries (origin, TTL, owner) is
// kept here; files, $INCLUDE and $GENERATE are zone_text.h's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dns/presentation.h"

namespace quorate::dns {

// One thread.
class EntryScanner {
 public:
  EntryScanner(const Name& origin, uint32_t default_ttl);
  ~EntryScanner();

  Name origin() const;
  void SetOrigin(const Name& origin);
  uint32_t default_ttl() const;
  void SetDefaultTtl(uint32_t ttl);

  // Calls `record` for each record of `entry`, which ends with a newline; lines are counted from 1 in it.
  // After an error the entry is done with, and the next one is read as if it had not been.
  std::optional<TextError> Scan(std::string_view entry,
                                const std::function<std::string(TextRecord&&)>& record);

 private:
  struct Impl;
  void Reopen();
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::dns
