// What `quorate serve` is told: flags over a TOML file over defaults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "raft/types.h"

namespace quorate::app {

struct ServeOptions {
  std::string config_file;
  std::string data_dir;                 // created if missing; its lock is held while running
  std::vector<std::string> listen_dns;  // ip:port or [ip6]:port; UDP and TCP on each
  std::vector<std::string> listen_dot;  // the same, for DNS over TLS (RFC 7858)
  std::string listen_http;              // empty: no such door
  std::string listen_etcd;
  std::string listen_peer;  // also what the other members are told, unless advertise_peer is set
  std::string advertise_peer;
  int dns_workers = 1;  // one per core that shall answer DNS

  // Formed by an Oracle:
  std::string oracle_url, region, inst_id;
  // or told all of it:
  uint64_t group_id = 0;
  std::string group_name;
  uint64_t replica_id = 0;
  // All of them, this one included: "1=127.0.0.1:2380"; without a vote "4=127.0.0.1:2380/learner"; added to
  // the group after it was formed "4=127.0.0.1:2380/joined".
  std::vector<std::string> members;
  std::vector<std::string> zones;  // made with a minimal content when the group is first formed

  // or added to a group that runs, by the HTTP door of one of its members; once that is done, told nothing:
  std::vector<std::string> join;  // URLs
  bool as_learner = false;        // without a vote
  uint64_t replaces = 0;          // in the place of this member

  // What this program may do, at most: below raft::kFeatureLevel it behaves like an older one.
  uint64_t feature_level = raft::kFeatureLevel;

  // The times of a new group; afterwards the replicated configuration has them (`quorate group set`).
  std::string preset = "lan";  // or "wan"
  int heartbeat_ms = 0;        // 0: as the preset says
  int election_ms = 0;         // election timeouts are random in [election_ms, 2 * election_ms)
  bool leases = true;          // read leases from the first formation on
  int hold_ms = 0;             // a DNS query waits at most so long, then SERVFAIL; 0: as the preset says
  uint64_t wal_segment_mib = 16;
  uint64_t log_entries = 0;    // a longer log is cut to half of it; 0: limits.h
  uint64_t snapshot_rate = 0;  // bytes per second of all that is sent to members; 0: limits.h
  // Of the data directory's disk. Kept back for when it is full; 0: nothing.
  uint64_t disk_reserve_mib = 32;
  // With less than that free, writes that need room are refused; 0: never.
  uint64_t disk_low_mib = 64;
  bool repair = true;  // a damaged log or state is given up and fetched from the leader

  std::string tls_cert, tls_key, tls_ca;  // PEM files; needed for any address that is not loopback
  std::string api_token_file;  // a line is a token; needed for an HTTP address that is not loopback
  bool chaos_version = false;  // answer version.bind and id.server (CH TXT)

  // Of the DNS data plane (dns_config.h).
  std::string dot_cert, dot_key;  // PEM files, read again when they change; empty: tls_cert and tls_key
  int udp_size_max = 1232;        // of UDP responses, octets
  std::string nsid;               // for who asks (RFC 5001); empty: none, as with NSD
  bool require_cookies = false;   // UDP: BADCOOKIE for cookies that are not valid (RFC 7873 5.2.3)
  int tcp_idle_s = 10;            // TCP and TLS
  int tcp_per_client = 128;       // connections of one address
  uint32_t rrl_rate = 0;  // UDP responses per second of one kind to one network; 0: no limit, as before a
                          // balancer all clients have its address
  uint32_t rrl_slip = 2;  // of those over it each so many-th is sent truncated; 0: none
  std::vector<std::string> rrl_exempt;  // networks; none given: loopback
};

// Reads options.config_file, if given, into whatever the flags left at its default. An unknown key, a wrong
// type or a bad value gives an error with file, line and key.
absl::Status LoadConfigFile(ServeOptions& options);

// Everything that can be wrong without touching the disk or the network.
absl::Status Validate(const ServeOptions& options);

// The times that a group formed with these options begins with. They are sound if Validate() says so.
raft::Timing BootstrapTiming(const ServeOptions& options);

// "ip:port" or "[ip6]:port", numeric. Sets `host` without brackets.
absl::Status SplitAddress(const std::string& address, std::string& host, uint16_t& port);
bool IsLoopback(const std::string& host);

}  // namespace quorate::app
