#include "sim/sim_replica.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/sim_hooks.h"

namespace quorate::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr size_t kChunkBytes = 400;  // so that a small state takes many
constexpr size_t kChunkBytesFar = 8000;

}  // namespace

SimReplica::SimReplica(World& world, Network& network, Checker& checker, const Shape& shape,
                       const Options& options, MemberId id, Installation installation)
    : world_(world),
      network_(network),
      checker_(checker),
      shape_(shape),
      options_(options),
      id_(id),
      clock_(world, options.profile.rate_permille),
      disk_(std::make_unique<storage::FaultyFileSystem>(world.rng().Next())),
      bootstrap_(std::move(installation.bootstrap)),
      feature_level_(installation.feature_level),
      instance_(installation.instance) {
  // 16 .. 512; where a message takes long, more: else a new member never catches up with those who write.
  const size_t drawn = (shape.slowness > 1 ? size_t{128} : size_t{16}) << world.rng().Below(6);
  const size_t entries_max = options.profile.log_entries_max != 0 ? options.profile.log_entries_max : drawn;
  compaction_ = {.bytes_max = 1 << 20,
                 .entries_max = entries_max,
                 .bytes_keep = 1 << 19,
                 .entries_keep = entries_max / 2,
                 .entries_held = 4096};                   // far more than is written while a snapshot is sent
  segment_bytes_ = size_t{4096} << world.rng().Below(5);  // 4 KiB .. 64 KiB
  network_.Attach(id, [this](raft::Message message) {
    Later(Duration(0), [this, message = std::move(message)]() mutable {
      Post(replica::MessageReceived{std::move(message)});
    });
  });
}

SimReplica::~SimReplica() = default;

void SimReplica::Later(Duration delay, std::function<void()> what) {
  if (!process_) return;
  world_.After(delay, [this, life = life_, what = std::move(what)]() mutable {
    if (life != life_) return;
    if (world_.now() < paused_until_) return Later(paused_until_ - world_.now(), std::move(what));
    what();
  });
}

// --- life and death ---

void SimReplica::Start() {
  CHECK(!process_ && !gone());
  ++incarnation_;
  ++life_;
  world_.Note(id_.value, "starts");
  process_ = std::make_unique<Process>();
  if (world_.rng().Chance(starting_dies_percent_, 100)) CutPowerDuringWrite();
  auto recovered = Recover();
  SIM_PROBE("sim.crash.recovery", disk_fault_armed_ && !recovered.ok());
  if (!recovered.ok()) return OnRefusedStart(recovered.status());
  log_begun_ = true;
  on_disk_.clear();
  log_base_ = recovered->restored.base.last_index;
  for (const raft::LogEntry& entry : recovered->restored.entries) on_disk_[entry.index] = entry.term;
  world_.Note(id_.value, "recovered", recovered->state.index.value);
  MakeThreads(*std::move(recovered));
  SoonTurn();  // what it has to say of what it found
}

absl::StatusOr<replica::Recovered> SimReplica::Recover() {
  Process& p = *process_;
  p.state = std::make_unique<storage::MemoryStateStore>(state_image_);
  p.machine = std::make_unique<Machine>(p.state->map(), world_, checker_, id_);
  p.worker = std::make_unique<replica::StateWorker>(*p.state, *p.machine,
                                                    shape_.slowness > 1 ? kChunkBytesFar : kChunkBytes);
  const storage::WalOptions wal{.segment_bytes = segment_bytes_,
                                .prepare_in_background = false,
                                .id_seed = world_.rng().Next() | 1,
                                .expect_existing = log_begun_};
  auto log = storage::OpenWal(*disk_, "log", wal);
  if (!log.ok()) return log.status();
  p.log = *std::move(log);
  return replica::Recover(*p.log, *p.state, *p.machine, bootstrap_);
}

void SimReplica::MakeThreads(replica::Recovered recovered) {
  Process& p = *process_;
  replica::DriverConfig config{.core = shape_.timing, .compaction = compaction_};
  config.core.self = id_;
  config.core.seed = world_.rng().Next();
  config.core.incarnation = incarnation_;
  config.core.instance = instance();
  config.core.repairs = repairs_;
  config.core.feature_level = feature_level_;
  config.core.append_bytes_max = options_.profile.append_bytes_max;
  config.core.inflight_messages_max = options_.profile.inflight_messages_max;
  p.driver =
      std::make_unique<replica::Driver>(config, std::move(recovered.restored), recovered.state, ReadClock());
  p.gate = std::make_unique<replica::LeaseGate>([this] { Later(Duration(0), [this] { SoonTurn(); }); });
  p.gate->SetApplied(p.machine->applied_index());
  p.reader = std::make_unique<Reader>(ReaderParts{
      .world = world_,
      .id = id_,
      .clock = clock_,
      .gate = *p.gate,
      .views = p.machine->views(),
      .map = p.state->map(),
      .later = [this](Duration delay, std::function<void()> what) { Later(delay, std::move(what)); },
      .read =
          [this](LogIndex target, std::function<void(absl::Status)> done) {
            Post(replica::ReadCall{options_.profile.call_timeout, target, std::move(done)});
          },
      .pauses_permille = reader_pauses_permille_});
}

void SimReplica::OnRefusedStart(const absl::Status& why) {
  if (rotten_ && absl::IsDataLoss(why)) {
    SIM_PROBE("sim.disk.damaged-log-refuses-to-start", true);
    world_.Note(id_.value, "is lost");
    lost_ = true;
  } else if (!disk_fault_armed_ && !disk_full_) {
    world_.Fail("recovery", why.ToString());
  }
  Die(/*power=*/false);
}

void SimReplica::Die(bool power) {
  world_.Note(id_.value, "dies", power || !disk_->has_power());
  if (process_) {
    // The state store writes its memory out when it likes.
    if (process_->machine && world_.rng().Chance(1, 4)) {
      CHECK(process_->state->Flush().ok());
      SIM_PROBE("sim.state-flushed-just-before-death", true);
    }
    state_image_ = process_->state->FlushedImage();
  }
  ++life_;
  process_.reset();
  disk_->ForgetFaults();
  if (power || !disk_->has_power()) {
    disk_->Crash(storage::Unsynced::kRandom);
    clock_.Reboot();
  }
  disk_fault_armed_ = false;
  crash_at_.reset();
  paused_until_ = {};
  on_death_();
}

void SimReplica::FailStop(const absl::Status& why) {
  world_.Note(id_.value, "stops: " + std::string(why.message()));
  if (!disk_fault_armed_ && !disk_full_) world_.Fail("fail-stop", why.ToString());
  SIM_PROBE("sim.disk.full-disk-stops-the-replica", absl::IsResourceExhausted(why));
  SIM_PROBE("sim.disk.error-stops-the-replica", absl::IsUnavailable(why));
  Die(/*power=*/false);
}

void SimReplica::Stop() {
  Later(Duration(0), [this] { Post(replica::StopCall{}); });
}

void SimReplica::Kill() { Die(/*power=*/false); }
void SimReplica::CutPower() { Die(/*power=*/true); }

void SimReplica::CutPowerDuringWrite() {
  disk_->FailAt(disk_->operations() + 1 + world_.rng().Below(6), storage::DiskFault::kPowerCut);
  disk_fault_armed_ = true;
}

void SimReplica::CrashAt(CrashPoint point) { crash_at_ = point; }

void SimReplica::FailDisk() {
  disk_->FailAt(disk_->operations() + 1 + world_.rng().Below(4), storage::DiskFault::kIoError);
  disk_fault_armed_ = true;
}

void SimReplica::FillDisk() {
  disk_->SetCapacity(disk_->bytes_used() + world_.rng().Below(segment_bytes_));
  disk_full_ = true;
}

void SimReplica::FreeDisk() {
  disk_->SetCapacity(SIZE_MAX);
  disk_full_ = false;
}

void SimReplica::RepairDisk() {
  FreeDisk();
  disk_slow_until_ = disk_stalled_until_ = {};
  starting_dies_percent_ = 0;
}

void SimReplica::RotAndKill() {
  Die(/*power=*/false);
  rotten_ |= disk_->FlipRandomBit();
}

void SimReplica::SwitchOff() {
  dismissed_ = true;
  Die(/*power=*/false);
}

void SimReplica::Empty(uint64_t new_instance, bool repairs) {
  world_.Note(id_.value, repairs ? "lost its log" : "is wiped");
  SIM_PROBE("sim.machine.lost-its-log", repairs);
  SIM_PROBE("sim.machine.wiped", !repairs);
  if (process_) Die(/*power=*/false);
  disk_ = std::make_unique<storage::FaultyFileSystem>(world_.rng().Next());
  state_image_ = {};
  on_disk_.clear();
  log_base_ = {};
  checker_.OnEmptied(id_);
  log_begun_ = lost_ = rotten_ = disk_full_ = false;
  repairs_ = repairs ? std::exchange(instance_, new_instance) : 0;
  if (repairs) return;
  instance_ = new_instance;
  incarnation_ = 0;
  wiped_ = true;
}

void SimReplica::Upgrade() {
  if (feature_level_ == raft::kFeatureLevel) return;
  world_.Note(id_.value, "is upgraded");
  feature_level_ = raft::kFeatureLevel;
  if (process_) Die(/*power=*/false);
}

void SimReplica::Pause(Duration length) {
  world_.Note(id_.value, "is paused for us", static_cast<uint64_t>(length / microseconds(1)));
  paused_until_ = world_.now() + length;
}

void SimReplica::OnClockChange() {
  if (process_) SetTimer();
}

// --- callers ---

void SimReplica::Propose(std::string command, Duration timeout,
                         std::function<void(replica::ProposeOutcome)> done) {
  Later(Duration(0), [this, command = std::move(command), timeout, done = std::move(done)] {
    Post(replica::ProposeCall{command, timeout, done});
  });
}

// As Runner::Read, on a thread of its own.
void SimReplica::Read(Duration timeout, std::function<void(absl::Status)> done) {
  if (SIM_MUTANT("read-without-barrier"))
    return Later(Duration(0), [done = std::move(done)] { done(absl::OkStatus()); });
  Later(Duration(0), [this, timeout, done = std::move(done)] {
    const std::optional<LogIndex> target = process_->gate->TargetUnderLease(clock_.Boot());
    if (target && process_->gate->applied() >= *target) return done(absl::OkStatus());
    Post(replica::ReadCall{timeout, target.value_or(LogIndex{}), done});
  });
}

void SimReplica::Ask(ReadCallOf call) {
  Later(Duration(0), [this, call = std::move(call)]() mutable { process_->reader->Submit(std::move(call)); });
}

void SimReplica::Configure(replica::ConfigurationChange change,
                           std::function<void(const absl::Status&)> done) {
  Later(Duration(0), [this, change = std::move(change), done = std::move(done)] {
    Post(replica::ConfigureCall{change, options_.profile.call_timeout, done});
  });
}

void SimReplica::TransferLeadership() {
  Later(Duration(0), [this] { Post(replica::TransferCall{MemberId{}, [](const absl::Status&) {}}); });
}

const raft::Core& SimReplica::core() const { return process_->driver->core(); }
const kv::MapReader& SimReplica::map() const { return process_->state->map(); }
std::shared_ptr<const zone::ZoneSet> SimReplica::zones() const { return process_->machine->zones(); }
LogIndex SimReplica::applied() const { return process_->machine->applied_index(); }
uint64_t SimReplica::state_hash() const { return process_->machine->state_hash(); }

// --- the raft thread ---

void SimReplica::Post(replica::Event event) {
  process_->inbox.push_back(std::move(event));
  SoonTurn();
}

void SimReplica::SoonTurn() {
  if (std::exchange(process_->turn_due, true)) return;
  Later(world_.Between(microseconds(1), microseconds(60)), [this] { Turn(); });
}

void SimReplica::Turn() {
  Process& p = *process_;
  p.turn_due = false;
  const raft::Status status = p.driver->core().GetStatus();
  const Checker::Before before{status.role,   status.hard_state.current_term,         status.last,
                               status.commit, p.driver->core().configuration_index(), status.configuration};
  const replica::Now now = ReadClock();
  for (replica::Event& event : std::exchange(p.inbox, {})) {
    NoteSnapshotEnd(event);
    p.driver->Handle(now, std::move(event));
  }
  if (p.gate->Wanted() && p.driver->CanStartRead(now.boot))
    p.driver->Handle(now, replica::BarrierCall{p.gate->StartRound()});
  replica::Actions actions = p.driver->Collect(now);
  CheckDurable();
  CheckSnapshots(actions);
  checker_.OnTurn(id_, before, p.driver->core(), actions);
  if (status.configuration.feature_level > feature_level_)
    world_.Fail("feature level",
                "member " + std::to_string(id_.value) + " is told of what its program does not know");
  world_.Note(id_.value, "turn: term, commit", p.driver->core().term().value,
              p.driver->core().commit_index().value);
  Carry(std::move(actions));
  if (process_) SetTimer();
}

// What the core counts as durable is what the disk has.
void SimReplica::CheckDurable() {
  const raft::Core& core = process_->driver->core();
  const raft::Status status = core.GetStatus();
  if (status.durable < status.first) return;  // in the state, if not in the log
  const auto on_disk = on_disk_.find(status.durable);
  if (on_disk != on_disk_.end() && core.TermAt(status.durable) == on_disk->second) return;
  world_.Fail("durable is on disk", "member " + std::to_string(id_.value) + " counts entry " +
                                        std::to_string(status.durable.value) + " as durable");
}

// Whoever gets a snapshot can go on from it: the log is not cut beyond one that is under way.
void SimReplica::CheckSnapshots(const replica::Actions& actions) {
  Process& p = *process_;
  if (!p.sending.empty()) {
    const auto peers = p.driver->core().GetStatus().peers;  // none, unless it leads
    std::erase_if(p.sending, [&](const auto& item) {
      const auto peer = std::ranges::find(peers, item.first, &raft::PeerStatus::id);
      return peer == peers.end() || peer->state != raft::PeerStatus::State::kSnapshot;
    });
  }
  const raft::Status status = p.driver->core().GetStatus();
  const bool held_too_long = status.last - status.first >= compaction_.entries_held;
  SIM_PROBE("sim.machine.log-held-too-long", held_too_long);
  for (const replica::LogJob& job : actions.log) {
    const auto* cut = std::get_if<raft::SnapshotMeta>(&job.work);
    if (!cut || held_too_long) continue;
    for (const auto& [to, index] : p.sending)
      if (cut->last_index > index)
        world_.Fail("snapshots can be continued", "member " + std::to_string(id_.value) +
                                                      " cuts its log beyond the snapshot that it sends to " +
                                                      std::to_string(to.value));
  }
  for (const raft::Message& message : actions.send)
    if (const auto* chunk = std::get_if<raft::SnapshotChunk>(&message.body))
      p.sending[message.to] = chunk->meta.last_index;
}

void SimReplica::NoteSnapshotEnd(const replica::Event& event) {
  const auto* received = std::get_if<replica::MessageReceived>(&event);
  const auto* reply = received ? std::get_if<raft::SnapshotChunkReply>(&received->message.body) : nullptr;
  if (reply && (reply->installed || reply->refused)) process_->sending.erase(received->message.from);
}

bool SimReplica::HasOnDisk(LogIndex index, Term term) const {
  if (index <= log_base_) return true;
  const auto at = on_disk_.find(index);
  return at != on_disk_.end() && at->second == term;
}

void SimReplica::SetTimer() {
  Process& p = *process_;
  BootTime wake = p.driver->NextWake();
  if (p.gate->Wanted()) wake = std::min(wake, p.driver->NextReadStart());
  const uint64_t timer = ++p.timer;
  Later(clock_.Until(wake), [this, timer] {
    if (process_->timer == timer && !std::exchange(process_->turn_due, true)) Turn();
  });
}

void SimReplica::Carry(replica::Actions actions) {
  Process& p = *process_;
  for (const replica::PendingChange& change : actions.pending) replica::Carry(change, p.machine->pending());
  if (actions.log_last) p.gate->SetLogLast(*actions.log_last);
  if (actions.lease_until) p.gate->SetLease(*actions.lease_until);
  if (actions.fresh_as_of) p.gate->SetFresh(*actions.fresh_as_of);
  const auto queue = [](auto& from, auto& to) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  };
  queue(actions.log, p.log_jobs);
  queue(actions.apply, p.apply_jobs);
  queue(actions.housekeeping, p.housekeeping_jobs);
  for (const raft::Message& message : actions.send) network_.Send(message);
  StartApplyJob();
  StartHousekeepingJob();
  if (actions.barrier_completed != 0) p.gate->Complete(actions.barrier_completed);
  for (auto& complete : actions.completions) complete();
  if (actions.dismissed) {
    world_.Note(id_.value, "is dismissed", static_cast<uint64_t>(*actions.dismissed));
    dismissed_ = true;
  }
  if (actions.stopped) return Die(/*power=*/false);
  StartLogJobs();  // may be the end of the process
}

}  // namespace quorate::sim
