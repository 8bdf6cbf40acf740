#include "rsm/replicated_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "base/overloaded.h"
#include "base/sim_hooks.h"
#include "rsm/conditions.h"
#include "rsm/idempotency_keys.h"
#include "rsm/keyring.h"
#include "rsm/read.h"
#include "rsm/sessions.h"
#include "rsm/updates.h"
#include "rsm/work.h"
#include "rsm/zones.h"
#include "zone/store_keys.h"

namespace quorate::rsm {
namespace {

constexpr size_t kCompactPerCommand = 128;

uint64_t Mix(uint64_t hash, LogIndex index, const kv::MapBatch& batch) {
  uint32_t crc = 0;
  for (const kv::MapWrite& write : batch) {
    crc = Crc32c(write.key, crc);
    crc = write.value ? Crc32c(*write.value, crc) : ~crc;
  }
  return (hash ^ index.value) * 0x9e3779b97f4a7c15ULL + crc;
}

// FNV-1a: tells another command under the same key from a retry; not a defence against one who wants to be
// told the outcome of his own other command.
uint64_t Digest(std::string_view command) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : WhatIsAsked(command)) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

// mark := 2:u8 index:u64 term:u64 group_time:u64 hash:u64 keys:u64 sessions:u64 bytes:u64 compacting:u8
std::string ReplicatedState::AppliedMark::Encode() const {
  ByteWriter out(48);
  out.U8(2);
  out.U64(index.value), out.U64(term.value), out.U64(static_cast<uint64_t>(group_time.count()));
  out.U64(hash), out.U64(once.keys), out.U64(once.sessions), out.U64(once.bytes), out.U8(compacting);
  return out.Take();
}

Result<ReplicatedState::AppliedMark, std::string> ReplicatedState::AppliedMark::Decode(
    std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t version = in.U8();
  if (version != 1 && version != 2) return std::string("the state is of another version than this program");
  AppliedMark mark;
  mark.index = LogIndex{in.U64()};
  mark.term = Term{in.U64()};
  mark.group_time = Duration(static_cast<int64_t>(in.U64()));
  mark.hash = in.U64();
  mark.once.keys = in.U64();
  if (version == 2) mark.once.sessions = in.U64(), mark.once.bytes = in.U64();
  mark.bytes_unknown = version == 1;
  mark.compacting = in.U8() != 0;
  if (!in.AtEnd()) return std::string("the state's applied mark is damaged");
  return mark;
}

std::optional<AppliedAt> ReplicatedState::StateIn(kv::MapIterator& map) {
  map.Seek(kAppliedKey);
  if (!map.Valid() || map.key() != kAppliedKey) return std::nullopt;
  return ParseApplied(map.value());
}

std::optional<AppliedAt> ReplicatedState::ParseApplied(std::string_view value) {
  const auto mark = AppliedMark::Decode(value);
  if (!mark.ok()) return std::nullopt;
  return AppliedAt{mark->index, mark->term, mark->group_time, mark->hash};
}

std::string ReplicatedState::NoSuchZone(const dns::Name& apex) {
  return fmt::format("no zone {} in this group: `quorate zone create {}` makes it", apex.ToText(),
                     apex.ToText());
}

ReplicatedState::ReplicatedState(kv::OrderedMap& map, Observer observer, once::Bounds bounds)
    : map_(map),
      observer_(std::move(observer)),
      bounds_(bounds),
      zones_(std::make_shared<const zone::ZoneSet>()) {}

Outcome ReplicatedState::Apply(const Entry& entry) {
  CHECK_GT(entry.index, applied_.index);
  const std::optional<StampedCommand> stamped = entry.is_command ? ParseStamped(entry.payload) : std::nullopt;
  Stamp stamp = stamped ? stamped->stamp : Stamp();
  stamp.group_time = std::max(stamp.group_time, applied_.group_time);
  Work work(map_, bounds_, applied_.once, entry.index, stamp);
  if (!entry.is_command) {
    Write(entry, work);
    PublishChanges(work);
    return {};
  }
  Outcome outcome;
  const Result<Command, std::string> command =
      stamped ? DecodeCommand(stamped->command) : Result<Command, std::string>(std::string("no time stamp"));
  if (!command.ok()) {
    work.Refuse(Refused::kMalformed, command.error());
    outcome = EncodeResult(work.result);
  } else {
    outcome = RunOnce(*command, stamped->command, work);
  }
  Write(entry, work);
  PublishChanges(work);
  return outcome;
}

Outcome ReplicatedState::RunOnce(const Command& command, std::string_view encoded, Work& work) {
  const std::string_view key = command.idempotency_key;
  const auto* close = std::get_if<SessionClose>(&command.body);
  keys::Expire(work.table);
  updates::Expire(work.table);
  sessions::Expire(work.table, command.session ? command.session->id : close ? close->id : 0);
  if (const auto* update = std::get_if<ZoneUpdate>(&command.body))
    return RunUpdateOnce(command, *update, work);
  if (key.empty() && !command.session) {
    Run(command, work);
    return EncodeResult(work.result);
  }
  const uint64_t digest = Digest(encoded);
  once::Known known = command.session ? sessions::Find(work.table, *command.session, digest)
                                      : keys::Find(work.table, key, digest);
  auto* kept = std::get_if<Outcome>(&known);
  SIM_PROBE("rsm.answered-from-what-was-kept", kept != nullptr);
  if (kept && !SIM_MUTANT("retry-not-deduped")) return std::move(*kept);
  if (auto* refusal = std::get_if<once::Refusal>(&known)) {
    work.Refuse(refusal->why, std::move(refusal->reason));
    work.TakeBack();
    return EncodeResult(work.result);
  }
  Run(command, work);
  Outcome outcome = EncodeResult(work.result);
  if (work.result.refused == Refused::kTableFull) return outcome;  // the retry may find room
  if (outcome.size() > limits::kKeptOutcomeBytesMax) {
    work.result = {};
    work.Refuse(Refused::kOutcomeTooLarge,
                "what it returns is too large to be kept for a retry: ask for less");
    work.TakeBack();
    outcome = EncodeResult(work.result);
  }
  if (command.session) {
    sessions::Keep(work.table, *command.session, {digest, outcome});
  } else {
    keys::Keep(work.table, key, {digest, outcome});
  }
  return outcome;
}

Outcome ReplicatedState::RunUpdateOnce(const Command& command, const ZoneUpdate& update, Work& work) {
  const bool is_known_again = !update.identity.empty();
  once::Known known = is_known_again ? updates::Find(work.table, update.identity) : once::MayRun{};
  if (auto* kept = std::get_if<Outcome>(&known)) return std::move(*kept);
  if (auto* refusal = std::get_if<once::Refusal>(&known)) {
    work.Refuse(refusal->why, std::move(refusal->reason));
    work.TakeBack();
    return EncodeResult(work.result);
  }
  Run(command, work);
  Outcome outcome = EncodeResult(work.result);
  if (is_known_again) updates::Keep(work.table, update.identity, update.remembered, outcome);
  return outcome;
}

void ReplicatedState::Run(const Command& command, Work& work) {
  if (std::optional<Conflict> conflict = FindConflict(map_, command)) {
    work.Refuse(Refused::kConflict, std::move(conflict->reason));
    work.result.current = std::move(conflict->current);
  } else {
    std::visit([&](const auto& body) { Do(body, work); }, command.body);
  }
  if (work.result.refused != Refused::kNot) return work.TakeBack();
  FollowCatalogs(command, work);
  work.committed = work.txn.Commit();
  work.result.revision = work.committed.revision;
  work.result.changed |= !work.committed.events.empty();
}

void ReplicatedState::Do(const KvTxn& command, Work& work) {
  if (const std::string_view reserved = ReservedPrefixTouched(command.txn); !reserved.empty()) {
    return work.Refuse(Refused::kReserved,
                       fmt::format("keys under {} are written through DNS commands only", reserved));
  }
  const Result<kv::TxnResponse, kv::Error> response = kv::Execute(work.txn, command.txn);
  if (!response.ok()) {
    work.result.store_error = response.error();
    return work.Refuse(Refused::kStore, std::string(kv::ErrorText(response.error())));
  }
  work.result.txn = *response;
}

void ReplicatedState::Do(const KvCompact& command, Work& work) {
  const Result<kv::MapBatch, kv::Error> batch = kv::Compact(map_, command.revision);
  if (!batch.ok()) {
    work.result.store_error = batch.error();
    return work.Refuse(Refused::kStore, std::string(kv::ErrorText(batch.error())));
  }
  work.batch.insert(work.batch.end(), batch->begin(), batch->end());
  work.compacts = true;
  work.result.changed = true;
}

void ReplicatedState::Do(const ZoneCreate& command, Work& work) {
  if (zones_->Get(command.apex.wire())) {
    return work.Refuse(Refused::kZoneExists, fmt::format("zone {} exists already", command.apex.ToText()));
  }
  ReplaceZone(command.apex, command.rrsets, work);
}

void ReplicatedState::Do(const ZoneReplace& command, Work& work) {
  if (zones_->Get(command.apex.wire()) && !PrimaryZone(command.apex, work)) return;
  ReplaceZone(command.apex, command.rrsets, work);
}

void ReplicatedState::Do(const ZoneDelete& command, Work& work) {
  const zone::ZonePtr zone = zones_->Get(command.apex.wire());
  if (!zone) return work.Refuse(Refused::kNoSuchZone, NoSuchZone(command.apex));
  const auto [begin, end] = zone::ZoneRange(command.apex);
  const auto gone = work.txn.DeleteRange({begin, end});
  work.result.rrsets_removed = static_cast<uint32_t>(gone.size());
  work.result.serial = zone->serial();
  work.txn.Delete(zone::SettingsKey(command.apex));
  work.zones = std::make_shared<const zone::ZoneSet>(zones_->Without(command.apex.wire()));
}

void ReplicatedState::Do(const ZoneSettings& command, Work& work) {
  const zone::ZonePtr zone = zones_->Get(command.apex.wire());
  if (!zone) return work.Refuse(Refused::kNoSuchZone, NoSuchZone(command.apex));
  work.result.serial = zone->serial();
  const zone::Settings& before = zones_->SettingsOf(*zone);
  auto settings = zone::WithChanges(before, command.changes);
  if (!settings.ok()) return work.Refuse(Refused::kInvalidZone, settings.error());
  if (before.is_secondary() && !settings->is_secondary()) {
    if (before.state == zone::SecondaryState::kNotLoaded)
      return work.Refuse(Refused::kInvalidZone, "the zone has no content yet: it was never transferred");
    settings->state = {}, settings->checked_at = {}, settings->asked_at = {};
  } else if (!before.is_secondary() && settings->is_secondary()) {
    settings->state = zone::SecondaryState::kLoaded;
    settings->checked_at = work.stamp.group_time;
  }
  if (*settings == before) return;
  SetSettings(command.apex, *settings, work);
  TouchSoa(command.apex, work.txn);
}

void ReplicatedState::Do(const ZoneChange& command, Work& work) {
  const zone::ZonePtr before = PrimaryZone(command.apex, work);
  if (before) Adopt(zone::ApplyEdit(before, {command.edits}, SerialRuleOf(*before, work)), work);
}

void ReplicatedState::Do(const Seed& command, Work& work) {
  if (work.txn.Get(kSeededKey)) return work.Refuse(Refused::kSeeded, "the group was seeded before");
  const auto before = zones_;
  for (const ZoneCreate& zone : command.zones) {
    if (zones_->Get(zone.apex.wire())) continue;  // somebody was quicker
    ReplaceZone(zone.apex, zone.rrsets, work);
    if (work.result.refused != Refused::kNot) break;
    zones_ = work.zones;  // the next zone is added to this one
  }
  zones_ = before;
  work.txn.Put(kSeededKey, "1");
}

void ReplicatedState::Do(const SessionOpen& command, Work& work) {
  work.result.session = sessions::Open(work.table, work.index.value, command.lifetime);
  if (!work.result.session) return work.Refuse(Refused::kTableFull, "too many sessions are open just now");
  work.result.changed = true;
}

void ReplicatedState::Do(const SessionClose& command, Work& work) {
  work.result.changed = sessions::Close(work.table, command.id);
}

void ReplicatedState::ReplaceZone(const dns::Name& apex, const std::vector<dns::RRset>& rrsets, Work& work) {
  zone::ZoneBuilder builder(apex);
  for (const dns::RRset& rrset : rrsets) builder.Add(rrset);
  BuildAndReplace(std::move(builder), apex, false, work);
}

void ReplicatedState::Adopt(zone::EditOutcome outcome, Work& work) {
  if (auto* refusal = std::get_if<zone::Refusal>(&outcome)) {
    return work.Refuse(Refused::kInvalidZone, std::move(refusal->reason));
  }
  auto& [zone, changeset] = std::get<zone::EditResult>(outcome);
  work.result.serial = zone->serial();
  if (changeset.empty()) return;
  PutChanges(changeset, work);
  work.zones = std::make_shared<const zone::ZoneSet>(zones_->With(std::move(zone)));
}

void ReplicatedState::PutChanges(const zone::Changeset& changeset, Work& work) {
  for (const zone::RRsetChange& change : changeset.changes) {
    const std::string key = zone::RecordKey(changeset.apex, change.owner, change.type);
    if (change.after) {
      work.txn.Put(key, zone::EncodeRRset(*change.after));
    } else {
      work.txn.Delete(key);
    }
    ++(!change.before  ? work.result.rrsets_added
       : !change.after ? work.result.rrsets_removed
                       : work.result.rrsets_changed);
  }
  TouchSoa(changeset.apex, work.txn);
}

void ReplicatedState::Write(const Entry& entry, Work& work) {
  kv::MapBatch batch;
  if (applied_.compacting) batch = kv::StepCompaction(map_, kCompactPerCommand);
  const bool compacting = work.compacts || !batch.empty();
  batch.insert(batch.end(), std::make_move_iterator(work.committed.batch.begin()),
               std::make_move_iterator(work.committed.batch.end()));
  batch.insert(batch.end(), std::make_move_iterator(work.batch.begin()),
               std::make_move_iterator(work.batch.end()));
  const AppliedMark before = applied_;
  applied_ = {.index = entry.index,
              .term = entry.term,
              .group_time = work.table.now,
              .hash = Mix(applied_.hash, entry.index, batch),
              .once = work.counts,
              .compacting = compacting};
  batch.push_back(
      {std::string(kAppliedKey), (SIM_MUTANT("applied-index-not-atomic") ? before : applied_).Encode()});
  map_.Write(batch);
}

void ReplicatedState::PublishChanges(const Work& work) {
  if (work.zones) zones_ = work.zones;
  if (observer_.published) observer_.published(applied_.index, zones_);
  if (!work.committed.events.empty() && observer_.store_changed) {
    observer_.store_changed(work.committed.revision, work.committed.events);
  }
}

void ReplicatedState::Reload() {
  const std::optional<std::string> mark = map_.Get(kAppliedKey);
  applied_ = {};
  if (mark) {
    const auto decoded = AppliedMark::Decode(*mark);
    if (!decoded.ok()) FailStop(decoded.error());
    applied_ = *decoded;
  }
  if (applied_.bytes_unknown) applied_.once.bytes = keys::BytesKept(map_);
  zones_ = std::make_shared<const zone::ZoneSet>(RebuildZones(map_)->WithKeyring(LoadKeyring(map_)));
  if (observer_.published) observer_.published(applied_.index, zones_);
  if (observer_.reloaded) observer_.reloaded();
}

}  // namespace quorate::rsm
