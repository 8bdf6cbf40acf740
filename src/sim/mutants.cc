#include "sim/mutants.h"

#include <algorithm>

namespace quorate::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Properties = std::vector<std::string>;

const Properties kReads = {"linearizable reads", "linearizable history"};
const Properties kAny = {"election safety",
                         "log matching",
                         "leader append-only",
                         "leader completeness",
                         "state machine safety",
                         "equal states",
                         "equal configurations",
                         "exactly once",
                         "linearizable reads",
                         "linearizable writes",
                         "linearizable history",
                         "no acknowledged write is lost",
                         "commitment by counting",
                         "a majority of each half",
                         "durable is on disk",
                         "recovery",
                         "fail-stop"};

Profile In(std::vector<ShapeKind> shapes) {
  Profile profile;
  profile.shapes = std::move(shapes);
  return profile;
}

// Three in a LAN, and only these faults beside some of the common ones.
Profile Only(std::vector<std::pair<Fault, uint32_t>> faults) {
  Profile profile = In({ShapeKind::kLan3});
  profile.weights = {};
  profile.swarm = false;
  for (const auto& [fault, weight] : faults) profile.With(fault, weight);
  return profile;
}

// Leaders come and go, and members come and go from those who hear them.
Profile Partitions() {
  return Only({{Fault::kPartition, 30},
               {Fault::kHeal, 20},
               {Fault::kWeather, 10},
               {Fault::kTransfer, 5},
               {Fault::kSlowLink, 5},
               {Fault::kKill, 5}});
}

// Holders of leases are cut off while others write.
Profile Leases() {
  Profile profile = Only({{Fault::kPartition, 30},
                          {Fault::kHeal, 15},
                          {Fault::kPause, 10},
                          {Fault::kTransfer, 5},
                          {Fault::kKill, 5},
                          {Fault::kSlowLink, 10},
                          {Fault::kReaderPauses, 5},
                          {Fault::kClock, 10}});
  profile.leases_percent = 100;
  profile.shapes = {ShapeKind::kLan3, ShapeKind::kLan5, ShapeKind::kLan3Learner};
  profile.read_every_max = milliseconds(10);
  profile.keys = 2;
  return profile;
}

Profile Rosters() {
  Profile profile = Leases().With(Fault::kConfigure, 10).With(Fault::kTornRoster, 60);
  profile.lease = seconds(2);
  profile.chaos = seconds(30);
  profile.shapes = {ShapeKind::kLan5, ShapeKind::kLan3Learner, ShapeKind::kLan3};
  return profile;
}

// Members come and go.
Profile Changes() {
  Profile profile = Only({{Fault::kMembership, 60},
                          {Fault::kPartition, 20},
                          {Fault::kHeal, 20},
                          {Fault::kKill, 10},
                          {Fault::kTransfer, 5},
                          {Fault::kWeather, 5}});
  profile.shapes = {ShapeKind::kLan3, ShapeKind::kLan5, ShapeKind::kLan3Learner};
  profile.chaos = seconds(20);
  profile.disturb_max = milliseconds(300);
  profile.read_every_max = milliseconds(10);
  profile.keys = 2;
  return profile;
}

Profile WithoutLeases(Profile profile) {
  profile.leases_percent = 0;
  profile.read_every_max = milliseconds(10);
  return profile;
}

// Logs are cut short, so that whoever was away needs a snapshot.
Profile Snapshots() {
  Profile profile = Partitions().With(Fault::kKill, 20).With(Fault::kCrashPoint, 10);
  profile.log_entries_max = 8;
  profile.disturb_max = milliseconds(1000);
  return profile;
}

void AddElections(std::vector<Mutant>& all) {
  const Profile deaths =
      Only({{Fault::kKill, 40}, {Fault::kPartition, 20}, {Fault::kHeal, 10}, {Fault::kWeather, 10}});
  Profile quick = WithoutLeases(deaths);
  quick.restart_max = milliseconds(10);
  quick.disturb_max = milliseconds(30);
  quick.election_spread = milliseconds(5);
  quick.chaos = seconds(20);
  quick.With(Fault::kPartition, 40).With(Fault::kKill, 60).aim_kills = true;
  quick.slow_permille = 300;
  all.push_back({"vote-not-persisted", "a vote is forgotten with the process", quick, kAny});
  all.push_back({"term-not-persisted", "the term and the vote are forgotten with the process", quick, kAny});
  all.push_back(
      {"vote-ignores-the-log", "votes go to candidates whose logs lack entries", Partitions(), kAny});
}

void AddReplication(std::vector<Mutant>& all) {
  Profile figure8 = WithoutLeases(Partitions().With(Fault::kKill, 40).With(Fault::kHeal, 40));
  figure8.shapes = {ShapeKind::kLan5, ShapeKind::kLan3};
  figure8.append_bytes_max = 1;
  figure8.inflight_messages_max = 1;
  figure8.restart_max = milliseconds(100);
  figure8.disturb_max = milliseconds(60);
  figure8.election_spread = milliseconds(50);
  figure8.slow_permille = 300;
  figure8.aim_kills = true;
  figure8.clients = 10;
  figure8.think_max = milliseconds(5);
  figure8.call_timeout = milliseconds(200);
  figure8.chaos = seconds(20);
  all.push_back({"old-term-committed-by-counting",
                 "entries of older terms are committed by counting (Figure 8)", figure8, kAny});
  all.push_back({"follower-commits-beyond-verified",
                 "a follower commits what the message at hand did not verify", Partitions(), kAny});
  all.push_back(
      {"prev-term-unchecked", "a follower appends after an entry of another term", Partitions(), kAny});
  all.push_back({"old-append-truncates", "an append that comes late cuts off what came after it",
                 Partitions().With(Fault::kWeather, 30), kAny});
  Profile power = Partitions().With(Fault::kPowerCut, 25).With(Fault::kSlowDisk, 20);
  all.push_back(
      {"memory-counts-as-durable", "a leader counts what followers have in memory only", power, kAny});
  all.push_back({"config-not-rolled-back", "a truncated configuration stays in force",
                 Rosters().With(Fault::kKill, 15), kAny});
}

void AddStorage(std::vector<Mutant>& all) {
  all.push_back({"ack-before-sync", "the log thread reports a write before it is on disk",
                 Only({{Fault::kPowerCut, 30}, {Fault::kPartition, 10}, {Fault::kHeal, 10}}), kAny});
  all.push_back({"compact-without-flush", "the log is cut though the state is not durable",
                 Snapshots().With(Fault::kPowerCut, 20), kAny});
  all.push_back({"log-before-the-snapshots-state",
                 "the log begins after a snapshot whose state is not in place",
                 Snapshots().With(Fault::kCrashPoint, 60), kAny});
  all.push_back({"snapshot-without-sessions", "a snapshot lacks the idempotency keys", Snapshots(), kAny});
}

void AddStateMachine(std::vector<Mutant>& all) {
  all.push_back({"skip-apply",
                 "one member now and then applies nothing for a command",
                 In({ShapeKind::kLan3}),
                 {"equal states"}});
  all.push_back(
      {"retry-not-deduped", "a command that is retried is applied again", Partitions(), {"exactly once"}});
  all.push_back({"applied-index-not-atomic", "the applied index is written one entry late",
                 Only({{Fault::kKill, 30}, {Fault::kPowerCut, 10}}), kAny});
  all.push_back({"forwarded-proposal-not-deduped",
                 "a forwarded proposal that the network repeats is appended twice",
                 Only({{Fault::kWeather, 30}}),
                 {"exactly once"}});
  all.push_back({"outcome-of-another-entry",
                 "a client is told the outcome of the entry that replaced its own", Partitions(), kAny});
}

void AddReadIndex(std::vector<Mutant>& all) {
  all.push_back({"read-without-barrier", "reads are answered from what is applied here",
                 In({ShapeKind::kLan3}), kReads});
  Profile far = WithoutLeases(Only({{Fault::kSlowLink, 10}, {Fault::kTransfer, 5}}));
  far.shapes = {ShapeKind::kWan5};
  far.clients = 10;
  all.push_back({"read-joins-a-round-under-way", "a read takes the index of a round that began before it",
                 far, kReads});
  all.push_back({"read-index-id-reused", "a late answer to an old ReadIndex is taken for the new one's",
                 WithoutLeases(Partitions().With(Fault::kSlowLink, 20).With(Fault::kWeather, 30)), kReads});
  all.push_back({"read-before-own-commit",
                 "a leader answers ReadIndex before an entry of its term is committed",
                 WithoutLeases(Partitions().With(Fault::kTransfer, 15)), kReads});
}

void AddGate(std::vector<Mutant>& all) {
  all.push_back({"no-gate", "commitment does not wait for the holders of leases", Leases(), kReads});
  all.push_back({"gate-only-ack", "only the acknowledgement waits for the holders, not the commitment",
                 Leases(), kReads});
  all.push_back(
      {"new-leader-does-not-wait", "a new leader forgets what its predecessors granted", Leases(), kReads});
  all.push_back(
      {"no-quorum-confirm", "leases are granted from rounds that no quorum has answered", Leases(), kReads});
  all.push_back({"lease-from-receipt", "a lease counts from when the grant came", Leases(), kReads});
  all.push_back({"no-floor", "a lease is taken by whoever lacks committed entries", Leases(), kReads});
  // Machines come back at once, with a clock that begins anew, and what was said to them before is late.
  Profile reborn = Only({{Fault::kPowerCut, 40}, {Fault::kPartition, 25}, {Fault::kHeal, 10}});
  reborn.shapes = {ShapeKind::kLan3, ShapeKind::kLan5};
  reborn.leases_percent = 100;
  reborn.restart_max = milliseconds(20);
  reborn.slow_permille = 100;
  reborn.chaos = seconds(40);
  reborn.read_every_max = milliseconds(10);
  reborn.keys = 2;
  all.push_back(
      {"no-incarnation-check", "echoes and grants of an earlier life of the process count", reborn, kReads});
  // A far member that lost its lease must get it back though it is always some entries behind.
  Profile steady = Only({{Fault::kPartition, 30}, {Fault::kHeal, 20}, {Fault::kPause, 10}});
  steady.shapes = {ShapeKind::kWan5};
  steady.leases_percent = 100;
  steady.lease = seconds(2);
  steady.chaos = seconds(15);
  steady.recovery = seconds(300);  // demotions double how long a member must have been well
  steady.clients = 40;
  steady.think_max = milliseconds(2);
  all.push_back({"starving-grant-rule",
                 "only who has acknowledged everything gets a lease",
                 steady,
                 {"a lease for every healthy replica"}});
}

void AddRosters(std::vector<Mutant>& all) {
  all.push_back({"roster-used-before-commit", "leases are granted by a configuration that is not committed",
                 Rosters(), kReads});
  all.push_back(
      {"ph-from-last-config-only", "a new leader looks at the last configuration only", Rosters(), kReads});
  all.push_back(
      {"removed-holder-keeps-lease", "whoever is not eligible any more goes on reading", Rosters(), kReads});
}

void AddReaders(std::vector<Mutant>& all) {
  Profile paused = Leases().With(Fault::kReaderPauses, 30);
  all.push_back({"no-dirty-hold", "what is pending does not hold up a read", Leases(), kReads});
  all.push_back({"capture-then-check", "a reader loads the view before it checks the lease", paused, kReads});
  all.push_back(
      {"split-capture", "a reader loads the zones and what is pending one after the other", paused, kReads});
  all.push_back(
      {"retest-held-reads", "a held read waits for what came after it, too", Leases(), {"held reads end"}});
  Profile drift = Leases().With(Fault::kClock, 30);
  drift.rate_permille = 400;
  all.push_back({"drift-above-rho", "clocks differ by more than leases assume", drift, kReads});
}

void AddMembership(std::vector<Mutant>& all) {
  const Profile changes = Changes();
  const Profile quiet = WithoutLeases(changes);  // where no gate hides what else is wrong
  all.push_back(
      {"commit-over-the-union", "in a joint configuration one majority of all commits", quiet, kAny});
  all.push_back(
      {"second-change-too-early", "a change begins before the one before it is complete", quiet, kAny});
  all.push_back(
      {"removed-leader-counts-itself", "a leader that goes counts itself for one that stays", quiet, kAny});
  all.push_back(
      {"id-given-twice", "a new member gets the id of a removed one", changes, {"ids are given once"}});
  Profile snapshots = changes;
  snapshots.log_entries_max = 8;
  all.push_back(
      {"configuration-lost-in-snapshot", "a snapshot does not say who is a member", snapshots, kAny});
  all.push_back({"compaction-past-an-unsent-snapshot",
                 "the log is cut beyond a snapshot that is under way",
                 snapshots,
                 {"snapshots can be continued"}});
  Profile upgrade = changes;
  upgrade.old_program_percent = 100;
  upgrade.With(Fault::kUpgrade, 10);
  all.push_back({"feature-level-too-early",
                 "the feature level rises before everybody can do it",
                 upgrade,
                 {"feature level", "equal configurations", "liveness of membership"}});
}

// Data directories are lost.
void AddDisks(std::vector<Mutant>& all) {
  Profile lost = WithoutLeases(Partitions().With(Fault::kLoseLog, 60));
  lost.old_program_percent = 0;
  lost.chaos = seconds(20);
  all.push_back({"repairing-member-counts", "who lost its log votes and counts at once", lost, kAny});
  all.push_back({"repair-ends-too-early",
                 "who lost its log counts before it has caught up",
                 lost,
                 {"a repair ends with the log"}});
  all.push_back(
      {"fsync-error-ignored", "a failed sync is taken for a good one",
       Only({{Fault::kDiskError, 40}, {Fault::kPowerCut, 20}, {Fault::kPartition, 10}, {Fault::kHeal, 10}}),
       kAny});
}

std::vector<Mutant> Make() {
  std::vector<Mutant> all;
  AddElections(all);
  AddReplication(all);
  AddStorage(all);
  AddStateMachine(all);
  AddReadIndex(all);
  AddGate(all);
  AddRosters(all);
  AddReaders(all);
  AddMembership(all);
  AddDisks(all);
  return all;
}

}  // namespace

std::span<const Mutant> Mutants() {
  static const std::vector<Mutant> all = Make();
  return all;
}

const Mutant* FindMutant(std::string_view name) {
  const auto at = std::ranges::find(Mutants(), name, &Mutant::name);
  return at == Mutants().end() ? nullptr : &*at;
}

}  // namespace quorate::sim
