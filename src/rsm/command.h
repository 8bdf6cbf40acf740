// The commands that clients' doors put into the log. Wire form, never text: records as RRsets with wire
// rdata. Layout: docs/formats-commands.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "dns/rr.h"
#include "kv/types.h"
#include "zone/edit.h"
#include "zone/settings.h"

namespace quorate::rsm {

// A store transaction, as etcd's Txn (a Put, Range or DeleteRange is a transaction of one operation).
struct KvTxn {
  kv::TxnRequest txn;
};
// Forgets versions that are superseded at `revision`.
struct KvCompact {
  Revision revision;
};
// Makes a zone that must not exist yet.
struct ZoneCreate {
  dns::Name apex;
  std::vector<dns::RRset> rrsets;
};
// Makes the zone be exactly this, in one change; creates it where needed (an import).
struct ZoneReplace {
  dns::Name apex;
  std::vector<dns::RRset> rrsets;
};
struct ZoneDelete {
  dns::Name apex;
};
// One atomic change of a zone's records.
struct ZoneChange {
  dns::Name apex;
  std::vector<zone::RRsetEdit> edits;
};
// Settings of a zone that is there; they stay when it is replaced.
struct ZoneSettings {
  dns::Name apex;
  zone::Settings settings;
};
// The first content of a new group: makes those of the zones that are not there. Takes effect once in a
// group's life.
struct Seed {
  std::vector<ZoneCreate> zones;
};

struct Command {
  // Exactly once: a command with a key that was already used gets the first one's outcome. Empty: none. At
  // most kIdempotencyKeyMax bytes. Remembered for kSessionLifetime of group time.
  std::string idempotency_key;
  // Refused (kConflict) if what the command touches changed after this revision: the RRsets of a ZoneChange,
  // the whole zone otherwise. Not for KvTxn, which has compares.
  std::optional<Revision> if_revision;
  // Who asked, for the record: "http 192.0.2.1".
  std::string origin;
  std::variant<KvTxn, KvCompact, ZoneCreate, ZoneReplace, ZoneDelete, ZoneChange, Seed, ZoneSettings> body;
};

inline constexpr size_t kIdempotencyKeyMax = 64;
inline constexpr Duration kSessionLifetime = std::chrono::hours(24);

std::string EncodeCommand(const Command& command);
// The error says what is malformed. Any bytes are safe.
Result<Command, std::string> DecodeCommand(std::string_view bytes);
// The part of an encoded command that a retry repeats: all but who sent it, since a retry may come another
// way.
std::string_view WhatIsAsked(std::string_view command);

}  // namespace quorate::rsm
