#include "cli/resolver.h"

#include <gtest/gtest.h>

#include <sstream>

#include "serve/tcp_server.h"
#include "serve/test_util.h"
#include "serve/udp_server.h"

namespace quorate::cli {
namespace {

using serve::ZonesFrom;

const std::string kSoa = " 60 SOA ns1 admin 1 1 1 1 60\n";

// Servers without a network: each address answers from its own zones, or not at all.
class Internet {
 public:
  void Serve(const std::string& address, const std::string& apex, const std::string& text) {
    servers_[address + ":53"] = ZonesFrom(apex, "@" + kSoa + text);
  }
  Exchange AsExchange() {
    return [this](const serve::SocketAddress& server,
                  const wire::Message& query) -> Result<wire::Message, std::string> {
      asked.push_back(server.ToText());
      const auto found = servers_.find(server.ToText());
      if (found == servers_.end()) return std::string("no answer in time");
      std::vector<uint8_t> out(65535);
      const auto bytes = wire::EncodeMessage(query);
      const size_t size =
          serve::Respond(wire::AsBytes(*bytes), *found->second, serve::Transport::kTcp, {}, out);
      auto parsed = wire::ParseMessage(wire::Bytes(out).first(size));
      if (!parsed.ok()) return std::string("unreadable");
      return *std::move(parsed);
    };
  }

  std::vector<std::string> asked;

 private:
  std::map<std::string, std::shared_ptr<const zone::ZoneSet>> servers_;
};

struct ResolverTest : testing::Test {
  ResolverTest() {
    net.Serve(
        "10.0.0.1", ".",
        "@ NS a.root.\na.root. A 10.0.0.1\norg. NS ns1.org.\nns1.org. A 10.0.1.1\nns1.org. AAAA fd00::1\n"
        "net. NS ns1.net.\nnet. NS dead.net.\nns1.net. A 10.0.3.1\ndead.net. A 10.0.3.9\n"
        "circle1. NS ns.circle2.\ncircle2. NS ns.circle1.\nself. NS ns.self.\n");
    net.Serve("10.0.1.1", "org.",
              "@ NS ns1\nns1 A 10.0.1.1\nexample NS ns.example\nns.example A 10.0.2.1\n"
              "glueless NS ns.hosting.net.\nlame NS ns.lame\nns.lame A 10.0.3.1\n");
    net.Serve("10.0.2.1", "example.org.",
              "@ NS ns\nns A 10.0.2.1\nwww 60 A 192.0.2.7\nwww 60 A 192.0.2.8\nalias CNAME www\n"
              "far CNAME host.hosting.net.\nfar-nothing CNAME nothing.hosting.net.\nloop1 CNAME loop2\nloop2 "
              "CNAME loop1\n"
              "v6 AAAA 2001:db8::7\nent.below TXT x\n");
    net.Serve("10.0.3.1", "net.", "@ NS ns1\nns1 A 10.0.3.1\nhosting NS ns.hosting\nns.hosting A 10.0.4.1\n");
    net.Serve("10.0.4.1", "hosting.net.", "@ NS ns\nns A 10.0.4.1\nhost A 192.0.2.99\n");
  }
  ResolveResult Look(const std::string& name, dns::RRType type = dns::RRType::kA) {
    ResolveOptions options{
        .name = *dns::Name::FromText(name), .type = type, .roots = {*ParseServer("10.0.0.1")}};
    return IterativeResolver(options, net.AsExchange(), &trace).Run();
  }
  static std::vector<std::string> Outcomes(const ResolveResult& result) {
    std::vector<std::string> out;
    for (const ResolveStep& s : result.steps) out.push_back(s.zone + " " + s.outcome);
    return out;
  }

  Internet net;
  std::ostringstream trace;
};

TEST_F(ResolverTest, WalksFromTheRootToTheAnswerAndTellsEachStep) {
  const ResolveResult result = Look("www.example.org.");
  EXPECT_EQ(result.outcome, ResolveOutcome::kAnswer);
  ASSERT_EQ(result.answer.size(), 2u);
  EXPECT_EQ(dns::RdataToText(result.answer[0].type, result.answer[0].rdata), "192.0.2.7");
  EXPECT_EQ(Outcomes(result),
            (std::vector<std::string>{". referral", "org. referral", "example.org. answer"}));
  EXPECT_EQ(net.asked, (std::vector<std::string>{"10.0.0.1:53", "10.0.1.1:53", "10.0.2.1:53"}));
  EXPECT_NE(trace.str().find("10.0.0.1:53 (zone .): www.example.org. A?"), std::string::npos) << trace.str();
  EXPECT_NE(trace.str().find("referral to example.org.: ns.example.org. 10.0.2.1:53"), std::string::npos)
      << trace.str();
  EXPECT_NE(trace.str().find("answer www.example.org. 60 IN A 192.0.2.7"), std::string::npos) << trace.str();
}

TEST_F(ResolverTest, NegativeAnswersAreToldApart) {
  EXPECT_EQ(Look("nothing.example.org.").outcome, ResolveOutcome::kNxDomain);
  EXPECT_EQ(Look("www.example.org.", dns::RRType::kMX).outcome, ResolveOutcome::kNoData);
  EXPECT_EQ(Look("below.example.org.").outcome, ResolveOutcome::kNoData);
  EXPECT_EQ(Look("nothing.").outcome, ResolveOutcome::kNxDomain);
}

TEST_F(ResolverTest, AliasesAreFollowedInsideAndOutsideOfTheZone) {
  const ResolveResult inside = Look("alias.example.org.");
  ASSERT_EQ(inside.answer.size(), 3u);
  EXPECT_EQ(inside.answer[0].type, dns::RRType::kCNAME);
  EXPECT_EQ(inside.steps.size(), 3u);
  const ResolveResult outside = Look("far.example.org.");
  ASSERT_EQ(outside.answer.size(), 2u);
  EXPECT_EQ(outside.answer[1].name.ToText(), "host.hosting.net.");
  EXPECT_EQ(outside.outcome, ResolveOutcome::kAnswer);
  const ResolveResult nowhere = Look("far-nothing.example.org.");
  EXPECT_EQ(nowhere.outcome, ResolveOutcome::kNxDomain);
  EXPECT_EQ(nowhere.answer.size(), 1u);
}

TEST_F(ResolverTest, ALoopOfAliasesEnds) {
  const ResolveResult result = Look("loop1.example.org.");
  EXPECT_EQ(result.outcome, ResolveOutcome::kFailed);
  EXPECT_NE(result.error.find("alias loop"), std::string::npos);
  EXPECT_TRUE(result.alias_loop);
  EXPECT_EQ(result.answer.size(), 2u);
}

TEST_F(ResolverTest, NameserversWithoutGlueAreLookedUp) {
  net.Serve("10.0.4.1", "glueless.org.", "@ NS ns.hosting.net.\nwww A 192.0.2.50\n");
  net.Serve("10.0.4.2", "hosting.net.", "@ NS ns\nns A 10.0.4.1\n");
  net.Serve("10.0.3.1", "net.", "@ NS ns1\nns1 A 10.0.3.1\nhosting NS ns.hosting\nns.hosting A 10.0.4.2\n");
  const ResolveResult result = Look("www.glueless.org.");
  EXPECT_EQ(result.outcome, ResolveOutcome::kAnswer) << result.error << trace.str();
  EXPECT_EQ(net.asked.back(), "10.0.4.1:53");
  EXPECT_NE(trace.str().find("ns.hosting.net. (no glue)"), std::string::npos);
}

TEST_F(ResolverTest, ADeadServerIsPassedOver) {
  net.Serve("10.0.0.1", ".",
            "@ NS a.root.\na.root. A 10.0.0.1\nnet. NS a.net.\nnet. NS b.net.\na.net. A 10.0.3.9\nb.net. A "
            "10.0.3.1\n");
  const ResolveResult result = Look("host.hosting.net.");
  EXPECT_EQ(result.outcome, ResolveOutcome::kAnswer);
  EXPECT_EQ(Outcomes(result),
            (std::vector<std::string>{". referral", "net. failed", "net. referral", "hosting.net. answer"}));
}

TEST_F(ResolverTest, WhatCannotBeResolvedFailsWithAReasonAndInBoundedTime) {
  const ResolveResult lame = Look("www.lame.org.");
  EXPECT_EQ(lame.outcome, ResolveOutcome::kFailed);
  EXPECT_NE(lame.error.find("no server of lame.org. gave an answer"), std::string::npos) << lame.error;
  EXPECT_NE(lame.error.find("REFUSED"), std::string::npos) << lame.error;
  EXPECT_EQ(Look("www.circle1.").outcome, ResolveOutcome::kFailed);
  const ResolveResult self = Look("www.self.");
  EXPECT_EQ(self.outcome, ResolveOutcome::kFailed);
  EXPECT_NE(self.error.find("no nameserver with an address"), std::string::npos) << self.error;
  EXPECT_LT(net.asked.size(), 100u);
}

TEST_F(ResolverTest, Ipv6GlueIsUsedWhereItIsAllThereIs) {
  net.Serve("10.0.0.1", ".", "@ NS a.root.\na.root. A 10.0.0.1\nsix. NS ns.six.\nns.six. AAAA fd00::53\n");
  net.Serve("[fd00::53]", "six.", "@ NS ns\nns AAAA fd00::53\nwww AAAA 2001:db8::7\n");
  EXPECT_EQ(Look("www.six.", dns::RRType::kAAAA).outcome, ResolveOutcome::kAnswer);
  EXPECT_EQ(net.asked.back(), "[fd00::53]:53");
}

TEST_F(ResolverTest, RecordsOutsideOfTheServersZoneAreNotBelieved) {
  const Exchange honest = net.AsExchange();
  const Exchange lying = [&](const serve::SocketAddress& server, const wire::Message& query) {
    auto response = honest(server, query);
    if (response.ok() && server.ToText() == "10.0.2.1:53")
      response->answer.push_back(
          {*dns::Name::FromText("host.hosting.net."), dns::RRType::kA, dns::RRClass::kIN, 60, "evil"});
    return response;
  };
  ResolveOptions options{.name = *dns::Name::FromText("far.example.org."),
                         .roots = {*ParseServer("10.0.0.1")}};
  const ResolveResult result = IterativeResolver(options, lying, nullptr).Run();
  ASSERT_EQ(result.answer.size(), 2u);
  EXPECT_EQ(dns::RdataToText(result.answer[1].type, result.answer[1].rdata), "192.0.2.99");
}

TEST_F(ResolverTest, AServerThatSendsUpwardReferralsIsLame) {
  const Exchange up = [&](const serve::SocketAddress&,
                          const wire::Message& query) -> Result<wire::Message, std::string> {
    wire::Message m = query;
    m.response = true;
    m.authority.push_back(
        {dns::Name(), dns::RRType::kNS, dns::RRClass::kIN, 60, std::string("\1a\4root\0", 8)});
    return m;
  };
  ResolveOptions options{.name = *dns::Name::FromText("a.b."), .roots = {*ParseServer("10.0.0.1")}};
  const ResolveResult result = IterativeResolver(options, up, nullptr).Run();
  EXPECT_EQ(result.outcome, ResolveOutcome::kFailed);
  EXPECT_EQ(result.steps.size(), 2u);
  EXPECT_NE(result.error.find("lame"), std::string::npos);
}

TEST(ParseServer, ThePortMayBeLeftOut) {
  EXPECT_EQ(ParseServer("192.0.2.1")->ToText(), "192.0.2.1:53");
  EXPECT_EQ(ParseServer("192.0.2.1:5300")->ToText(), "192.0.2.1:5300");
  EXPECT_EQ(ParseServer("2001:db8::1")->ToText(), "[2001:db8::1]:53");
  EXPECT_EQ(ParseServer("[2001:db8::1]:5300")->ToText(), "[2001:db8::1]:5300");
  EXPECT_FALSE(ParseServer("ns1.example.").ok());
}

// The real transport against the real servers.
struct NetworkTest : testing::Test {
  NetworkTest() {
    world.gate.local = true;
    udp = *serve::UdpServer::Start(serve::LoopbackOptions({"127.0.0.1:0"}), world.source());
    tcp = *serve::TcpServer::Start(serve::LoopbackOptions({udp->addresses()[0].ToText()}), world.source());
  }
  serve::World world{serve::ExampleZones("192.0.2.1", 50)};
  std::unique_ptr<serve::UdpServer> udp;
  std::unique_ptr<serve::TcpServer> tcp;
};

TEST_F(NetworkTest, ATruncatedAnswerIsAskedForAgainOverTcp) {
  ResolveOptions options{.name = *dns::Name::FromText("big.example."), .type = dns::RRType::kTXT};
  options.roots = {udp->addresses()[0]};
  const ResolveResult result = Resolve(options, nullptr);
  EXPECT_EQ(result.outcome, ResolveOutcome::kAnswer) << result.error;
  EXPECT_EQ(result.answer.size(), 50u);
}

TEST_F(NetworkTest, AServerThatIsNotThereFailsInTime) {
  udp.reset();
  ResolveOptions options{.name = *dns::Name::FromText("www.example.")};
  options.roots = {tcp->addresses()[0]};
  options.timeout = std::chrono::milliseconds(200);
  const ResolveResult result = Resolve(options, nullptr);
  EXPECT_EQ(result.outcome, ResolveOutcome::kFailed);
  EXPECT_EQ(result.steps.size(), 2u);
}

}  // namespace
}  // namespace quorate::cli
