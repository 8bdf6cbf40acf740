#include "app/dns_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/status_macros.h"

namespace quorate::app {
namespace {

using testing::HasSubstr;

ServeOptions Valid() {
  ServeOptions o;
  o.listen_dns = {"127.0.0.1:5300"};
  return o;
}

TEST(DnsConfig, WhatIsWrongIsNamedByItsFlag) {
  const std::vector<std::pair<const char*, std::function<void(ServeOptions&)>>> cases = {
      {"--listen-dns", [](ServeOptions& o) { o.listen_dns = {"localhost:53"}; }},
      {"--listen-dot", [](ServeOptions& o) { o.listen_dot = {"127.0.0.1"}; }},
      {"--dot-cert FILE", [](ServeOptions& o) { o.listen_dot = {"127.0.0.1:853"}; }},
      {"--dot-key", [](ServeOptions& o) { o.dot_cert = "cert.pem"; }},
      {"--udp-size-max", [](ServeOptions& o) { o.udp_size_max = 511; }},
      {"--udp-size-max", [](ServeOptions& o) { o.udp_size_max = 4097; }},
      {"--nsid", [](ServeOptions& o) { o.nsid = std::string(serve::kNsidBytesMax + 1, 'x'); }},
      {"--tcp-idle", [](ServeOptions& o) { o.tcp_idle_s = 0; }},
      {"--tcp-per-client", [](ServeOptions& o) { o.tcp_per_client = 0; }},
      {"--rrl-rate", [](ServeOptions& o) { o.rrl_rate = 1000001; }},
      {"--rrl-slip", [](ServeOptions& o) { o.rrl_slip = 101; }},
      {"--rrl-exempt", [](ServeOptions& o) { o.rrl_exempt = {"192.0.2.0/33"}; }}};
  EXPECT_TRUE(ValidateDns(Valid()).ok());
  for (const auto& [flag, spoil] : cases) {
    ServeOptions o = Valid();
    spoil(o);
    EXPECT_THAT(MessageOf(ValidateDns(o)), HasSubstr(flag));
  }
}

TEST(DnsConfig, DnsOverTlsTakesTheProcesssCertificateWhereItHasNone) {
  ServeOptions o = Valid();
  o.listen_dot = {"[::1]:853"};
  o.tls_cert = o.tls_key = o.tls_ca = "x.pem";
  EXPECT_TRUE(ValidateDns(o).ok());
}

TEST(DnsConfig, TheFileSaysTheSameAsTheFlags) {
  const auto path = std::filesystem::path(testing::TempDir()) / "dns_config_test.toml";
  std::ofstream(path) << "[listen]\ndot = ['127.0.0.1:853']\n[dot]\ncert = 'c'\nkey = 'k'\n[dns]\n"
                         "udp_size_max = 1400\nnsid = 'ns1'\nrequire_cookies = true\ntcp_idle = 5\n"
                         "tcp_per_client = 7\nrrl_rate = 200\nrrl_slip = 0\nrrl_exempt = ['192.0.2.0/24']\n";
  ServeOptions o;
  o.config_file = path;
  ASSERT_TRUE(LoadConfigFile(o).ok());
  std::filesystem::remove(path);
  ASSERT_TRUE(ValidateDns(o).ok());
  EXPECT_EQ(o.listen_dot, std::vector<std::string>{"127.0.0.1:853"});
  EXPECT_EQ(o.dot_cert + o.dot_key, "ck");
  const serve::ServerOptions server = DnsServerOptions(o);
  EXPECT_EQ(server.respond.udp_size_max, 1400);
  EXPECT_EQ(server.respond.nsid, "ns1");
  EXPECT_TRUE(server.respond.require_cookies);
  EXPECT_EQ(server.tcp_idle, std::chrono::seconds(5));
  EXPECT_EQ(server.tcp_per_client, 7u);
  EXPECT_EQ(server.rate_limits.per_second, 200u);
  EXPECT_EQ(server.rate_limits.slip, 0u);
  ASSERT_EQ(server.rate_limits.exempt.size(), 1u);
  EXPECT_TRUE(server.rate_limits.exempt[0].Contains(*zone::AddressFromText("192.0.2.1")));
}

TEST(DnsConfig, WithoutFlagsThereIsNoRateLimitAndLoopbackIsExempt) {
  const serve::ServerOptions server = DnsServerOptions(Valid());
  EXPECT_EQ(server.rate_limits.per_second, 0u);
  EXPECT_EQ(server.rate_limits.exempt.size(), 2u);
  EXPECT_EQ(server.respond.udp_size_max, 1232);
  EXPECT_TRUE(server.respond.nsid.empty());
}

}  // namespace
}  // namespace quorate::app
