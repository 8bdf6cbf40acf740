// Records as people type them.
#pragma once

#include <string>
#include <vector>

#include "cli/error.h"
#include "dns/rr.h"

namespace quorate::cli {

// Each argument is one record's content ("10 mail.example."); or all of them together are the fields of one
// record (MX 10 mail.example.) where they are no records by themselves. TXT content without quotes gets them.
// The result is what the API takes; names in it count as absolute.
CliResult<std::vector<std::string>> RecordContents(dns::RRType type,
                                                   const std::vector<std::string>& arguments);

// kUsage if it is none.
CliResult<dns::RRType> TypeArgument(const std::string& text);

}  // namespace quorate::cli
