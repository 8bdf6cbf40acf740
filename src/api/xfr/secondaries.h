// Zones that come from elsewhere: the leader asks their primaries, and puts what it gets into the log. Also
// the catalogs among them: their members are made secondaries here (RFC 9432).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "api/xfr/changed_zones.h"
#include "api/xfr/net.h"
#include "api/xfr/secondary_plan.h"
#include "base/bounded_queue.h"
#include "base/read_view.h"
#include "kv/ordered_map.h"
#include "replica/client.h"
#include "zone/view.h"

namespace quorate::api::xfr {

struct TransferInCounters {
  std::atomic<uint64_t> full{0}, incremental{0}, current{0}, failed{0}, expired{0};
  std::atomic<uint64_t> notified{0};  // wanted by NOTIFY or by hand
  std::atomic<uint64_t> catalog_changes{0}, catalog_failures{0};
};

// What is given outlives it. One thread that decides, limits::kTransfersInMax that fetch.
class Secondaries {
 public:
  struct Backend {
    replica::Client* client = nullptr;
    const kv::MapReader* map = nullptr;
    const ViewHub<zone::View>* views = nullptr;
    const Clock* clock = nullptr;
    SourceAddresses sources;
  };
  explicit Secondaries(Backend backend);
  ~Secondaries();

  ChangedZones& changed() { return changed_; }
  // A primary of the zone is to be asked soon: here if this is the leader, else the leader hears of it
  // through the log. Any thread; never blocks.
  void Want(const dns::Name& apex);
  // What the leader knows of it; nullopt: not a secondary, or this is not the leader. Any thread.
  std::optional<SecondaryInfo> Info(const dns::Name& apex) const;
  const TransferInCounters& counters() const { return counters_; }

 private:
  void Run(std::stop_token stop);
  void LookAt(const ChangedZones::Changes& changes);
  void SetZone(const zone::ZoneSet& zones, const zone::ZonePtr& zone);
  void Dispatch(BootTime now);
  void Expire(BootTime now);
  void ReconcileCatalogs();

  void Fetcher();
  // The error is for people; empty: it went well.
  std::string FetchZone(const dns::Name& apex);
  // kAborted: the group refused it, since the zone changed here.
  absl::Status FetchOnce(const dns::Name& apex);
  absl::Status FetchFrom(const zone::ZonePtr& zone, const zone::Settings& settings,
                         const zone::Remote& primary, const zone::Keyring& keyring);
  void Checked(const dns::Name& apex, dns::Serial serial, bool expired);

  const Backend backend_;
  TransferInCounters counters_;
  ChangedZones changed_;
  BoundedQueue<dns::Name> jobs_;
  std::atomic<bool> stopping_{false}, leads_{false};
  mutable std::mutex mu_;
  SecondaryPlan plan_;            // guarded by mu_
  size_t under_way_ = 0;          // guarded by mu_
  std::set<dns::Name> catalogs_;  // of the thread: to be looked at
  std::vector<std::thread> fetchers_;
  std::jthread thread_;
};

}  // namespace quorate::api::xfr
