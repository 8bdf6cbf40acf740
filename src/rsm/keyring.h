// The group's secrets in the replicated map, outside the store. Pure.
//   "pt" name -> key (command_dns.h)        "pc" -> rolls:u64 rolled_at:u64 previous:16 current:16 next:16
#pragma once

#include <memory>

#include "kv/ordered_map.h"
#include "rsm/command.h"
#include "zone/keyring.h"

namespace quorate::rsm {

// Stops the process (FailStop) over what does not decode: it was valid when it was applied.
std::shared_ptr<const zone::Keyring> LoadKeyring(const kv::MapReader& map);

void PutKey(const zone::TsigKey& key, kv::MapBatch& batch);
void DeleteKey(const dns::Name& name, kv::MapBatch& batch);
void PutCookieSecrets(const zone::CookieSecrets& secrets, kv::MapBatch& batch);

// After one more roll.
zone::CookieSecrets Rolled(const std::optional<zone::CookieSecrets>& before, const zone::CookieSecret& fresh,
                           Duration now);

}  // namespace quorate::rsm
