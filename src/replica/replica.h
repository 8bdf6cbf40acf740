// One replica of one group: what recovery found, the raft core, its driver and the threads that carry it out.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/read_view.h"
#include "raft/core.h"
#include "replica/client.h"
#include "replica/compaction.h"
#include "rsm/api.h"
#include "storage/api.h"
#include "transport/api.h"

namespace quorate::replica {

struct ReplicaOptions {
  raft::CoreConfig core;  // self; seed: new for every start; the timeouts of the group
  GroupId group;
  // The members of the group's first formation, the same at every member. Once the log or the state holds a
  // configuration, that one counts.
  raft::Configuration bootstrap;
  // Where members are now (host:port), where it differs from the configuration's addresses.
  std::map<MemberId, std::string> addresses;
  Duration stop_timeout = std::chrono::seconds(2);  // for handing over leadership in Stop()
  uint64_t snapshot_bytes_per_second = limits::kSnapshotBytesPerSecond;  // of all that it sends; 0: no limit
  CompactionLimits compaction;                                           // zeros: limits.h
  // The group has turned this replica away: it has stopped answering, for ever. Called once at most, from the
  // raft thread; must not block. May be empty.
  std::function<void(raft::Dismissal)> on_dismissed;
};

// The parts a replica stands on. They outlive it.
struct ReplicaParts {
  storage::LogStore& log;
  storage::StateStore& state;
  rsm::StateMachine& state_machine;  // over state.map()
  rsm::PendingView& view;            // told what is in the log and not applied
  const Clock& clock;
  // Makes the transport; what arrives goes to the handler, which may be called until the transport is
  // destroyed.
  std::function<absl::StatusOr<std::unique_ptr<transport::PeerTransport>>(transport::MessageHandler)>
      transport;
};

class Replica {
 public:
  // Recovers (Reload() of the state machine included: blocks for the time that takes), starts the threads.
  // kDataLoss: the log is damaged or ends before what was acknowledged; this replica must not take part until
  // it is repaired. kFailedPrecondition: an unknown format, or the group has a feature level above
  // core.feature_level. Else the transport's error.
  static absl::StatusOr<std::unique_ptr<Replica>> Start(ReplicaOptions options, ReplicaParts parts);
  ~Replica();  // as Stop()
  Replica(const Replica&) = delete;

  Client& client();
  // For the DNS workers. Lives as long as the replica.
  ReadGate& gate();

  // Whether the disk is nearly full, when that changes and from time to time. A leader then hands over to a
  // voter that has room. Any thread, not after Stop().
  void SetDiskLow(bool low);

  // Hands leadership over (bounded by stop_timeout), answers every waiting caller, joins the threads. After
  // it no callback is called. Once.
  void Stop();

 private:
  class Impl;
  explicit Replica(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::replica
