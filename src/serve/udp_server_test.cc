#include "serve/udp_server.h"

#include <set>

#include "base/limits.h"
#include "serve/test_util.h"

namespace quorate::serve {
namespace {

using std::chrono::milliseconds;

Counters Total(const UdpServer& server) {
  Counters total;
  for (const Counters& c : server.ReadCounters()) total += c;
  return total;
}

struct UdpServerTest : testing::Test {
  void Start(ServerOptions options = LoopbackOptions()) {
    auto started = UdpServer::Start(std::move(options), world.source());
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    server = *std::move(started);
  }
  std::string Ask(const SocketAddress& address, const std::string& query) {
    Client client(SOCK_DGRAM, address);
    client.Send(query);
    return Summary(client.Receive());
  }

  World world{ExampleZones("192.0.2.1")};
  std::unique_ptr<UdpServer> server;
};

TEST_F(UdpServerTest, WithTheRightToReadItAnswersAtOnceOnIPv4AndIPv6) {
  world.gate.local = true;
  Start(LoopbackOptions({"127.0.0.1:0", "[::1]:0"}));
  ASSERT_EQ(server->addresses().size(), 2u);
  for (const SocketAddress& address : server->addresses()) {
    EXPECT_NE(address.port(), 0);
    EXPECT_EQ(Ask(address, Query(7, "www.example.")), "7 0 192.0.2.1");
    EXPECT_EQ(Ask(address, Query(8, "nothing.example.")), "8 3");
  }
  EXPECT_EQ(world.gate.begun, 0u);
  ASSERT_TRUE(Eventually([&] { return Total(*server).rcodes[3] == 2; }));
  EXPECT_EQ(Total(*server).queries, 4u);
  EXPECT_EQ(Total(*server).rcodes[0], 2u);
  EXPECT_EQ(Total(*server).held, 0u);
}

TEST_F(UdpServerTest, EachBatchIsAnsweredFromTheNewestView) {
  world.gate.local = true;
  Start();
  EXPECT_EQ(Ask(server->addresses()[0], Query(1, "www.example.")), "1 0 192.0.2.1");
  world.Publish(ExampleZones("192.0.2.2"));
  EXPECT_EQ(Ask(server->addresses()[0], Query(2, "www.example.")), "2 0 192.0.2.2");
}

TEST_F(UdpServerTest, WithoutTheRightToReadAQueryWaitsForItsBarrierAndSeesTheViewPublishedMeanwhile) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  Start(options);
  Client client(SOCK_DGRAM, server->addresses()[0]);
  client.Send(Query(1, "www.example."));
  ASSERT_TRUE(Eventually([&] { return Total(*server).held == 1; }));
  EXPECT_FALSE(client.Readable(50));
  world.Publish(ExampleZones("192.0.2.2"));
  world.gate.CompleteAll();
  EXPECT_EQ(Summary(client.Receive()), "1 0 192.0.2.2");
}

TEST_F(UdpServerTest, QueriesThatCameDuringARoundWaitForTheNext) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  Start(options);
  Client first(SOCK_DGRAM, server->addresses()[0]), second(SOCK_DGRAM, server->addresses()[0]);
  first.Send(Query(1, "www.example."));
  ASSERT_TRUE(Eventually([&] { return Total(*server).held == 1; }));
  const uint64_t round = world.gate.begun;
  world.gate.CompleteAll();
  EXPECT_EQ(Summary(first.Receive()), "1 0 192.0.2.1");
  second.Send(Query(2, "www.example."));
  ASSERT_TRUE(Eventually([&] { return world.gate.begun > round; }));
  EXPECT_FALSE(second.Readable(50));
  world.gate.CompleteAll();
  EXPECT_EQ(Summary(second.Receive()), "2 0 192.0.2.1");
}

TEST_F(UdpServerTest, ABarrierThatNeverComesMeansServfailWithinTheBudget) {
  auto options = LoopbackOptions();
  options.hold_budget = milliseconds(100);
  Start(options);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(Ask(server->addresses()[0], Query(1, "www.example.")), "1 2");
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, milliseconds(100));
  EXPECT_LT(took, milliseconds(2000));
  ASSERT_TRUE(Eventually([&] { return Total(*server).hold_expired == 1; }));
}

TEST_F(UdpServerTest, HeldQueriesAreAnsweredWhenTheRightToReadComesBack) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  Start(options);
  Client held(SOCK_DGRAM, server->addresses()[0]);
  held.Send(Query(1, "www.example."));
  ASSERT_TRUE(Eventually([&] { return Total(*server).held == 1; }));
  world.gate.local = true;
  EXPECT_EQ(Ask(server->addresses()[0], Query(2, "www.example.")), "2 0 192.0.2.1");
  EXPECT_EQ(Summary(held.Receive()), "1 0 192.0.2.1");
}

TEST_F(UdpServerTest, WhatNeedsNoZoneNeedsNoBarrier) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  world.health = LeaderHealth::kFollower;
  Start(options);
  wire::Message health =
      wire::MakeQuery(1, *dns::Name::FromText("leader.health.quorate."), dns::RRType::kTXT);
  health.questions[0].rr_class = dns::RRClass::kCH;
  EXPECT_EQ(Ask(server->addresses()[0], *wire::EncodeMessage(health)), "1 0 \"follower\"");
  EXPECT_EQ(Ask(server->addresses()[0], std::string("\0\5\0\0\0\0\0\0\0\0\0\0", 12)), "5 1");
  EXPECT_EQ(world.gate.begun, 0u);
}

TEST_F(UdpServerTest, WhenTooManyWaitTheOldestGetsServfail) {
  auto options = LoopbackOptions({"127.0.0.1:0", "[::1]:0"});
  options.hold_budget = std::chrono::seconds(60);
  Start(options);
  Client oldest(SOCK_DGRAM, server->addresses()[1]);
  oldest.Send(Query(1, "www.example."));
  ASSERT_TRUE(Eventually([&] { return Total(*server).held == 1; }));
  Client flood(SOCK_DGRAM, server->addresses()[0]);
  for (uint64_t i = 0; i < limits::kHeldQueriesMax; ++i) {
    flood.Send(Query(2, "www.example."));
    ASSERT_TRUE(Eventually([&] { return Total(*server).held >= i + 1 || i % 64 != 0; }));
  }
  EXPECT_EQ(Summary(oldest.Receive()), "1 2");
  EXPECT_EQ(Total(*server).hold_overflow, 1u);
}

TEST_F(UdpServerTest, WhatSomethingPendingTouchesWaitsForItsEffectAndNothingElseDoes) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  world.gate.local = true;
  world.Append(5, "ftp.example.");
  world.Append(6, "www.example.");
  Start(options);
  Client www(SOCK_DGRAM, server->addresses()[0]), ftp(SOCK_DGRAM, server->addresses()[0]);
  ftp.Send(Query(2, "ftp.example."));
  www.Send(Query(1, "www.example."));
  ASSERT_TRUE(Eventually([&] { return Total(*server).held_pending == 2; }));
  EXPECT_EQ(Ask(server->addresses()[0], Query(3, "ns1.example.")), "3 0 192.0.2.53");
  world.Apply(5, ExampleZones("192.0.2.1"));
  EXPECT_EQ(Summary(ftp.Receive()), "2 3");
  EXPECT_FALSE(www.Readable(50));
  world.Apply(6, ExampleZones("192.0.2.2"));
  EXPECT_EQ(Summary(www.Receive()), "1 0 192.0.2.2");
  EXPECT_EQ(world.gate.begun, 0u);
}

TEST_F(UdpServerTest, WhatIsNeverAppliedMeansABarrierAndThenServfail) {
  auto options = LoopbackOptions();
  options.hold_budget = milliseconds(60);
  world.gate.local = true;
  world.Append(5, "www.example.");
  Start(options);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(Ask(server->addresses()[0], Query(1, "www.example.")), "1 2");
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(120));
  EXPECT_EQ(world.gate.begun, 1u);
}

TEST_F(UdpServerTest, UnderASteadyStreamOfChangesEveryQueryIsAnsweredInTheEnd) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  world.gate.local = true;
  world.Append(1, "www.example.");
  Start(options);
  std::jthread writer([&](std::stop_token stop) {
    for (uint64_t i = 1; !stop.stop_requested(); ++i) {
      world.Append(i + 1, "www.example.");
      world.Apply(i, ExampleZones("192.0.2.1"));
    }
  });
  for (uint16_t i = 0; i < 200; ++i)
    ASSERT_EQ(Ask(server->addresses()[0], Query(i, "www.example.")), std::to_string(i) + " 0 192.0.2.1");
  EXPECT_GT(Total(*server).held_pending, 0u);
}

TEST_F(UdpServerTest, SeveralWorkersShareOnePort) {
  world.gate.local = true;
  auto options = LoopbackOptions();
  options.workers = 4;
  Start(options);
  ASSERT_EQ(server->ReadCounters().size(), 4u);
  for (uint16_t i = 0; i < 200; ++i)
    ASSERT_EQ(Ask(server->addresses()[0], Query(i, "www.example.")), std::to_string(i) + " 0 192.0.2.1");
  ASSERT_TRUE(Eventually([&] { return Total(*server).rcodes[0] == 200; }));
  size_t busy = 0;
  for (const Counters& c : server->ReadCounters()) busy += c.queries > 0 ? 1 : 0;
  EXPECT_GE(busy, 2u);
}

TEST_F(UdpServerTest, AnAddressInUseIsNamedWithWhatToDo) {
  Start();
  const SocketAddress taken = server->addresses()[0];
  const auto second = UdpServer::Start(LoopbackOptions({taken.ToText()}), world.source());
  ASSERT_FALSE(second.ok());
  const std::string what = second.status().ToString();
  EXPECT_NE(what.find(taken.ToText() + "/udp"), std::string::npos) << what;
  EXPECT_NE(what.find("ss -ulnp"), std::string::npos) << what;
  const auto absent = UdpServer::Start(LoopbackOptions({"192.0.2.77:0"}), world.source());
  ASSERT_FALSE(absent.ok());
  EXPECT_NE(absent.status().ToString().find("no interface"), std::string::npos);
}

TEST_F(UdpServerTest, PublishingUnderLoadNeverGivesAnOlderAnswerAfterANewerOne) {
  world.gate.local = true;
  Start();
  Client client(SOCK_DGRAM, server->addresses()[0]);
  for (int i = 1; i < 200; ++i) {
    world.Publish(ExampleZones("192.0.2." + std::to_string(i)));
    client.Send(Query(static_cast<uint16_t>(i), "www.example."));
    ASSERT_EQ(Summary(client.Receive()), std::to_string(i) + " 0 192.0.2." + std::to_string(i));
  }
}

TEST(SocketAddress, TextIsReadAndWritten) {
  for (const char* text : {"127.0.0.1:53", "[::1]:5353", "[2001:db8::1]:0", "0.0.0.0:53"}) {
    const auto address = SocketAddress::FromText(text);
    ASSERT_TRUE(address.ok());
    EXPECT_EQ(address->ToText(), text);
  }
  for (const char* text : {"", "127.0.0.1", "localhost:53", "127.0.0.1:65536", "127.0.0.1:", "::1:53",
                           "[::1]", "[]:1", "[127.0.0.1]:53", "1.2.3.4:+5"})
    EXPECT_FALSE(SocketAddress::FromText(text).ok()) << text;
}

TEST(SocketAddress, AWildcardBecomesEachAddressOfThisMachine) {
  const auto all = ExpandWildcard(*SocketAddress::FromText("0.0.0.0:5300"));
  ASSERT_TRUE(all.ok());
  std::set<std::string> texts;
  for (const SocketAddress& a : *all) EXPECT_TRUE(texts.insert(a.ToText()).second);
  EXPECT_TRUE(texts.contains("127.0.0.1:5300"));
  EXPECT_EQ(ExpandWildcard(*SocketAddress::FromText("127.0.0.1:53"))->size(), 1u);
}

TEST_F(UdpServerTest, OverTheRateLimitAnswersAreTruncatedOrDroppedUnlessTheClientHasACookie) {
  world.gate.local = true;
  zone::Keyring keyring;
  keyring.cookies = {.current = {1, 2, 3}};
  world.Publish(std::make_shared<zone::ZoneSet>(
      ExampleZones("192.0.2.1")->WithKeyring(std::make_shared<const zone::Keyring>(keyring))));
  auto options = LoopbackOptions();
  options.rate_limits = {.per_second = 1, .slip = 2, .window = 3600};
  Start(options);
  Client client(SOCK_DGRAM, server->addresses()[0]);
  const auto ask = [&](uint16_t id, const std::string& cookie = "") {
    wire::Message query = wire::MakeQuery(id, *dns::Name::FromText("www.example."), dns::RRType::kA);
    if (!cookie.empty()) query.edns->options.push_back({10, cookie});
    client.Send(*wire::EncodeMessage(query));
  };
  ask(1);
  EXPECT_EQ(Summary(client.Receive()), "1 0 192.0.2.1");
  // However slow this machine is: an hour's worth of responses is owed long before a second passes 40 times.
  for (uint16_t i = 0; i < 40; ++i) ask(2);
  ASSERT_TRUE(Eventually([&] { return Total(*server).rate_truncated >= 10; }));
  EXPECT_GE(Total(*server).rate_dropped, 10u);
  bool truncated = false;
  for (size_t i = 0; i < 10 && !truncated; ++i) truncated = Summary(client.Receive()) == "2 0 tc";
  EXPECT_TRUE(truncated);

  // A cookie shows whose the address is.
  const std::string fresh = "abcdefgh";
  std::string cookie;
  for (int tries = 0; tries < 100 && cookie.empty(); ++tries) {
    ask(3, fresh);
    if (!client.Readable(100)) continue;
    const auto answer = wire::ParseMessage(wire::AsBytes(client.Receive()));
    if (answer.ok() && answer->id == 3 && !answer->edns->options.empty())
      cookie = answer->edns->options.at(0).data;
  }
  ASSERT_EQ(cookie.size(), 24u);
  for (uint16_t id = 100; id < 120; ++id) {
    ask(id, cookie);
    std::string answer;
    do answer = Summary(client.Receive());
    while (!answer.empty() && answer.starts_with("3 "));
    ASSERT_EQ(answer, std::to_string(id) + " 0 192.0.2.1");
  }
}

}  // namespace
}  // namespace quorate::serve
