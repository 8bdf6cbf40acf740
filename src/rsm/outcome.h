// What a command came to, the same at every replica. StateMachine::Apply gives it encoded; doors decode it
// here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "dns/rr.h"
#include "kv/types.h"
#include "rsm/api.h"

namespace quorate::rsm {

enum class Refused : uint8_t {
  kNot = 0,        // it was applied
  kMalformed = 1,  // the command does not decode
  kNoSuchZone = 2,
  kZoneExists = 3,
  kInvalidZone = 4,  // the zone would become invalid; `reason` says exactly why
  kConflict = 5,     // if_revision: `current` shows what is there now
  kReserved = 6,     // a store client may not write this keyspace
  kStore = 7,        // the store says no; `store_error` says which of etcd's errors
  kKeyReused = 8,    // the idempotency key belongs to another command
  kSeeded = 9,       // a Seed of a group that was seeded before
  // Not refused and not applied now: whether the request was applied before cannot be told any more.
  kUnknown = 10,
  kTableFull = 11,        // of sessions, keys or kept outcomes; nothing is kept of this: retry later
  kOutcomeTooLarge = 12,  // to be kept for a retry, as a key or a session asks
  kUpdate = 13,           // a ZoneUpdate: `rcode` says why
  kSecondaryZone = 14,    // its content comes from its primary
  kKeyExists = 15,
  kNoSuchKey = 16,
};

// What a SessionOpen made.
struct SessionGrant {
  uint64_t id = 0;
  Duration lifetime{0};
  Duration deadline{0};  // in group time; every command in the session moves it to `lifetime` from then
};

struct StoredRRset {
  dns::RRset rrset;
  Revision create_revision, mod_revision;
};

struct CommandResult {
  Refused refused = Refused::kNot;
  std::string reason;                       // of a refusal, for people
  std::optional<kv::Error> store_error;     // kStore
  bool changed = false;                     // false: it was applied and nothing differs
  Revision revision;                        // of the store after it
  dns::Serial serial;                       // of the zone after it
  dns::Rcode rcode = dns::Rcode::kNoError;  // kUpdate
  uint32_t rrsets_added = 0, rrsets_removed = 0, rrsets_changed = 0;
  std::vector<StoredRRset> current;     // kConflict: the touched RRsets, at most kCurrentMax
  kv::TxnResponse txn;                  // KvTxn
  std::optional<SessionGrant> session;  // SessionOpen
};
inline constexpr size_t kCurrentMax = 16;

std::string EncodeResult(const CommandResult& result);
// nullopt: not one of ours; a replica's own outcomes always decode.
std::optional<CommandResult> DecodeResult(std::string_view outcome);

}  // namespace quorate::rsm
