// The bodies of commands of version 3 (docs/formats-commands.md).
#pragma once

#include "base/bytes.h"
#include "rsm/command.h"
#include "rsm/command_tags.h"

namespace quorate::rsm::codec {

void PutDnsBody(const ZoneUpdate& body, ByteWriter& out);
void PutDnsBody(const SecondaryCreate& body, ByteWriter& out);
void PutDnsBody(const ZoneTransferIn& body, ByteWriter& out);
void PutDnsBody(const ZoneChecked& body, ByteWriter& out);
void PutDnsBody(const TsigKeyPut& body, ByteWriter& out);
void PutDnsBody(const TsigKeyDelete& body, ByteWriter& out);
void PutDnsBody(const CookieSecretRoll& body, ByteWriter& out);
void PutDnsBody(const ZoneStage& body, ByteWriter& out);
void PutDnsBody(const ZoneReplaceStaged& body, ByteWriter& out);
// False: malformed, or no such tag.
bool GetDnsBody(CommandTag tag, ByteReader& in, Command& command);

zone::UpdateRecord GetUpdateRecord(ByteReader& in);
// Of a key as commands and the map have it. A malformed one fails the reader.
void PutKey(const zone::TsigKey& key, ByteWriter& out);
zone::TsigKey GetKey(ByteReader& in);

}  // namespace quorate::rsm::codec
