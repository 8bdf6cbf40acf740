#include "app/serve_config.h"

#include <arpa/inet.h>

#include <toml++/toml.h>
#include <functional>
#include <map>

#include <fmt/format.h>

#include <charconv>

#include "app/dns_config.h"
#include "base/status_macros.h"

namespace quorate::app {
namespace {

constexpr int kDnsWorkersMax = 256;
constexpr uint64_t kSnapshotRateMin = 64 << 10;  // a chunk of 1 MiB then takes 16 s
constexpr uint64_t kLogEntriesMin = 16;

// How one key is put into the options: false when the value has the wrong type.
struct Key {
  const char* expects;
  std::function<bool(ServeOptions&, const toml::node&)> set;
};

Key Text(std::string ServeOptions::*field) {
  return {"a string", [field](ServeOptions& o, const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (value && (o.*field).empty()) o.*field = *value;
            return value.has_value();
          }};
}

Key Texts(std::vector<std::string> ServeOptions::*field) {
  return {"an array of strings", [field](ServeOptions& o, const toml::node& node) {
            const toml::array* array = node.as_array();
            if (!array) return false;
            std::vector<std::string> values;
            for (const toml::node& element : *array) {
              const auto value = element.value_exact<std::string>();
              if (!value) return false;
              values.push_back(*value);
            }
            if ((o.*field).empty()) o.*field = std::move(values);
            return true;
          }};
}

template <class T>
Key Number(T ServeOptions::*field) {
  return {"a positive number", [field](ServeOptions& o, const toml::node& node) {
            const auto value = node.value_exact<int64_t>();
            if (!value || *value <= 0 || *value > 1'000'000'000) return false;
            if (o.*field == ServeOptions().*field) o.*field = static_cast<T>(*value);
            return true;
          }};
}

template <class T>
Key Count(T ServeOptions::*field) {
  return {"a number, 0 or more", [field](ServeOptions& o, const toml::node& node) {
            const auto value = node.value_exact<int64_t>();
            if (!value || *value < 0 || *value > 1'000'000'000) return false;
            if (o.*field == ServeOptions().*field) o.*field = static_cast<T>(*value);
            return true;
          }};
}

Key Flag(bool ServeOptions::*field) {
  return {"true or false", [field](ServeOptions& o, const toml::node& node) {
            const auto value = node.value_exact<bool>();
            if (value) o.*field |= *value;
            return value.has_value();
          }};
}

// Of a switch that is on by default.
Key OnUnlessOff(bool ServeOptions::*field) {
  return {"true or false", [field](ServeOptions& o, const toml::node& node) {
            const auto value = node.value_exact<bool>();
            if (value) o.*field &= *value;
            return value.has_value();
          }};
}

// "lan" is also the default: a flag that says so cannot be told from none.
Key Preset(std::string ServeOptions::*field) {
  return {"\"lan\" or \"wan\"", [field](ServeOptions& o, const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (!value || (*value != "lan" && *value != "wan")) return false;
            if (o.*field == ServeOptions().*field) o.*field = *value;
            return true;
          }};
}

const std::map<std::string, Key>& Keys() {
  static const std::map<std::string, Key> keys = {
      {"data", Text(&ServeOptions::data_dir)},
      {"listen.dns", Texts(&ServeOptions::listen_dns)},
      {"listen.dot", Texts(&ServeOptions::listen_dot)},
      {"listen.http", Text(&ServeOptions::listen_http)},
      {"listen.etcd", Text(&ServeOptions::listen_etcd)},
      {"listen.peer", Text(&ServeOptions::listen_peer)},
      {"listen.advertise_peer", Text(&ServeOptions::advertise_peer)},
      {"dns.workers", Number(&ServeOptions::dns_workers)},
      {"dns.hold_ms", Number(&ServeOptions::hold_ms)},
      {"dns.chaos_version", Flag(&ServeOptions::chaos_version)},
      {"dns.udp_size_max", Number(&ServeOptions::udp_size_max)},
      {"dns.nsid", Text(&ServeOptions::nsid)},
      {"dns.require_cookies", Flag(&ServeOptions::require_cookies)},
      {"dns.tcp_idle", Number(&ServeOptions::tcp_idle_s)},
      {"dns.tcp_per_client", Number(&ServeOptions::tcp_per_client)},
      {"dns.rrl_rate", Count(&ServeOptions::rrl_rate)},
      {"dns.rrl_slip", Count(&ServeOptions::rrl_slip)},
      {"dns.rrl_exempt", Texts(&ServeOptions::rrl_exempt)},
      {"dot.cert", Text(&ServeOptions::dot_cert)},
      {"dot.key", Text(&ServeOptions::dot_key)},
      {"oracle.url", Text(&ServeOptions::oracle_url)},
      {"oracle.region", Text(&ServeOptions::region)},
      {"oracle.inst_id", Text(&ServeOptions::inst_id)},
      {"group.id", Number(&ServeOptions::group_id)},
      {"group.name", Text(&ServeOptions::group_name)},
      {"group.replica_id", Number(&ServeOptions::replica_id)},
      {"group.members", Texts(&ServeOptions::members)},
      {"group.zones", Texts(&ServeOptions::zones)},
      {"group.join", Texts(&ServeOptions::join)},
      {"group.as_learner", Flag(&ServeOptions::as_learner)},
      {"group.replaces", Number(&ServeOptions::replaces)},
      {"raft.preset", Preset(&ServeOptions::preset)},
      {"raft.leases", OnUnlessOff(&ServeOptions::leases)},
      {"raft.heartbeat_ms", Number(&ServeOptions::heartbeat_ms)},
      {"raft.election_ms", Number(&ServeOptions::election_ms)},
      {"storage.wal_segment_mib", Number(&ServeOptions::wal_segment_mib)},
      {"storage.log_entries", Number(&ServeOptions::log_entries)},
      {"snapshot.rate", Number(&ServeOptions::snapshot_rate)},
      {"storage.disk_reserve_mib", Number(&ServeOptions::disk_reserve_mib)},
      {"storage.disk_low_mib", Number(&ServeOptions::disk_low_mib)},
      {"storage.repair", OnUnlessOff(&ServeOptions::repair)},
      {"tls.cert", Text(&ServeOptions::tls_cert)},
      {"tls.key", Text(&ServeOptions::tls_key)},
      {"tls.ca", Text(&ServeOptions::tls_ca)},
      {"api.token_file", Text(&ServeOptions::api_token_file)},
  };
  return keys;
}

std::string KnownKeys() {
  std::string all;
  for (const auto& [name, key] : Keys()) all += (all.empty() ? "" : ", ") + name;
  return all;
}

bool ParsePort(std::string_view text, uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

absl::Status Place(const std::string& file, const toml::node& node, const std::string& what) {
  return absl::InvalidArgumentError(fmt::format("{}:{}: {}", file, node.source().begin.line, what));
}

absl::Status LoadTable(const std::string& file, const std::string& prefix, const toml::table& table,
                       ServeOptions& options) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto known = Keys().find(key);
    if (known != Keys().end()) {
      if (!known->second.set(options, node)) {
        return Place(file, node, fmt::format("`{}` must be {}", key, known->second.expects));
      }
    } else if (node.is_table()) {
      RETURN_IF_ERROR(LoadTable(file, key + ".", *node.as_table(), options));
    } else {
      return Place(file, node, fmt::format("unknown key `{}`; known are: {}", key, KnownKeys()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckListener(const char* what, const std::string& address, const ServeOptions& options) {
  std::string host;
  uint16_t port = 0;
  if (absl::Status s = SplitAddress(address, host, port); !s.ok()) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", what, MessageOf(s)));
  }
  if (!IsLoopback(host) && options.tls_cert.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} is not a loopback address, so it needs TLS: give tls.cert, tls.key and tls.ca in the "
        "configuration file, or listen on 127.0.0.1 or [::1]",
        what, address));
  }
  return absl::OkStatus();
}

// None of the three is for a data directory that has its place already (place.h).
absl::Status CheckFormation(const ServeOptions& o) {
  const bool by_oracle = !o.oracle_url.empty(), by_hand = o.replica_id != 0, by_joining = !o.join.empty();
  if (by_oracle + by_hand + by_joining > 1) {
    return absl::InvalidArgumentError(
        "a replica is formed by an Oracle (--oracle, --region, --inst-id), by hand (--group-id, "
        "--replica-id, --members), or joins a group (--join URL): give one of the three");
  }
  if (by_oracle && (o.region.empty() || o.inst_id.empty())) {
    return absl::InvalidArgumentError("--oracle needs --region and --inst-id");
  }
  if (by_hand && (o.group_id == 0 || o.members.empty())) {
    return absl::InvalidArgumentError("--replica-id needs --group-id and --members 1=ip:port,2=ip:port,...");
  }
  if (by_joining && o.feature_level < 2) {
    return absl::InvalidArgumentError("--join needs --feature-level 2");
  }
  if (o.as_learner && o.replaces != 0) {
    return absl::InvalidArgumentError("a learner replaces nobody: leave out --as-learner or --replaces");
  }
  for (const std::string& url : o.join) {
    if (url.starts_with("http://") || url.starts_with("https://")) continue;
    return absl::InvalidArgumentError(fmt::format("--join: `{}` is no http:// or https:// URL", url));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadConfigFile(ServeOptions& options) {
  if (options.config_file.empty()) return absl::OkStatus();
  try {  // toml++ throws on syntax errors; nothing else here does
    const toml::table table = toml::parse_file(options.config_file);
    return LoadTable(options.config_file, "", table, options);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        fmt::format("{}:{}: {}", options.config_file, error.source().begin.line, error.description()));
  }
}

absl::Status Validate(const ServeOptions& o) {
  if (o.data_dir.empty()) return absl::InvalidArgumentError("no data directory: give --data DIR");
  if (o.listen_peer.empty())
    return absl::InvalidArgumentError("no address for the other members: give --listen-peer");
  if (o.listen_dns.empty() && o.listen_dot.empty() && o.listen_http.empty() && o.listen_etcd.empty()) {
    return absl::InvalidArgumentError(
        "nothing to serve: give --listen-dns, --listen-dot, --listen-http or --listen-etcd");
  }
  RETURN_IF_ERROR(ValidateDns(o));
  RETURN_IF_ERROR(CheckListener("--listen-peer", o.listen_peer, o));
  if (!o.listen_http.empty()) RETURN_IF_ERROR(CheckListener("--listen-http", o.listen_http, o));
  if (!o.listen_etcd.empty()) RETURN_IF_ERROR(CheckListener("--listen-etcd", o.listen_etcd, o));
  const int tls_files = !o.tls_cert.empty() + !o.tls_key.empty() + !o.tls_ca.empty();
  if (tls_files != 0 && tls_files != 3) {
    return absl::InvalidArgumentError("TLS needs all three of tls.cert, tls.key and tls.ca");
  }
  if (o.dns_workers < 1 || o.dns_workers > kDnsWorkersMax) {
    return absl::InvalidArgumentError(fmt::format("--dns-workers must be between 1 and {}", kDnsWorkersMax));
  }
  if (o.snapshot_rate != 0 && o.snapshot_rate < kSnapshotRateMin) {
    return absl::InvalidArgumentError(
        fmt::format("--snapshot-rate must be at least {} bytes per second", kSnapshotRateMin));
  }
  if (o.log_entries != 0 && o.log_entries < kLogEntriesMin) {
    return absl::InvalidArgumentError(fmt::format("--log-entries must be at least {}", kLogEntriesMin));
  }
  if (o.preset != "lan" && o.preset != "wan") {
    return absl::InvalidArgumentError("--preset must be lan or wan");
  }
  const raft::Timing timing = BootstrapTiming(o);
  if (timing.election_min < 3 * timing.heartbeat) {
    return absl::InvalidArgumentError("raft.election_ms must be at least three times raft.heartbeat_ms");
  }
  if (const std::string why = raft::WhyUnsound(timing); !why.empty()) {
    return absl::InvalidArgumentError("raft.heartbeat_ms, raft.election_ms, dns.hold_ms: " + why);
  }
  if (o.feature_level < 1 || o.feature_level > raft::kFeatureLevel) {
    return absl::InvalidArgumentError(
        fmt::format("--feature-level must be between 1 and {}", raft::kFeatureLevel));
  }
  return CheckFormation(o);
}

// Other election timeouts than the preset's stretch the lease with them: followers are to answer through an
// election.
raft::Timing BootstrapTiming(const ServeOptions& options) {
  raft::Timing timing = options.preset == "wan" ? raft::WanTiming() : raft::LanTiming();
  if (options.heartbeat_ms > 0) timing.heartbeat = std::chrono::milliseconds(options.heartbeat_ms);
  if (options.election_ms > 0) {
    timing.election_min = std::chrono::milliseconds(options.election_ms);
    timing.election_max = 2 * timing.election_min;
    timing.lease = timing.lease_wanted = 4 * timing.election_min;
    timing.lease_wait = raft::LeaseWaitFor(timing.lease);
  }
  if (options.hold_ms > 0) timing.hold = std::chrono::milliseconds(options.hold_ms);
  return timing;
}

absl::Status SplitAddress(const std::string& address, std::string& host, uint16_t& port) {
  const size_t colon = address.rfind(':');
  uint16_t number = 0;
  if (colon == std::string::npos || !ParsePort(address.substr(colon + 1), number)) {
    return absl::InvalidArgumentError(fmt::format("`{}` is not ip:port or [ip6]:port", address));
  }
  host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) != 1 && inet_pton(AF_INET6, host.c_str(), &v6) != 1) {
    return absl::InvalidArgumentError(fmt::format("`{}` is not a numeric IPv4 or IPv6 address", host));
  }
  port = number;
  return absl::OkStatus();
}

bool IsLoopback(const std::string& host) { return host.starts_with("127.") || host == "::1"; }

}  // namespace quorate::app
