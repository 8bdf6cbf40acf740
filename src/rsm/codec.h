// Parts that commands and outcomes share. Layout: docs/formats-commands.md.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "dns/rr.h"
#include "zone/edit.h"

namespace quorate::rsm::codec {

void PutName(ByteWriter& out, const dns::Name& name);
// A malformed name fails the reader and gives the root.
dns::Name GetName(ByteReader& in);

void PutStrings(ByteWriter& out, const std::vector<std::string>& strings);
std::vector<std::string> GetStrings(ByteReader& in);

void PutRRset(ByteWriter& out, const dns::RRset& rrset);
dns::RRset GetRRset(ByteReader& in);
void PutRRsets(ByteWriter& out, const std::vector<dns::RRset>& rrsets);
std::vector<dns::RRset> GetRRsets(ByteReader& in);

void PutEdits(ByteWriter& out, const std::vector<zone::RRsetEdit>& edits);
std::vector<zone::RRsetEdit> GetEdits(ByteReader& in);

}  // namespace quorate::rsm::codec
