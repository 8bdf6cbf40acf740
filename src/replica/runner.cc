#include "replica/runner.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/disk_fault.h"
#include "base/limits.h"
#include "base/overloaded.h"

namespace quorate::replica {
namespace {

// Jobs come from what the core and the driver already bound; this only turns a defect into a stop.
constexpr size_t kJobsMax = size_t{1} << 20;
constexpr Duration kLong = std::chrono::hours(1);
constexpr Duration kBoundedTryMax = std::chrono::seconds(1);  // for a linearizable read where less would do

void NameThread(const char* name) { pthread_setname_np(pthread_self(), name); }

size_t Bytes(const raft::Message& message) {
  return std::visit(
      Overloaded{[](const raft::AppendEntries& m) {
                   size_t bytes = 0;
                   for (const raft::LogEntry& entry : m.entries) bytes += sizeof(entry) + entry.bytes();
                   return bytes;
                 },
                 [](const raft::ProposeRequest& m) { return m.command ? m.command->size() : 0; },
                 [](const raft::SnapshotChunk& m) { return m.data ? m.data->size() : 0; },
                 [](const auto&) { return size_t{0}; }},
      message.body);
}

}  // namespace

Runner::Runner(const ReplicaOptions& options, const ReplicaParts& parts, Driver driver)
    : self_(options.core.self),
      addresses_(options.addresses),
      on_dismissed_(options.on_dismissed),
      clock_(parts.clock),
      log_(parts.log),
      state_worker_(parts.state, parts.state_machine),
      state_machine_(parts.state_machine),
      view_(parts.view),
      gate_([this] {
        std::lock_guard lock(mu_);
        barrier_wanted_ = true;
        Wake();
      }),
      driver_(std::move(driver)),
      log_jobs_(kJobsMax),
      apply_jobs_(kJobsMax),
      housekeeping_jobs_(kJobsMax) {
  gate_.SetApplied(parts.state_machine.applied_index());
}

Runner::~Runner() { Stop(); }

void Runner::Start(transport::PeerTransport& transport, const raft::Configuration& configuration) {
  transport_ = &transport;
  SetPeers(configuration);
  {
    std::lock_guard lock(mu_);
    closed_ = false;
  }
  log_thread_ = std::jthread([this] { RunLog(); });
  apply_thread_ = std::jthread([this] { RunApply(); });
  housekeeping_thread_ = std::jthread([this] { RunHousekeeping(); });
  raft_thread_ = std::jthread([this] { RunRaft(); });
}

void Runner::Stop() {
  if (!raft_thread_.joinable()) return;
  PostInternal(StopCall{});
  raft_thread_.join();
  log_jobs_.Close();
  apply_jobs_.Close();
  housekeeping_jobs_.Close();
  log_thread_.join();
  apply_thread_.join();
  housekeeping_thread_.join();
}

// --- what comes in ---

void Runner::Wake() {
  if (std::exchange(idle_, false)) ready_.notify_one();
}

bool Runner::Post(Event event, size_t bytes) {
  std::lock_guard lock(mu_);
  if (closed_ || inbox_.size() >= limits::kReplicaInboxEvents ||
      inbox_bytes_ + bytes > limits::kReplicaInboxBytes)
    return false;
  inbox_.push_back(std::move(event));
  inbox_bytes_ += bytes;
  Wake();
  return true;
}

void Runner::PostInternal(Event event) {
  std::lock_guard lock(mu_);
  inbox_.push_back(std::move(event));
  Wake();
}

void Runner::Deliver(raft::Message message) {
  const size_t bytes = Bytes(message);
  Post(MessageReceived{std::move(message)}, bytes);  // full: lost, as any message may be
}

void Runner::Propose(std::string command, Duration timeout, std::function<void(ProposeOutcome)> done) {
  const size_t bytes = command.size();
  if (bytes > limits::kCommandBytesMax) return done(NotProposed{Refusal::kTooLarge});
  if (!Post(ProposeCall{std::move(command), timeout, done}, bytes)) {
    std::unique_lock lock(mu_);
    const Refusal why = closed_ ? Refusal::kStopping : Refusal::kQueueFull;
    lock.unlock();
    done(NotProposed{why});
  }
}

void Runner::Read(Consistency consistency, Duration timeout, std::function<void(absl::Status)> done) {
  if (consistency.kind == Consistency::Kind::kLocal) return done(absl::OkStatus());
  if (consistency.kind == Consistency::Kind::kBounded) {
    timeout = std::min<Duration>(timeout / 2, kBoundedTryMax);
    done = [this, bound = consistency.bound, done = std::move(done)](const absl::Status& status) {
      const bool fresh = status.ok() || gate_.FreshAsOf() + bound >= clock_.Boot();
      done(fresh ? absl::OkStatus() : status);
    };
  }
  const std::optional<LogIndex> target = gate_.TargetUnderLease(clock_.Boot());
  if (target && gate_.applied() >= *target) return done(absl::OkStatus());
  if (!Post(ReadCall{timeout, target.value_or(LogIndex{}), done}))
    done(absl::ResourceExhaustedError("the replica is stopping or overloaded"));
}

void Runner::TransferLeadership(MemberId to, std::function<void(absl::Status)> done) {
  if (!Post(TransferCall{to, done})) done(absl::UnavailableError("the replica is stopping or overloaded"));
}

void Runner::Configure(ConfigurationChange change, Duration timeout, std::function<void(absl::Status)> done) {
  if (!Post(ConfigureCall{change, timeout, done}))
    done(absl::UnavailableError("the replica is stopping or overloaded"));
}

GroupStatus Runner::Status() const {
  std::lock_guard lock(driver_mu_);
  return driver_.Status(clock_.Boot());
}

// --- the raft thread ---

std::vector<Event> Runner::AwaitEvents() {
  std::unique_lock lock(mu_);
  const auto ready = [this] { return !inbox_.empty() || barrier_wanted_; };
  if (!ready()) {
    // A condition variable waits by its own clock; the driver is asked again whenever it returns.
    const Duration wait = std::min<Duration>(next_wake_ - clock_.Boot(), std::chrono::seconds(1));
    if (wait.count() > 0) {
      idle_ = true;
      ready_.wait_for(lock, wait, ready);
      idle_ = false;
    }
  }
  barrier_wanted_ = false;
  inbox_bytes_ = 0;
  return std::exchange(inbox_, {});
}

void Runner::RunRaft() {
  NameThread("raft");
  while (!stopped_) {
    std::vector<Event> events = AwaitEvents();
    std::unique_lock lock(driver_mu_);
    const Now now = ReadClock();
    for (Event& event : events) driver_.Handle(now, std::move(event));
    if (gate_.Wanted() && driver_.CanStartRead(now.boot))
      driver_.Handle(now, BarrierCall{gate_.StartRound()});
    Actions actions = driver_.Collect(now);
    next_wake_ = driver_.NextWake();
    if (gate_.Wanted()) next_wake_ = std::min(next_wake_, driver_.NextReadStart());
    lock.unlock();
    Carry(std::move(actions));
  }
}

void Runner::Carry(Actions actions) {
  for (const PendingChange& change : actions.pending) replica::Carry(change, view_);
  if (actions.log_last) gate_.SetLogLast(*actions.log_last);
  if (actions.lease_until) gate_.SetLease(*actions.lease_until);
  if (actions.fresh_as_of) gate_.SetFresh(*actions.fresh_as_of);
  // The disk first: it works while the messages are being sent.
  for (LogJob& job : actions.log) CHECK(log_jobs_.TryPush(std::move(job)));
  for (raft::Message& message : actions.send) transport_->Send(std::move(message));
  for (ApplyJob& job : actions.apply) CHECK(apply_jobs_.TryPush(std::move(job)));
  for (HousekeepingJob& job : actions.housekeeping) CHECK(housekeeping_jobs_.TryPush(std::move(job)));
  if (actions.configuration) SetPeers(*actions.configuration);
  if (actions.dismissed && on_dismissed_) on_dismissed_(*actions.dismissed);
  if (actions.stopped) {
    std::lock_guard lock(mu_);
    closed_ = true;
    stopped_ = true;
  }
  if (actions.barrier_completed != 0) gate_.Complete(actions.barrier_completed);
  for (auto& complete : actions.completions) complete();
  if (stopped_) RefuseRest();
}

void Runner::RefuseRest() {
  // What came after the driver had answered its last caller.
  std::unique_lock lock(mu_);
  std::vector<Event> rest = std::exchange(inbox_, {});
  lock.unlock();
  for (Event& event : rest) {
    if (auto* propose = std::get_if<ProposeCall>(&event)) propose->done(NotProposed{Refusal::kStopping});
    if (auto* read = std::get_if<ReadCall>(&event))
      read->done(absl::UnavailableError("the replica is stopping"));
    if (auto* configure = std::get_if<ConfigureCall>(&event))
      configure->done(absl::UnavailableError("the replica is stopping"));
    if (auto* transfer = std::get_if<TransferCall>(&event))
      transfer->done(absl::UnavailableError("the replica is stopping"));
  }
}

void Runner::SetPeers(const raft::Configuration& configuration) {
  std::map<MemberId, std::string> peers;
  for (const raft::Member& member : configuration.members) {
    if (member.id == self_) continue;
    const auto known = addresses_.find(member.id);
    peers[member.id] = known == addresses_.end() ? member.address : known->second;
  }
  transport_->SetPeers(peers);
}

// --- the other threads ---

void Runner::RunLog() {
  NameThread("raft-log");
  for (std::vector<LogJob> jobs; !(jobs = log_jobs_.TakeAll(kLong)).empty() || !log_jobs_.closed();) {
    std::vector<storage::LogWrite> batch;
    uint64_t last_id = 0;
    const auto write = [&] {
      if (batch.empty()) return;
      if (absl::Status status = log_.Write(batch); !status.ok())
        FailStop("the log cannot be written", status);
      batch.clear();
      PostInternal(LogWritten{last_id});
    };
    for (LogJob& job : jobs) {
      if (auto* one = std::get_if<storage::LogWrite>(&job.work)) {
        batch.push_back(std::move(*one));
        last_id = job.id;
        continue;
      }
      write();
      const auto& base = std::get<raft::SnapshotMeta>(job.work);
      if (absl::Status status = log_.Compact(base); !status.ok())
        FailStop("the log cannot be compacted", status);
      PostInternal(LogCompacted{base.last_index});
    }
    write();
  }
}

void Runner::RunApply() {
  NameThread("raft-apply");
  for (std::vector<ApplyJob> jobs; !(jobs = apply_jobs_.TakeAll(kLong)).empty() || !apply_jobs_.closed();) {
    for (const ApplyJob& job : jobs) {
      auto event = state_worker_.Run(job);
      if (!event.ok()) FailStop("the applied state cannot be kept", event.status());
      gate_.SetApplied(state_machine_.applied_index());
      PostInternal(*std::move(event));
    }
  }
}

void Runner::RunHousekeeping() {
  NameThread("raft-keeper");
  for (std::vector<HousekeepingJob> jobs;
       !(jobs = housekeeping_jobs_.TakeAll(kLong)).empty() || !housekeeping_jobs_.closed();) {
    for (const HousekeepingJob& job : jobs) {
      auto event = state_worker_.Run(job);
      if (!event.ok()) FailStop("the applied state cannot be flushed", event.status());
      if (event->has_value()) PostInternal(**std::move(event));
    }
  }
}

}  // namespace quorate::replica
