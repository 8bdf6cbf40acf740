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

// Opens a client session (dissertation 6.3), which lives until no command came in it for `lifetime` of group
// time. Its id is the index of this entry: never used again. Granted: kClientSessionLifetimeMin to Max.
struct SessionOpen {
  Duration lifetime{0};
};
// Ends a session and forgets its outcomes. One that is not known is ended already: nothing changes.
struct SessionClose {
  uint64_t id = 0;
};

// Which request of which session a command is. Sequences begin at 1; a retry has the same.
struct SessionRequest {
  uint64_t id = 0;
  uint64_t sequence = 0;
  // The client has the outcomes of all requests below: they may be forgotten. 0: of none.
  uint64_t oldest_unanswered = 0;
};
// "<id>:<sequence>" or "<id>:<sequence>;oldest=<n>", as headers and metadata carry it; id and sequence from 1
// on, n at most the sequence. nullopt: anything else.
std::optional<SessionRequest> ParseSessionRequest(std::string_view text);

struct Command {
  // Exactly once: a command with a key that was already used gets the first one's outcome. Empty: none. At
  // most kIdempotencyKeyMax bytes. Remembered for kKeyLifetime of group time; later a dated key
  // (rsm/idempotency_keys.h) is answered "unknown", any other is a new one.
  std::string idempotency_key;
  // Exactly once, in a session. Not with a key, not for SessionOpen and SessionClose.
  std::optional<SessionRequest> session;
  // Refused (kConflict) if what the command touches changed after this revision: the RRsets of a ZoneChange,
  // the whole zone otherwise. Not for KvTxn, which has compares.
  std::optional<Revision> if_revision;
  // Who asked, for the record: "http 192.0.2.1".
  std::string origin;
  std::variant<KvTxn, KvCompact, ZoneCreate, ZoneReplace, ZoneDelete, ZoneChange, Seed, ZoneSettings,
               SessionOpen, SessionClose>
      body;
};

inline constexpr size_t kIdempotencyKeyMax = 64;
inline constexpr Duration kKeyLifetime = std::chrono::hours(24);
inline constexpr Duration kClientSessionLifetimeMin = std::chrono::seconds(10);
inline constexpr Duration kClientSessionLifetimeMax = std::chrono::hours(24);

std::string EncodeCommand(const Command& command);
// The error says what is malformed. Any bytes are safe.
Result<Command, std::string> DecodeCommand(std::string_view bytes);
// The part of an encoded command that a retry repeats: all but who sent it, since a retry may come another
// way, and what the client has been answered meanwhile.
std::string_view WhatIsAsked(std::string_view command);

}  // namespace quorate::rsm
