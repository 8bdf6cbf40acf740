#include "app/serve.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "cli/commands.h"

namespace quorate::cli {
namespace {

void AddPlaceFlags(CLI::App& command, app::ServeOptions& o) {
  command.add_option("--oracle", o.oracle_url, "URL of the Oracle that gives this replica its place");
  command.add_option("--region", o.region, "Region of this replica, as the Oracle knows it");
  command.add_option("--inst-id", o.inst_id, "Name of this instance, as the Oracle knows it");
  command.add_option("--group-id", o.group_id, "Without an Oracle: number of the group, from 1");
  command.add_option("--group", o.group_name, "Without an Oracle: name of the group");
  command.add_option("--replica-id", o.replica_id, "Without an Oracle: number of this member, from 1");
  command
      .add_option("--members", o.members,
                  "Without an Oracle: 1=ip:port,2=ip:port,... of all members; 4=ip:port/learner has no vote, "
                  "4=ip:port/joined was added later")
      ->delimiter(',');
  command.add_option("--zones", o.zones, "Zones made with a minimal content when the group is first formed")
      ->delimiter(',');
}

void AddJoinFlags(CLI::App& command, app::ServeOptions& o) {
  command
      .add_option("--join", o.join,
                  "URL of the HTTP door of a running group, or several: the leader adds this replica to it. "
                  "Later starts on the same data directory need no --join")
      ->delimiter(',');
  command.add_flag("--as-learner", o.as_learner, "With --join: without a vote");
  command.add_option("--replaces", o.replaces,
                     "With --join: number of the member that leaves when this one gets its vote");
  command.add_option("--feature-level", o.feature_level,
                     "For tests of rolling upgrades: behave like a program of this level; 1: as before "
                     "there were membership changes");
}

void AddDnsFlags(CLI::App& command, app::ServeOptions& o) {
  command
      .add_option("--listen-dot", o.listen_dot,
                  "ip:port or [ip6]:port for DNS over TLS, as IP:853; repeatable")
      ->take_all();
  command.add_option("--dot-cert", o.dot_cert,
                     "PEM file: the certificate for DNS over TLS, with its chain; read again when it changes "
                     "(default: tls.cert of the configuration file)");
  command.add_option("--dot-key", o.dot_key, "PEM file: its key (default: tls.key)");
  command.add_option("--udp-size-max", o.udp_size_max, "Octets of a UDP response at most, 512 to 4096");
  command.add_option("--nsid", o.nsid, "Name of this server for who asks for it (RFC 5001); default: none");
  command.add_flag("--require-cookies", o.require_cookies,
                   "UDP requests with a cookie that is not valid get BADCOOKIE and a new one, not an answer");
  command.add_option("--tcp-idle", o.tcp_idle_s,
                     "Seconds after which a TCP or TLS connection without a query is closed");
  command.add_option("--tcp-per-client", o.tcp_per_client,
                     "TCP or TLS connections of one address; over it its longest idle one is closed");
  command.add_option("--rrl-rate", o.rrl_rate,
                     "UDP responses of one kind to one network (/24, /56) per second and worker; 0: no limit "
                     "(default: behind a balancer all clients have its address). 200 is a good one");
  command.add_option("--rrl-slip", o.rrl_slip,
                     "Every so many-th response over --rrl-rate is sent truncated; 0: none");
  command
      .add_option("--rrl-exempt", o.rrl_exempt, "Networks without --rrl-rate (default: loopback); repeatable")
      ->delimiter(',');
}

}  // namespace

void RegisterServe(CLI::App& app, ExitCode& exit) {
  CLI::App* command = app.add_subcommand("serve", "Run one replica of one nameserver group");
  auto options = std::make_shared<app::ServeOptions>();
  command->add_option("--config", options->config_file, "TOML file; flags override it");
  command->add_option("--data", options->data_dir, "Data directory, made if missing");
  command
      ->add_option("--listen-dns", options->listen_dns, "ip:port or [ip6]:port for UDP and TCP; repeatable")
      ->take_all();
  command->add_option("--listen-http", options->listen_http,
                      "ip:port of the HTTP door (API, health, metrics)");
  command->add_option("--listen-etcd", options->listen_etcd, "ip:port of the etcd door (gRPC)");
  command->add_option("--listen-peer", options->listen_peer, "ip:port for the other members of the group");
  command->add_option("--dns-workers", options->dns_workers, "Threads that answer DNS");
  command
      ->add_option("--snapshot-rate", options->snapshot_rate,
                   "Bytes per second at which this replica sends snapshots to members that fell behind, as "
                   "512KiB (default: 32MiB)")
      ->transform(CLI::AsSizeValue(false));
  command->add_option("--log-entries", options->log_entries,
                      "A log of more entries is cut to half of it (default: 20000)");
  AddDnsFlags(*command, *options);
  AddPlaceFlags(*command, *options);
  AddJoinFlags(*command, *options);
  command
      ->add_option(
          "--preset", options->preset,
          "Times of a new group: lan, or wan for members in several regions; later `quorate group set`")
      ->check(CLI::IsMember({"lan", "wan"}));
  command->add_flag_callback(
      "--no-leases", [options] { options->leases = false; },
      "A new group begins without read leases; later `quorate group set leases=on`");
  command->add_option("--disk-reserve", options->disk_reserve_mib,
                      "MiB kept back on the data directory's disk for when it is full; 0: none");
  command->add_option("--disk-low", options->disk_low_mib,
                      "With less MiB free, writes that need room are refused; 0: never");
  command->add_flag_callback(
      "--no-repair", [options] { options->repair = false; },
      "With a damaged log or state: end, instead of getting everything from the leader");
  command->footer(
      "Examples:\n"
      "  quorate serve --data d1 --listen-dns 127.0.0.1:5301 --listen-http 127.0.0.1:8101 \\\n"
      "    --listen-peer 127.0.0.1:7101 --oracle http://127.0.0.1:8000 --region eu --inst-id i-1\n"
      "  quorate serve --config /etc/quorate/replica.toml\n"
      "  quorate serve --data d4 --listen-dns 127.0.0.4:5301 --listen-http 127.0.0.4:8101 \\\n"
      "    --listen-peer 127.0.0.4:7101 --join http://127.0.0.1:8101,http://127.0.0.2:8101\n"
      "  quorate serve --config replica.toml --listen-dot 192.0.2.1:853 --dot-cert ns1.pem --dot-key "
      "ns1.key\n"
      "A data directory that was lost or emptied is another member: its group turns it away (`quorate "
      "member\n"
      "replace`).\n"
      "Exit codes beside those of every command: 80 a write to the disk failed; 81 a sync failed; 82 a read\n"
      "failed; 83 the disk is full; 84 the data is damaged; 85 turned away by the group.");
  command->callback([options, &exit] {
    const absl::Status status = app::RunServe(*options);
    if (status.ok()) return;
    fmt::print(stderr, "quorate serve: {}\n", MessageOf(status));
    exit = status.code() == absl::StatusCode::kInvalidArgument ? ExitCode::kUsage : ExitCode::kFailed;
    if (status.code() == absl::StatusCode::kPermissionDenied) exit = ExitCode::kTurnedAway;
    if (const auto fault = DiskFaultOf(status)) exit = static_cast<ExitCode>(ExitCodeOf(*fault));
  });
}

}  // namespace quorate::cli
