#include "app/dns_config.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "zone/address.h"

namespace quorate::app {
namespace {

constexpr int kUdpSizeLeast = 512, kUdpSizeMost = 4096;
constexpr int kTcpIdleMost = 3600;  // RFC 7828 could say twice that
constexpr uint32_t kRrlRateMost = 1000000, kRrlSlipMost = 100;

absl::Status Wrong(const std::string& what) { return absl::InvalidArgumentError(what); }

absl::Status CheckAddresses(const char* flag, const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    std::string host;
    uint16_t port = 0;
    if (absl::Status s = SplitAddress(address, host, port); !s.ok())
      return Wrong(fmt::format("{}: {}", flag, MessageOf(s)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateDns(const ServeOptions& o) {
  RETURN_IF_ERROR(CheckAddresses("--listen-dns", o.listen_dns));
  RETURN_IF_ERROR(CheckAddresses("--listen-dot", o.listen_dot));
  if (o.dot_cert.empty() != o.dot_key.empty())
    return Wrong(
        "DNS over TLS needs both of --dot-cert and --dot-key, or neither: then tls.cert and tls.key");
  if (!o.listen_dot.empty() && o.dot_cert.empty() && o.tls_cert.empty())
    return Wrong("--listen-dot needs a certificate: give --dot-cert FILE and --dot-key FILE");
  if (o.udp_size_max < kUdpSizeLeast || o.udp_size_max > kUdpSizeMost)
    return Wrong(fmt::format("--udp-size-max must be between {} and {}", kUdpSizeLeast, kUdpSizeMost));
  if (o.nsid.size() > serve::kNsidBytesMax)
    return Wrong(fmt::format("--nsid must be at most {} octets", serve::kNsidBytesMax));
  if (o.tcp_idle_s < 1 || o.tcp_idle_s > kTcpIdleMost)
    return Wrong(fmt::format("--tcp-idle must be between 1 and {} seconds", kTcpIdleMost));
  if (o.tcp_per_client < 1 || o.tcp_per_client > static_cast<int>(limits::kTcpConnectionsMax))
    return Wrong(fmt::format("--tcp-per-client must be between 1 and {}", limits::kTcpConnectionsMax));
  if (o.rrl_rate > kRrlRateMost)
    return Wrong(fmt::format("--rrl-rate must be at most {} per second; 0: no limit", kRrlRateMost));
  if (o.rrl_slip > kRrlSlipMost)
    return Wrong(fmt::format("--rrl-slip must be at most {}; 0: nothing is sent truncated", kRrlSlipMost));
  for (const std::string& network : o.rrl_exempt) {
    if (zone::NetworkFromText(network)) continue;
    return Wrong(
        fmt::format("--rrl-exempt: `{}` is no network: write 192.0.2.0/24 or 2001:db8::/32", network));
  }
  return absl::OkStatus();
}

serve::ServerOptions DnsServerOptions(const ServeOptions& o) {
  serve::ServerOptions out;
  out.workers = o.dns_workers;
  out.hold_budget = BootstrapTiming(o).hold;
  out.tcp_idle = std::chrono::seconds(o.tcp_idle_s);
  out.tcp_per_client = static_cast<size_t>(o.tcp_per_client);
  out.respond.udp_size_max = static_cast<uint16_t>(o.udp_size_max);
  out.respond.chaos = o.chaos_version;
  out.respond.nsid = o.nsid;
  out.respond.require_cookies = o.require_cookies;
  out.rate_limits.per_second = o.rrl_rate;
  out.rate_limits.slip = o.rrl_slip;
  for (const char* loopback : {"127.0.0.0/8", "::1/128"})
    if (o.rrl_exempt.empty()) out.rate_limits.exempt.push_back(*zone::NetworkFromText(loopback));
  for (const std::string& network : o.rrl_exempt)
    out.rate_limits.exempt.push_back(*zone::NetworkFromText(network));
  return out;
}

absl::StatusOr<std::vector<serve::SocketAddress>> DnsAddresses(const std::vector<std::string>& texts) {
  std::vector<serve::SocketAddress> out;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const serve::SocketAddress address, serve::SocketAddress::FromText(text));
    ASSIGN_OR_RETURN(const std::vector<serve::SocketAddress> expanded, serve::ExpandWildcard(address));
    out.insert(out.end(), expanded.begin(), expanded.end());
  }
  return out;
}

}  // namespace quorate::app
