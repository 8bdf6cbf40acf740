#include "rsm/sessions.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::rsm::sessions {
namespace {

constexpr size_t kNumber = 8;

std::string MapKey(char kind, uint64_t a) {
  std::string out(1, kind);
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(a >> shift));
  return out;
}

std::string MapKey(char kind, uint64_t a, uint64_t b) { return MapKey(kind, a) + MapKey(kind, b).substr(1); }

// The n-th number of a key made above.
uint64_t NumberIn(std::string_view key, size_t n) {
  uint64_t value = 0;
  for (const char c : key.substr(1 + n * kNumber, kNumber)) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

struct Session {
  Duration lifetime{0}, deadline{0}, queued{0};
  uint64_t forgotten_below = 0;
  uint32_t outcomes = 0;
};

uint64_t Ns(Duration time) { return static_cast<uint64_t>(time.count()); }

std::optional<Session> Load(const kv::MapReader& map, uint64_t id) {
  const std::optional<std::string> value = map.Get(MapKey('c', id));
  if (!value) return std::nullopt;
  ByteReader in(*value);
  Session session;
  for (Duration* time : {&session.lifetime, &session.deadline, &session.queued})
    *time = Duration(static_cast<int64_t>(in.U64()));
  session.forgotten_below = in.U64();
  session.outcomes = in.U32();
  return session;
}

void Store(once::Table& table, uint64_t id, const Session& session) {
  ByteWriter out(36);
  out.U64(Ns(session.lifetime)), out.U64(Ns(session.deadline)), out.U64(Ns(session.queued));
  out.U64(session.forgotten_below), out.U32(session.outcomes);
  table.batch.push_back({MapKey('c', id), out.Take()});
}

std::optional<Session> LoadLiving(const once::Table& table, uint64_t id) {
  std::optional<Session> session = Load(table.map, id);
  if (session && session->deadline < table.now) session.reset();
  return session;
}

// Forgets at most `most` outcomes of sequences below `end`. Gives how many.
uint64_t Forget(once::Table& table, uint64_t id, uint64_t end, uint64_t most) {
  const std::unique_ptr<kv::MapIterator> it = table.map.NewIterator();
  const std::string prefix = MapKey('o', id);
  uint64_t forgotten = 0;
  for (it->Seek(prefix); forgotten < most && it->Valid() && it->key().starts_with(prefix); it->Next()) {
    if (NumberIn(it->key(), 1) >= end) break;
    table.counts.bytes -= once::OutcomeBytes(it->value());
    table.batch.push_back({std::string(it->key()), std::nullopt});
    ++forgotten;
  }
  return forgotten;
}

void Remove(once::Table& table, uint64_t id, const Session& session) {
  table.batch.push_back({MapKey('d', Ns(session.queued), id), std::nullopt});
  table.batch.push_back({MapKey('c', id), std::nullopt});
  --table.counts.sessions;
}

// The sequence is kept, or may be.
once::Known FindOutcome(const once::Table& table, const SessionRequest& request, uint64_t digest,
                        const Session& session) {
  if (request.sequence < session.forgotten_below)
    return once::Refusal{Refused::kUnknown,
                         "the outcome of that request is no longer kept: the client said that it has it"};
  if (const auto kept = table.map.Get(MapKey('o', request.id, request.sequence)))
    return once::Compare(*kept, digest);
  if (session.outcomes >= table.bounds.outcomes_per_session)
    return once::Refusal{Refused::kTableFull,
                         "the session has too many requests whose outcomes are kept: say which is the oldest "
                         "one unanswered"};
  if (table.counts.bytes >= table.bounds.bytes)
    return once::Refusal{Refused::kTableFull, "the outcomes that are kept take too many bytes just now"};
  return once::MayRun{};
}

}  // namespace

std::optional<SessionGrant> Open(once::Table& table, uint64_t id, Duration lifetime) {
  if (table.counts.sessions >= table.bounds.sessions) return std::nullopt;
  lifetime = std::clamp(lifetime, kClientSessionLifetimeMin, kClientSessionLifetimeMax);
  const Duration deadline = table.now + lifetime;
  Store(table, id, {.lifetime = lifetime, .deadline = deadline, .queued = deadline});
  table.batch.push_back({MapKey('d', Ns(deadline), id), std::string()});
  ++table.counts.sessions;
  return SessionGrant{.id = id, .lifetime = lifetime, .deadline = deadline};
}

bool Close(once::Table& table, uint64_t id) {
  const std::optional<Session> session = LoadLiving(table, id);
  if (!session) return false;
  Forget(table, id, UINT64_MAX, session->outcomes);
  Remove(table, id, *session);
  return true;
}

once::Known Find(once::Table& table, const SessionRequest& request, uint64_t digest) {
  std::optional<Session> session = LoadLiving(table, request.id);
  if (!session)
    return once::Refusal{
        Refused::kUnknown,
        "the session is not known (any more): whether the request was applied cannot be told"};
  if (request.oldest_unanswered > session->forgotten_below) {
    session->outcomes -=
        static_cast<uint32_t>(Forget(table, request.id, request.oldest_unanswered, session->outcomes));
    session->forgotten_below = request.oldest_unanswered;
  }
  session->deadline = table.now + session->lifetime;
  once::Known known = FindOutcome(table, request, digest, *session);
  if (std::holds_alternative<once::MayRun>(known)) ++session->outcomes;
  Store(table, request.id, *session);
  return known;
}

void Keep(once::Table& table, const SessionRequest& request, const once::Kept& kept) {
  table.batch.push_back({MapKey('o', request.id, request.sequence), once::EncodeKept(kept)});
  table.counts.bytes += kept.outcome.size();
}

void Expire(once::Table& table, uint64_t in_use) {
  if (table.counts.sessions == 0) return;
  const std::unique_ptr<kv::MapIterator> it = table.map.NewIterator();
  uint64_t left = once::kExpirePerCommand;
  for (it->Seek("d"); left > 0 && it->Valid() && it->key().starts_with('d'); it->Next()) {
    if (Duration(static_cast<int64_t>(NumberIn(it->key(), 0))) >= table.now) break;
    const uint64_t id = NumberIn(it->key(), 1);
    if (id == in_use) continue;
    std::optional<Session> session = Load(table.map, id);
    CHECK(session.has_value());
    --left;
    if (session->deadline >= table.now) {  // it was used since: to its new place
      table.batch.push_back({std::string(it->key()), std::nullopt});
      session->queued = session->deadline;
      Store(table, id, *session);
      table.batch.push_back({MapKey('d', Ns(session->queued), id), std::string()});
      continue;
    }
    const uint64_t forgotten = Forget(table, id, UINT64_MAX, left);
    left -= forgotten;
    session->outcomes -= static_cast<uint32_t>(forgotten);
    if (session->outcomes != 0) {
      Store(table, id, *session);
    } else {
      Remove(table, id, *session);
    }
  }
}

}  // namespace quorate::rsm::sessions
