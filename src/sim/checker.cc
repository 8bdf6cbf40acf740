#include "sim/checker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "dns/presentation.h"
#include "kv/store.h"
#include "raft/codec.h"
#include "raft/quorum.h"
#include "rsm/read.h"

namespace quorate::sim {
namespace {

uint64_t Digest(std::string_view bytes) {
  return (uint64_t{Crc32c(bytes)} << 32) | (bytes.size() & 0xffffffff);
}
uint64_t Digest(const raft::LogEntry& entry) {
  return entry.payload ? Digest(*entry.payload) : static_cast<uint64_t>(entry.type);
}

std::string At(MemberId id, LogIndex index, Term term) {
  return absl::StrCat("member ", id.value, ", entry ", index.value, " of term ", term.value);
}

}  // namespace

void Checker::OnTurn(MemberId id, const Before& before, const raft::Core& core,
                     const replica::Actions& actions) {
  CheckLeader(id, before, core);
  CheckCommitRule(id, before, core);
  CheckConfiguration(id, core);
  if (before.term == core.term()) CheckRepairs(before, core);
  for (const replica::LogJob& job : actions.log)
    if (const auto* write = std::get_if<storage::LogWrite>(&job.work))
      CheckAppend(id, before, core, *write, actions.log.size() == 1);
  for (const replica::ApplyJob& job : actions.apply) {
    const auto* apply = std::get_if<replica::ApplyEntries>(&job);
    if (!apply) continue;
    for (const raft::LogEntry& entry : apply->entries) {
      const auto [known, is_new] = committed_.try_emplace(entry.index, Committed{entry.term, core.term()});
      if (known->second.term != entry.term)
        world_.Fail("state machine safety", At(id, entry.index, entry.term) +
                                                " is committed, and so is one of term " +
                                                std::to_string(known->second.term.value));
    }
  }
}

void Checker::CheckLeader(MemberId id, const Before& before, const raft::Core& core) {
  if (core.role() != raft::Role::kLeader) return;
  const auto [leader, is_new] = leaders_.try_emplace(core.term(), id);
  if (leader->second != id)
    world_.Fail("election safety", absl::StrCat("members ", leader->second.value, " and ", id.value,
                                                " both lead term ", core.term().value));
  if (before.role == raft::Role::kLeader && before.term == core.term()) return;
  world_.Note(id.value, "leads term", core.term().value);
  // Leader completeness: what was committed in an earlier term is in its log. By log matching the last of it
  // tells.
  const LogIndex base = core.GetStatus().first - 1;
  for (auto it = committed_.rbegin(); it != committed_.rend(); ++it) {
    if (it->second.seen_in >= core.term()) continue;  // may have been committed by a later leader
    if (it->first > base && core.TermAt(it->first) != it->second.term)
      world_.Fail("leader completeness", At(id, it->first, it->second.term) +
                                             " is committed but not in the log of " +
                                             absl::StrCat("the leader of term ", core.term().value));
    break;
  }
}

// Raft 5.4.2: a leader commits entries of its own term by counting; those before come with them.
void Checker::CheckCommitRule(MemberId id, const Before& before, const raft::Core& core) {
  const bool led = before.role == raft::Role::kLeader && core.role() == raft::Role::kLeader;
  const LogIndex commit = core.commit_index();
  if (!led || before.term != core.term() || commit == before.commit) return;
  if (core.TermAt(commit) != core.term())
    world_.Fail("commitment by counting",
                absl::StrCat("member ", id.value, " leads term ", core.term().value,
                             " and commits up to entry ", commit.value, " of an older one"));
  if (before.configuration_index == core.configuration_index()) CheckMajorities(id, core);
}

// Whoever lost its log counts again once it has what the group had when that was noticed.
void Checker::CheckRepairs(const Before& before, const raft::Core& core) {
  if (core.role() != raft::Role::kLeader || before.configuration_index == core.configuration_index()) return;
  const raft::Configuration now = core.GetStatus().configuration;
  const LogIndex at = before.configuration_index;
  for (const raft::Member& m : before.configuration.members) {
    const raft::Member* after = raft::FindMember(now, m.id);
    const bool ends = m.repairing && after && after->voter && !after->repairing;
    if (ends && core.TermAt(at) && !has_(m.id, at, *core.TermAt(at)))
      world_.Fail("a repair ends with the log",
                  absl::StrCat("member ", m.id.value, " counts again without entry ", at.value));
  }
}

// Raft 5.4.2 and 6: what a leader commits is on the disks of a majority of each half.
void Checker::CheckMajorities(MemberId id, const raft::Core& core) {
  const raft::Configuration c = core.GetStatus().configuration;
  std::vector<MemberId> incoming;
  for (const raft::Member& m : c.members)
    if (m.voter) incoming.push_back(m.id);
  for (const auto& half : {incoming, c.outgoing_voters}) {
    const auto have = std::ranges::count_if(half, [&](MemberId voter) {
      const raft::Member* m = raft::FindMember(c, voter);
      if (m && m->repairing) return false;
      return emptied_.contains(voter) || has_(voter, core.commit_index(), core.term());
    });
    if (!half.empty() && static_cast<size_t>(have) <= half.size() / 2)
      world_.Fail("a majority of each half", At(id, core.commit_index(), core.term()) + " is committed by " +
                                                 absl::StrCat(have, " of ", half.size(), " voters"));
  }
}

// As of what is committed everybody knows the same configuration.
void Checker::CheckConfiguration(MemberId id, const raft::Core& core) {
  const LogIndex commit = core.commit_index();
  if (std::exchange(commit_seen_[id], commit) == commit) return;
  const raft::Configuration configuration = core.ConfigurationAt(commit);
  // Who joins knows none before the first one that stands in the log: that of the first formation does not.
  if (configuration.members.empty()) return;
  const uint64_t digest = Digest(raft::EncodeConfiguration(configuration));
  const auto [first, is_new] = configurations_.try_emplace(commit, digest);
  if (is_new) CheckIds(commit, configuration);
  if (first->second != digest)
    world_.Fail("equal configurations", absl::StrCat("as of entry ", commit.value, " member ", id.value,
                                                     " knows another configuration than others"));
}

// Who was removed stays so: another machine gets another id.
void Checker::CheckIds(LogIndex at, const raft::Configuration& c) {
  for (uint64_t id = 1; id <= c.last_id.value; ++id) {
    const MemberId member{id};
    if (raft::FindMember(c, member)) {
      listed_[member] = std::max(listed_[member], at);
    } else {
      removed_[member] = std::min(removed_.try_emplace(member, at).first->second, at);
    }
    if (const auto removed = removed_.find(member);
        removed != removed_.end() && removed->second < listed_[member])
      world_.Fail("ids are given once",
                  absl::StrCat("member ", id, " was removed by entry ", removed->second.value,
                               " and is listed as of entry ", listed_[member].value));
  }
}

void Checker::CheckAppend(MemberId id, const Before& before, const raft::Core& core,
                          const storage::LogWrite& write, bool alone) {
  if (write.append.empty()) return;
  const LogIndex front = write.append.front().index;
  const bool led = before.role == raft::Role::kLeader && core.role() == raft::Role::kLeader;
  if (led && before.term == core.term() && front <= before.last)
    world_.Fail("leader append-only", At(id, front, core.term()) + " is written anew");
  // Of several writes a later one may have replaced what the first follows.
  Term prev_term = alone ? core.TermAt(front - 1).value_or(Term{}) : Term{};
  for (const raft::LogEntry& entry : write.append) {
    const Known known{Digest(entry), prev_term};
    const auto [first, is_new] = entries_.try_emplace({entry.index, entry.term}, known);
    if (first->second.digest != known.digest)
      world_.Fail("log matching", At(id, entry.index, entry.term) + " differs from another member's");
    // The term before is not known where the log begins right here.
    const bool comparable = prev_term != Term{} && first->second.prev_term != Term{};
    if (comparable && first->second.prev_term != prev_term)
      world_.Fail("log matching", At(id, entry.index, entry.term) + " follows another entry than elsewhere");
    prev_term = entry.term;
  }
}

void Checker::OnApplied(MemberId id, const rsm::Entry& entry, uint64_t hash) {
  const Applied now{entry.term, entry.is_command ? Digest(entry.payload) : 0, hash};
  const auto [first, is_new] = applied_.try_emplace(entry.index, now);
  if (first->second.term != now.term || first->second.digest != now.digest)
    world_.Fail("state machine safety",
                At(id, entry.index, entry.term) + " is applied, elsewhere another one was");
  if (first->second.hash != hash)
    world_.Fail("equal states", At(id, entry.index, entry.term) + " leads to another state than elsewhere");
}

void Checker::OnStoreChanged(MemberId id, Revision revision, const std::vector<kv::Event>& events) {
  std::string change;
  for (const kv::Event& event : events) {
    absl::StrAppend(&change, event.kv.key, "=", event.kv.value, ";");
    if (event.type == kv::Event::Type::kDelete) continue;
    const auto [at, is_new] = written_.try_emplace(event.kv.value, revision);
    if (at->second != revision)
      world_.Fail("exactly once", absl::StrCat("member ", id.value, " has ", event.kv.value, " at revisions ",
                                               at->second.value, " and ", revision.value));
  }
  const auto [first, is_new] = changes_.try_emplace(revision, change);
  if (first->second != change)
    world_.Fail("equal states", absl::StrCat("member ", id.value, " at revision ", revision.value,
                                             " changes ", change, ", elsewhere it was ", first->second));
}

void Checker::OnAcknowledged(const Write& write, Revision revision, Revision floor) {
  if (revision <= floor)
    world_.Fail("linearizable writes",
                absl::StrCat(write.value, " got revision ", revision.value, ", but began when revision ",
                             floor.value, " had been seen"));
  const auto [first, is_new] = acknowledged_.try_emplace(revision, write);
  if (first->second.value != write.value)
    world_.Fail("linearizable writes", absl::StrCat(write.value, " and ", first->second.value,
                                                    " were both acknowledged at revision ", revision.value));
  floor_ = std::max(floor_, revision);
}

void Checker::OnRead(MemberId id, Revision seen, Revision floor) {
  if (seen < floor)
    world_.Fail("linearizable reads",
                absl::StrCat("a read at member ", id.value, " saw revision ", seen.value, ", but began when ",
                             floor.value, " had been seen"));
  floor_ = std::max(floor_, seen);
}

bool Checker::Holds(const Write& write, Revision revision, const kv::MapReader& map) const {
  if (write.kind == Write::Kind::kMakeZone) return true;
  if (!write.of_the_zone()) {
    const auto kvs = kv::Range(map, {.range = {write.key, ""}, .revision = revision});
    if (!kvs.ok() || kvs->kvs.size() > 1) return false;
    return write.deletes() ? kvs->kvs.empty() : !kvs->kvs.empty() && kvs->kvs[0].value == write.value;
  }
  const auto owner = *dns::Name::FromText(write.key + ".sim.");
  const auto stored = rsm::GetRRset(map, revision, SimZone(), owner, dns::RRType::kTXT);
  if (write.deletes()) return !stored;
  return stored && stored->rrset.rdata == std::vector{*dns::RdataFromText(dns::RRType::kTXT, write.value)};
}

void Checker::CheckFinalState(MemberId id, const kv::MapReader& map, const zone::ZoneSet& zones) {
  const dns::Name apex = SimZone();
  for (const auto& [revision, write] : acknowledged_) {
    const bool found = Holds(write, revision, map);
    if (!found)
      world_.Fail("no acknowledged write is lost",
                  absl::StrCat("member ", id.value, " does not have ", write.value,
                               ", acknowledged at revision ", revision.value));
  }
  const auto soa = rsm::GetRRset(map, Revision{0}, apex, apex, dns::RRType::kSOA);
  const zone::ZonePtr zone = zones.Get(apex.wire());
  if (soa.has_value() != (zone != nullptr) ||
      (zone && dns::ParseSoa(soa->rrset.rdata.at(0))->serial != zone->serial()))
    world_.Fail(
        "the zones are a view of the store",
        absl::StrCat("member ", id.value, " serves another version of the zone than its store holds"));
}

}  // namespace quorate::sim
