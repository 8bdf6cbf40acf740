#include "sim/sim_replica.h"

#include <utility>

#include "base/check.h"
#include "replica/recovery.h"
#include "rsm/command.h"

namespace quorate::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kChunkBytes = 400;  // so that a small state takes many

raft::Configuration AllMembers() {
  raft::Configuration configuration;
  for (uint64_t id = 1; id <= kMembers; ++id) configuration.members.push_back({.id = MemberId{id}});
  return configuration;
}

}  // namespace

class SimReplica::Machine final : public rsm::StateMachine {
 public:
  Machine(kv::OrderedMap& map, SimReplica& owner)
      : owner_(owner),
        state_(map, {.published = {},
                     .store_changed =
                         [this](Revision revision, const std::vector<kv::Event>& events) {
                           owner_.checker_.OnStoreChanged(owner_.id_, revision, events);
                         },
                     .reloaded = {}}) {}

  rsm::Outcome Apply(const rsm::Entry& entry) override {
    rsm::Outcome outcome = state_.Apply(Mutated(entry));
    owner_.checker_.OnApplied(owner_.id_, entry, state_.state_hash());
    return outcome;
  }
  LogIndex applied_index() const override { return state_.applied_index(); }
  Term applied_term() const override { return state_.applied_term(); }
  Duration group_time() const override { return state_.group_time(); }
  void Reload() override { state_.Reload(); }
  uint64_t state_hash() const override { return state_.state_hash(); }
  std::shared_ptr<const zone::ZoneSet> zones() const { return state_.zones(); }

 private:
  rsm::Entry Mutated(rsm::Entry entry) {
    const Mutation mutation = owner_.options_.mutation;
    if (mutation == Mutation::kSkipApply && owner_.id_ == MemberId{2} && owner_.world_.rng().Chance(1, 50)) {
      entry.is_command = false;
      entry.payload = {};
    }
    if (mutation != Mutation::kForgetSessions || !entry.is_command) return entry;
    const auto stamped = rsm::ParseStamped(entry.payload);
    CHECK(stamped.has_value());
    auto command = rsm::DecodeCommand(stamped->command);
    CHECK(command.ok());
    command->idempotency_key.clear();
    command->session.reset();
    mutated_ = rsm::StampCommand(stamped->stamp, rsm::EncodeCommand(*command));
    entry.payload = mutated_;
    return entry;
  }

  SimReplica& owner_;
  rsm::ReplicatedState state_;
  std::string mutated_;
};

SimReplica::SimReplica(World& world, Network& network, Checker& checker, const Options& options, MemberId id)
    : world_(world),
      network_(network),
      checker_(checker),
      options_(options),
      id_(id),
      boot_offset_(world.Between(seconds(1), seconds(1000))),
      disk_(world.rng().Next()) {
  const size_t entries_max = size_t{16} << world.rng().Below(6);  // 16 .. 512
  compaction_ = {.bytes_max = 1 << 20,
                 .entries_max = entries_max,
                 .bytes_keep = 1 << 19,
                 .entries_keep = entries_max / 2};
  segment_bytes_ = size_t{4096} << world.rng().Below(5);  // 4 KiB .. 64 KiB
  network_.Attach(id, [this](raft::Message message) {
    Later(Duration(0), [this, message = std::move(message)]() mutable {
      Post(replica::MessageReceived{std::move(message)});
    });
  });
}

SimReplica::~SimReplica() = default;

replica::Now SimReplica::ReadClock() const {
  return {{world_.now() + boot_offset_}, {seconds(1'800'000'000) + world_.now()}};
}

void SimReplica::Later(Duration delay, std::function<void()> what) {
  if (!process_) return;
  world_.After(delay, [this, incarnation = incarnation_, what = std::move(what)]() mutable {
    if (incarnation != incarnation_) return;
    if (world_.now() < paused_until_) return Later(paused_until_ - world_.now(), std::move(what));
    what();
  });
}

// --- life and death ---

void SimReplica::Start() {
  CHECK(!process_);
  ++incarnation_;
  world_.Note(id_.value, "starts");
  process_ = std::make_unique<Process>();
  Process& p = *process_;
  p.state = std::make_unique<storage::MemoryStateStore>(state_image_);
  p.machine = std::make_unique<Machine>(p.state->map(), *this);
  p.worker = std::make_unique<replica::StateWorker>(*p.state, *p.machine, kChunkBytes);
  const storage::WalOptions wal{
      .segment_bytes = segment_bytes_, .prepare_in_background = false, .id_seed = world_.rng().Next() | 1};
  absl::StatusOr<replica::Recovered> recovered = absl::UnknownError("");
  if (auto log = storage::OpenWal(disk_, "log", wal); log.ok()) {
    p.log = *std::move(log);
    recovered = replica::Recover(*p.log, *p.state, *p.machine, AllMembers());
  } else {
    recovered = log.status();
  }
  if (!recovered.ok()) {
    if (!power_cut_armed_) world_.Fail("recovery", recovered.status().ToString());
    return Die(storage::Unsynced::kRandom);
  }
  const replica::DriverConfig config{
      .core = {.self = id_, .seed = world_.rng().Next(), .append_bytes_max = 4096},
      .compaction = compaction_};
  p.driver = std::make_unique<replica::Driver>(config, std::move(recovered->restored), recovered->state,
                                               ReadClock());
  world_.Note(id_.value, "recovered", recovered->state.index.value, p.driver->core().GetStatus().last.value);
  SetTimer();
}

void SimReplica::Die(storage::Unsynced unsynced) {
  world_.Note(id_.value, "dies", static_cast<uint64_t>(unsynced));
  if (process_) state_image_ = process_->state->FlushedImage();
  ++incarnation_;
  process_.reset();
  disk_.Crash(unsynced);
  disk_.ForgetFaults();
  power_cut_armed_ = false;
  paused_until_ = {};
  on_death_();
}

void SimReplica::Kill() { Die(storage::Unsynced::kKept); }
void SimReplica::CutPower() { Die(storage::Unsynced::kRandom); }

void SimReplica::CutPowerDuringWrite() {
  disk_.FailAt(disk_.operations() + 1 + world_.rng().Below(6), storage::DiskFault::kPowerCut);
  power_cut_armed_ = true;
}

void SimReplica::Pause(Duration length) {
  world_.Note(id_.value, "is paused for us", static_cast<uint64_t>(length / microseconds(1)));
  paused_until_ = world_.now() + length;
}

void SimReplica::SlowDisk(Duration length) { disk_slow_until_ = world_.now() + length; }

// --- callers ---

void SimReplica::Propose(std::string command, Duration timeout,
                         std::function<void(replica::ProposeOutcome)> done) {
  Later(Duration(0), [this, command = std::move(command), timeout, done = std::move(done)] {
    Post(replica::ProposeCall{command, timeout, done});
  });
}

void SimReplica::Read(Duration timeout, std::function<void(absl::Status)> done) {
  if (options_.mutation == Mutation::kReadWithoutBarrier)
    return Later(Duration(0), [done = std::move(done)] { done(absl::OkStatus()); });
  Later(Duration(0), [this, timeout, done = std::move(done)] { Post(replica::ReadCall{timeout, LogIndex{}, done}); });
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
  if (std::exchange(process_->turn_due, true)) return;
  Later(world_.Between(microseconds(1), microseconds(60)), [this] { Turn(); });
}

void SimReplica::Turn() {
  Process& p = *process_;
  p.turn_due = false;
  const raft::Status status = p.driver->core().GetStatus();
  const Checker::Before before{status.role, status.hard_state.current_term, status.last};
  const replica::Now now = ReadClock();
  for (replica::Event& event : std::exchange(p.inbox, {})) p.driver->Handle(now, std::move(event));
  replica::Actions actions = p.driver->Collect(now);
  checker_.OnTurn(id_, before, p.driver->core(), actions);
  world_.Note(id_.value, "turn: term, commit", p.driver->core().term().value,
              p.driver->core().commit_index().value);
  Carry(std::move(actions));
  if (process_) SetTimer();
}

void SimReplica::SetTimer() {
  Process& p = *process_;
  const BootTime wake = std::max(p.driver->NextWake(), ReadClock().boot);
  p.timer = wake;
  Later(wake - ReadClock().boot, [this, wake] {
    if (process_->timer != wake || std::exchange(process_->turn_due, true)) return;
    Turn();
  });
}

void SimReplica::Carry(replica::Actions actions) {
  Process& p = *process_;
  const auto queue = [](auto& from, auto& to) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  };
  queue(actions.log, p.log_jobs);
  queue(actions.apply, p.apply_jobs);
  queue(actions.housekeeping, p.housekeeping_jobs);
  for (const raft::Message& message : actions.send) network_.Send(message);
  StartApplyJob();
  StartHousekeepingJob();
  for (auto& complete : actions.completions) complete();
  StartLogJobs();  // may be the end of the process
}

// --- the other threads ---

Duration SimReplica::DiskTime() {
  if (world_.now() < disk_slow_until_) return world_.Between(milliseconds(20), milliseconds(400));
  return world_.Between(microseconds(200), milliseconds(4));
}

void SimReplica::StartLogJobs() {
  if (!process_ || process_->log_busy || process_->log_jobs.empty()) return;
  Process& p = *process_;
  p.log_busy = true;
  const auto finish = [this](replica::Event event) {
    process_->log_busy = false;
    Post(std::move(event));
    StartLogJobs();
  };
  if (const auto* base = std::get_if<raft::SnapshotMeta>(&p.log_jobs.front().work)) {
    Later(DiskTime(), [this, base = *base, finish] {
      process_->log_jobs.pop_front();
      if (!process_->log->Compact(base).ok()) return CutPower();
      world_.Note(id_.value, "log compacted through", base.last_index.value);
      finish(replica::LogCompacted{base.last_index});
    });
    return;
  }
  std::vector<storage::LogWrite> batch;
  uint64_t last = 0;
  for (; !p.log_jobs.empty() && std::holds_alternative<storage::LogWrite>(p.log_jobs.front().work);
       p.log_jobs.pop_front()) {
    batch.push_back(std::get<storage::LogWrite>(std::move(p.log_jobs.front().work)));
    last = p.log_jobs.front().id;
  }
  const Duration time = DiskTime();
  if (options_.mutation == Mutation::kAckBeforeSync) {
    Post(replica::LogWritten{last});
    Later(time, [this, batch = std::move(batch)] {
      WriteLog(batch);
      if (process_) process_->log_busy = false;
      StartLogJobs();
    });
    return;
  }
  // It may be on the disk long before the thread hears of it, or just before.
  const bool early = world_.rng().Chance(1, 2);
  if (early) WriteLog(batch);
  if (!process_) return;
  Later(time,
        [this, early, batch = early ? std::vector<storage::LogWrite>() : std::move(batch), last, finish] {
          if (!early) WriteLog(batch);
          if (process_) finish(replica::LogWritten{last});
        });
}

void SimReplica::WriteLog(std::vector<storage::LogWrite> batch) {
  const absl::Status status = process_->log->Write(batch);
  if (status.ok()) return;
  if (!power_cut_armed_) world_.Fail("log", status.ToString());
  CutPower();
}

void SimReplica::StartApplyJob() {
  if (process_->apply_busy || process_->apply_jobs.empty()) return;
  process_->apply_busy = true;
  const bool heavy = world_.rng().Chance(1, 200);
  const Duration time = heavy ? world_.Between(milliseconds(1), milliseconds(300))
                              : world_.Between(microseconds(5), microseconds(300));
  Later(time, [this] {
    const replica::ApplyJob job = std::move(process_->apply_jobs.front());
    process_->apply_jobs.pop_front();
    auto event = process_->worker->Run(job);
    CHECK(event.ok());
    if (const auto* installed = std::get_if<replica::SnapshotInstalled>(&*event)) {
      checker_.OnSnapshotInstalled();
      world_.Note(id_.value, "snapshot installed", installed->index.value);
    }
    process_->apply_busy = false;
    Post(*std::move(event));
    StartApplyJob();
  });
}

void SimReplica::StartHousekeepingJob() {
  if (process_->housekeeping_busy || process_->housekeeping_jobs.empty()) return;
  process_->housekeeping_busy = true;
  Later(world_.Between(microseconds(20), milliseconds(3)), [this] {
    const replica::HousekeepingJob job = std::move(process_->housekeeping_jobs.front());
    process_->housekeeping_jobs.pop_front();
    auto event = process_->worker->Run(job);
    CHECK(event.ok());
    process_->housekeeping_busy = false;
    if (event->has_value()) Post(**std::move(event));
    StartHousekeepingJob();
  });
}

}  // namespace quorate::sim
