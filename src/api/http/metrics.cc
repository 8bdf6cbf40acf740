// Prometheus text: this door, Raft, the process, and what the app's collectors say.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>

#include "api/http/context.h"
#include "api/http/group_json.h"

namespace quorate::api {
namespace {

class FamilySink final : public MetricsSink {
 public:
  void Counter(std::string_view name, std::string_view help, double value, const Labels& labels) override {
    Add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
  }
  void Gauge(std::string_view name, std::string_view help, double value, const Labels& labels) override {
    Add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
  }
  std::string Text() const {
    std::vector<prometheus::MetricFamily> all;
    for (const auto& [name, family] : families_) all.push_back(family);
    return prometheus::TextSerializer().Serialize(all);
  }

 private:
  prometheus::ClientMetric& Add(std::string_view name, std::string_view help, prometheus::MetricType type,
                                const Labels& labels) {
    prometheus::MetricFamily& family = families_[std::string(name)];
    family.name = name;
    family.help = help;
    family.type = type;
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [label, value] : labels) metric.label.push_back({label, value});
    return metric;
  }
  std::map<std::string, prometheus::MetricFamily> families_;
};

void CollectProcess(MetricsSink& sink) {
  timespec cpu{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  sink.Counter("process_cpu_seconds_total", "CPU time of the process.",
               static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9);
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0, resident_pages = 0;
  if (statm >> total_pages >> resident_pages) {
    sink.Gauge("process_resident_memory_bytes", "Memory of the process in RAM.",
               resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
}

constexpr double kAlarmingDriftPpm = 50'000;  // rates may differ by 11 % (raft::kRhoPercent)

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void CollectLeases(const raft::Status& raft, MetricsSink& sink) {
  sink.Gauge("quorate_lease_left_seconds", "Until this replica's own read lease ends; 0: it has none.",
             Seconds(raft.lease_left));
  sink.Gauge("quorate_lease_holder", "1 if this replica holds a read lease.",
             raft.lease_left > Duration(0) ? 1 : 0);
  for (const raft::PeerStatus& peer : raft.peers) {
    const MetricsSink::Labels labels = {{"peer", std::to_string(peer.id.value)}};
    const auto gauge = [&](const char* name, const char* help, double value) {
      sink.Gauge(name, help, value, labels);
    };
    gauge("quorate_raft_peer_match_index", "Newest log index known to be on the peer (leader only).",
          static_cast<double>(peer.match.value));
    gauge("quorate_lease_peer_holder", "1 if the peer is being given read leases (leader only).",
          peer.lease == raft::LeaseState::kHolder ? 1 : 0);
    gauge("quorate_lease_peer_left_seconds", "Until the peer's read lease is surely over (leader only).",
          Seconds(peer.lease_left));
    const auto drift = static_cast<double>(peer.drift_ppm);
    gauge("quorate_lease_peer_drift_ratio", "Rate of the peer's clock against the leader's, less 1.",
          drift / 1e6);
    gauge("quorate_lease_peer_drift_alarm", "1 if the peer's clock is off by more than 5 % (leader only).",
          std::abs(drift) > kAlarmingDriftPpm ? 1 : 0);
  }
}

void CollectMembers(const raft::Status& raft, MetricsSink& sink) {
  const raft::Configuration& c = raft.configuration;
  sink.Gauge("quorate_group_feature_level", "What every member of the group can do.",
             static_cast<double>(c.feature_level));
  sink.Gauge("quorate_group_change_under_way", "1 while a change of the members is not complete.",
             IsChangeUnderWay(c) ? 1 : 0);
  const auto voters = static_cast<size_t>(std::ranges::count_if(c.members, &raft::Member::voter));
  const char* help = "Members by role.";
  sink.Gauge("quorate_group_members", help, static_cast<double>(voters), {{"role", "voter"}});
  sink.Gauge("quorate_group_members", help, static_cast<double>(c.members.size() - voters),
             {{"role", "learner"}});
  for (const raft::PeerStatus& peer : raft.peers) {
    const MetricsSink::Labels labels = {{"peer", std::to_string(peer.id.value)}};
    const auto gauge = [&](const char* name, const char* text, bool value) {
      sink.Gauge(name, text, value ? 1 : 0, labels);
    };
    gauge("quorate_member_caught_up", "1 if the peer is a round behind at most (leader only).",
          peer.caught_up);
    gauge("quorate_member_answers", "1 if the peer answered within an election timeout (leader only).",
          peer.recent);
    gauge("quorate_member_disk_low", "1 if the peer says that its disk is nearly full (leader only).",
          peer.disk_low);
    const raft::Member* const member = [&] {
      const auto at = std::ranges::find(c.members, peer.id, &raft::Member::id);
      return at == c.members.end() ? nullptr : &*at;
    }();
    gauge("quorate_member_repairing", "1 while the peer's vote does not count: it lost its log.",
          member && member->repairing);
  }
}

void CollectSnapshots(const replica::GroupStatus& status, MetricsSink& sink) {
  const auto counter = [&](const char* name, const char* help, uint64_t value) {
    sink.Counter(name, help, static_cast<double>(value));
  };
  const replica::SnapshotsSent& sent = status.snapshots_sent;
  counter("quorate_snapshots_sent_total", "Snapshots that this replica sent and a member installed.",
          sent.installed);
  counter("quorate_snapshots_failed_total", "Snapshot transfers to members that ended without success.",
          sent.failed);
  counter("quorate_snapshots_set_aside_total", "Times that a transfer got no further and was set aside.",
          sent.set_aside);
  counter("quorate_snapshots_resumed_total", "Times that a transfer set aside was taken up again.",
          sent.resumed);
  counter("quorate_snapshot_sent_bytes_total", "Bytes of snapshots sent, with what was sent again.",
          sent.bytes);
  const replica::SnapshotsReceived& received = status.snapshots_received;
  counter("quorate_snapshots_installed_total", "Snapshots received that became this replica's state.",
          received.installed);
  counter("quorate_snapshots_refused_total", "Snapshots, or parts of one, that were refused as damaged.",
          received.refused);
  counter("quorate_snapshot_received_bytes_total", "Bytes of snapshots received and written.",
          received.bytes);
}

void CollectRaft(const HttpBackend& backend, MetricsSink& sink) {
  const replica::GroupStatus status = backend.client->Status();
  const raft::Status& raft = status.raft;
  const auto gauge = [&](const char* name, const char* help, uint64_t value) {
    sink.Gauge(name, help, static_cast<double>(value));
  };
  sink.Gauge("quorate_info", "What this replica is.", 1,
             {{"version", backend.version},
              {"group", backend.group},
              {"region", backend.region},
              {"replica", std::to_string(raft.self.value)}});
  for (const raft::Role role :
       {raft::Role::kFollower, raft::Role::kPreCandidate, raft::Role::kCandidate, raft::Role::kLeader}) {
    sink.Gauge("quorate_raft_role", "1 for the role that this replica has.", role == raft.role ? 1 : 0,
               {{"role", RoleName(role)}});
  }
  gauge("quorate_raft_term", "Current Raft term.", raft.hard_state.current_term.value);
  gauge("quorate_raft_leader", "Id of the leader known here; 0: none.", raft.leader.value);
  gauge("quorate_raft_commit_index", "Newest log index known to be committed.", raft.commit.value);
  gauge("quorate_raft_applied_index", "Newest log index applied here.", raft.applied.value);
  gauge("quorate_raft_durable_index", "Newest log index on this replica's disk.", raft.durable.value);
  gauge("quorate_raft_log_entries", "Entries in this replica's log.", raft.last.value + 1 - raft.first.value);
  gauge("quorate_can_read",
        "1 if it holds a read lease, or a linearizable read succeeded within the last second.",
        status.can_read);
  sink.Counter("quorate_read_rounds_total", "ReadIndex rounds that this replica asked for.",
               static_cast<double>(status.read_rounds));
  CollectLeases(raft, sink);
  CollectMembers(raft, sink);
  CollectSnapshots(status, sink);
}

void CollectDoor(const Context& context, const Listener::Counters& door, MetricsSink& sink) {
  const auto counter = [&](const char* name, const char* help, uint64_t value,
                           const MetricsSink::Labels& labels = {}) {
    sink.Counter(name, help, static_cast<double>(value), labels);
  };
  counter("quorate_http_requests_total", "Requests whose header was read.", door.requests);
  counter("quorate_http_connections_total", "Connections accepted.", door.connections);
  counter("quorate_http_connections_refused_total", "Connections closed because there were too many.",
          door.refused_connections);
  sink.Gauge("quorate_http_connections", "Connections open.", static_cast<double>(door.open_connections));
  const char* help = "Writes through the HTTP door by outcome.";
  const auto writes = [&](const char* outcome, const std::atomic<uint64_t>& count) {
    counter("quorate_http_writes_total", help, count.load(std::memory_order_relaxed), {{"outcome", outcome}});
  };
  writes("applied", context.writes_applied);
  writes("refused", context.writes_refused);
  writes("not_proposed", context.writes_not_proposed);
  writes("unknown", context.writes_unknown);
}

}  // namespace

void AddMetricsRoute(const ContextPtr& context, std::function<Listener::Counters()> door, Router& router) {
  router.Add(
      {"GET", "/metrics", [context, door = std::move(door)](const HttpRequest&, const Respond& respond) {
         FamilySink sink;
         CollectProcess(sink);
         CollectRaft(context->backend, sink);
         CollectDoor(*context, door(), sink);
         for (const MetricsCollector& collect : context->backend.collectors) collect(sink);
         respond({.body = sink.Text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"});
       }});
}

}  // namespace quorate::api
