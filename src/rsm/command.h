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
#include "zone/keyring.h"
#include "zone/settings.h"
#include "zone/update.h"

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
// Settings of a zone that is there; they stay when it is replaced. `changes` are lines as zone::WithChanges
// takes them. Without primaries a secondary zone becomes a primary one, with the content it has.
struct ZoneSettings {
  dns::Name apex;
  std::string changes;
};
// RFC 2136. All of it is decided when it is applied: prerequisites, policy and changes.
struct ZoneUpdate {
  dns::Name apex;
  zone::Update update;
  zone::Address client{};
  std::optional<dns::Name> key;  // whose TSIG was verified
  // Of a signed request: what no other request has, made of the key's name and the MAC; at most
  // limits::kUpdateIdentityBytesMax. Who repeats it within `remembered` gets the first one's outcome.
  std::string identity;
  Duration remembered{0};  // twice the fudge; at most kUpdateRememberedMax
};
// Makes a zone that must not exist yet, with a placeholder for content until it is first transferred.
// `settings` are lines that name primaries.
struct SecondaryCreate {
  dns::Name apex;
  std::string settings;
};
// What a primary gave: the zone becomes that, serial and all.
struct ZoneTransferIn {
  dns::Name apex;
  std::optional<dns::Serial> from;     // incremental: only if this is the zone's serial
  std::vector<dns::RRset> rrsets;      // of a full one: the whole zone
  std::vector<zone::RRsetEdit> edits;  // of an incremental one, the SOA's too
};
// A primary was asked and has nothing newer than `serial`; or none answered for too long.
struct ZoneChecked {
  dns::Name apex;
  dns::Serial serial;  // if the zone has another one nothing happens
  bool expired = false;
  // Instead, and whatever the serial: the leader is to ask a primary soon. A NOTIFY came to another replica.
  bool wanted = false;
};
struct TsigKeyPut {
  zone::TsigKey key;
  bool replace = false;  // else it must not exist yet
};
struct TsigKeyDelete {
  dns::Name name;
};
// The first makes the cookie secrets.
struct CookieSecretRoll {
  uint64_t rolls = 0;  // as many as there were, else nothing happens; 0: there are none yet
  zone::CookieSecret fresh{};
};
// A piece of a zone too large for one command. Pieces wait, unseen, for kStageLifetime of group time.
struct ZoneStage {
  std::string id;  // 1 to kStageIdMax octets, made up by the client
  uint32_t piece = 0;
  std::vector<dns::RRset> rrsets;
};
// The pieces 0 to `pieces` - 1 as one ZoneReplace, or ZoneTransferIn; they are gone afterwards.
struct ZoneReplaceStaged {
  dns::Name apex;
  std::string id;
  uint32_t pieces = 0;
  bool transferred = false;
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
               SessionOpen, SessionClose, ZoneUpdate, SecondaryCreate, ZoneTransferIn, ZoneChecked,
               TsigKeyPut, TsigKeyDelete, CookieSecretRoll, ZoneStage, ZoneReplaceStaged>
      body;
};

inline constexpr size_t kIdempotencyKeyMax = 64;
inline constexpr Duration kKeyLifetime = std::chrono::hours(24);
inline constexpr Duration kUpdateRememberedMax = std::chrono::hours(1);
inline constexpr Duration kStageLifetime = std::chrono::minutes(10);  // after its last piece
inline constexpr size_t kStageIdMax = 32;
inline constexpr Duration kClientSessionLifetimeMin = std::chrono::seconds(10);
inline constexpr Duration kClientSessionLifetimeMax = std::chrono::hours(24);

std::string EncodeCommand(const Command& command);
// The error says what is malformed. Any bytes are safe.
Result<Command, std::string> DecodeCommand(std::string_view bytes);
// The feature level that a group must have before this encoded command may be proposed in it.
uint64_t FeatureLevelFor(std::string_view command);
// The part of an encoded command that a retry repeats: all but who sent it, since a retry may come another
// way, and what the client has been answered meanwhile.
std::string_view WhatIsAsked(std::string_view command);

}  // namespace quorate::rsm
