// What the HTTP door stands on; given by the app.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "dns/name.h"
#include "kv/ordered_map.h"
#include "replica/client.h"

namespace quorate::api {

// Where a part of the process puts its figures when /metrics is asked for.
class MetricsSink {
 public:
  using Labels = std::map<std::string, std::string>;
  virtual ~MetricsSink() = default;
  // `name` begins with "quorate_", a counter's ends in "_total"; units are base units (seconds, bytes). A
  // name always comes with the same help.
  virtual void Counter(std::string_view name, std::string_view help, double value,
                       const Labels& labels = {}) = 0;
  virtual void Gauge(std::string_view name, std::string_view help, double value,
                     const Labels& labels = {}) = 0;
};
// Any thread; must not block for long.
using MetricsCollector = std::function<void(MetricsSink&)>;

// All that is pointed to outlives the server; `client` must call no callback after it is gone, `map` must
// stay readable until then.
struct HttpBackend {
  replica::Client* client = nullptr;
  const kv::MapReader* map = nullptr;
  const Clock* clock = nullptr;
  // Apexes of the zones served, in canonical order. Any thread.
  std::function<std::vector<dns::Name>()> zones;
  // What /readyz waits for beside a linearizable read; empty: nothing. Any thread; may be null.
  std::function<std::string()> why_not_ready;
  // A snapshot file (docs/formats.md) of what is applied here now, part by part, empty at the end. Both
  // calls block for the disk; a file is read by one thread at a time. Any thread; may be null.
  using FileParts = std::function<absl::StatusOr<std::string>()>;
  std::function<absl::StatusOr<FileParts>()> open_snapshot;
  // Of the data directory's disk. Any thread; may be null.
  struct Disk {
    uint64_t free_bytes = 0;
    bool low = false;  // writes that need room are refused
  };
  std::function<Disk()> disk;
  // Of a secondary zone. Any thread; must not block; may be null.
  std::function<void(const dns::Name&)> refresh_secondary;  // asks its primary soon
  struct SecondaryStatus {
    bool under_way = false;
    Duration until_next{0};
    std::string error;  // of the last try
  };
  std::function<std::optional<SecondaryStatus>(const dns::Name&)> secondary_status;  // the leader knows it
  std::string group, region;                                                         // names; empty if none
  std::string etcd;  // where this replica's etcd door listens; empty: there is none
  std::string version;
  uint64_t feature_level = raft::kFeatureLevel;  // what this program can do
  std::vector<MetricsCollector> collectors;      // beside those of this door, Raft and the process
};

}  // namespace quorate::api
