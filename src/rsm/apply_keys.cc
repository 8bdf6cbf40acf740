// What commands do with the group's secrets.
#include <fmt/format.h>

#include "base/limits.h"
#include "rsm/keyring.h"
#include "rsm/staging.h"
#include "rsm/work.h"

namespace quorate::rsm {

void ReplicatedState::SetKeyring(zone::Keyring keyring, Work& work) {
  work.result.changed = true;
  work.zones = std::make_shared<const zone::ZoneSet>(
      zones_->WithKeyring(std::make_shared<const zone::Keyring>(std::move(keyring))));
}

void ReplicatedState::Do(const TsigKeyPut& command, Work& work) {
  zone::Keyring keyring = zones_->keyring();
  const zone::TsigKey* before = keyring.Find(command.key.name);
  if (before != nullptr && !command.replace) {
    return work.Refuse(Refused::kKeyExists,
                       fmt::format("there is a TSIG key {} already", command.key.name.ToText()));
  }
  if (before != nullptr && *before == command.key) return;
  if (before == nullptr && keyring.keys.size() >= limits::kTsigKeysMax) {
    return work.Refuse(Refused::kTableFull,
                       fmt::format("a group has at most {} TSIG keys", limits::kTsigKeysMax));
  }
  PutKey(command.key, work.batch);
  keyring.keys.insert_or_assign(command.key.name, command.key);
  SetKeyring(std::move(keyring), work);
}

void ReplicatedState::Do(const TsigKeyDelete& command, Work& work) {
  zone::Keyring keyring = zones_->keyring();
  if (keyring.keys.erase(command.name) == 0)
    return work.Refuse(Refused::kNoSuchKey, fmt::format("no TSIG key {}", command.name.ToText()));
  DeleteKey(command.name, work.batch);
  SetKeyring(std::move(keyring), work);
}

void ReplicatedState::Do(const CookieSecretRoll& command, Work& work) {
  staging::Expire(map_, work.stamp.group_time, {}, work.batch);
  zone::Keyring keyring = zones_->keyring();
  if ((keyring.cookies ? keyring.cookies->rolls : 0) != command.rolls) return;  // somebody was quicker
  keyring.cookies = Rolled(keyring.cookies, command.fresh, work.stamp.group_time);
  PutCookieSecrets(*keyring.cookies, work.batch);
  SetKeyring(std::move(keyring), work);
}

}  // namespace quorate::rsm
