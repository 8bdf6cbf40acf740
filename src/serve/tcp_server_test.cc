#include "serve/tcp_server.h"

#include <sys/resource.h>

#include "base/limits.h"
#include "serve/test_util.h"

namespace quorate::serve {
namespace {

using std::chrono::milliseconds;

struct TcpServerTest : testing::Test {
  void Start(ServerOptions options = LoopbackOptions()) {
    auto started = TcpServer::Start(std::move(options), world.source());
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    server = *std::move(started);
  }
  Counters Total() {
    Counters total;
    for (const Counters& c : server->ReadCounters()) total += c;
    return total;
  }
  Client Connect(size_t address = 0) { return Client(SOCK_STREAM, server->addresses()[address]); }

  World world{ExampleZones("192.0.2.1", 250)};
  std::unique_ptr<TcpServer> server;
};

TEST_F(TcpServerTest, AQueryIsAnsweredOnIPv4AndIPv6AndTheConnectionStaysOpen) {
  world.gate.local = true;
  Start(LoopbackOptions({"127.0.0.1:0", "[::1]:0"}));
  for (size_t i = 0; i < 2; ++i) {
    Client client = Connect(i);
    client.Send(Framed(Query(1, "www.example.")));
    EXPECT_EQ(Summary(client.ReceiveFrame()), "1 0 192.0.2.1");
    client.Send(Framed(Query(2, "nothing.example.")));
    EXPECT_EQ(Summary(client.ReceiveFrame()), "2 3");
  }
}

TEST_F(TcpServerTest, Rfc7766Section8AQueryMayComeOctetByOctet) {
  world.gate.local = true;
  Start();
  Client client = Connect();
  for (const char octet : Framed(Query(1, "www.example."))) client.Send({&octet, 1});
  EXPECT_EQ(Summary(client.ReceiveFrame()), "1 0 192.0.2.1");
}

TEST_F(TcpServerTest, Rfc7766Section621PipelinedQueriesAreAllAnswered) {
  world.gate.local = true;
  Start();
  Client client = Connect();
  std::string all;
  for (uint16_t i = 0; i < 300; ++i) all += Framed(Query(i, "www.example."));
  client.Send(all);
  for (uint16_t i = 0; i < 300; ++i)
    ASSERT_EQ(Summary(client.ReceiveFrame()), std::to_string(i) + " 0 192.0.2.1");
}

TEST_F(TcpServerTest, LargeAnswersAreNotTruncated) {
  world.gate.local = true;
  Start();
  Client client = Connect();
  client.Send(Framed(Query(1, "big.example.", dns::RRType::kTXT)));
  const auto m = wire::ParseMessage(wire::AsBytes(client.ReceiveFrame()));
  ASSERT_TRUE(m.ok());
  EXPECT_EQ(m->answer.size(), 250u);
  EXPECT_FALSE(m->tc);
}

TEST_F(TcpServerTest, AClientThatReadsNothingIsNotReadFromAndLosesNoAnswer) {
  world.gate.local = true;
  Start();
  Client client = Connect();
  const int small = 16384;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  constexpr uint16_t kQueries = 400;  // 400 answers of 54 kB
  std::jthread sender([&] {
    for (uint16_t i = 0; i < kQueries; ++i) client.Send(Framed(Query(i, "big.example.", dns::RRType::kTXT)));
  });
  ASSERT_TRUE(Eventually([&] { return Total().queries >= 4; }));
  for (uint16_t i = 0; i < kQueries; ++i) {
    const std::string answer = client.ReceiveFrame();
    ASSERT_GT(answer.size(), 50000u) << i;
    ASSERT_EQ(wire::LoadU16(wire::AsBytes(answer).data()), i);
  }
}

TEST_F(TcpServerTest, WithoutTheRightToReadQueriesWaitForTheirBarrier) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  Start(options);
  Client client = Connect();
  client.Send(Framed(Query(1, "www.example.")) + Framed(Query(2, "www.example.")));
  ASSERT_TRUE(Eventually([&] { return Total().held == 2; }));
  EXPECT_FALSE(client.Readable(50));
  world.Publish(ExampleZones("192.0.2.2"));
  world.gate.CompleteAll();
  EXPECT_EQ(Summary(client.ReceiveFrame()), "1 0 192.0.2.2");
  // The second may have come with the first, or have needed a barrier of its own.
  ASSERT_TRUE(Eventually([&] { return world.gate.CompleteAll(), client.Readable(0); }));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "2 0 192.0.2.2");
}

TEST_F(TcpServerTest, ABarrierThatNeverComesMeansServfail) {
  auto options = LoopbackOptions();
  options.hold_budget = milliseconds(50);
  Start(options);
  Client client = Connect();
  client.Send(Framed(Query(1, "www.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "1 2");
  EXPECT_EQ(Total().hold_expired, 1u);
  world.gate.local = true;
  client.Send(Framed(Query(2, "www.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "2 0 192.0.2.1");
}

TEST_F(TcpServerTest, Rfc7766Section6211WhatSomethingPendingTouchesHoldsItselfAndNoOther) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  world.gate.local = true;
  world.Append(5, "www.example.");
  world.Append(6, "ftp.example.");
  Start(options);
  Client client = Connect();
  client.Send(Framed(Query(1, "www.example.")) + Framed(Query(2, "ftp.example.")) +
              Framed(Query(3, "ns1.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "3 0 192.0.2.53");
  ASSERT_TRUE(Eventually([&] { return Total().held_pending == 2; }));
  EXPECT_FALSE(client.Readable(50));
  world.Apply(5, ExampleZones("192.0.2.2"));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "1 0 192.0.2.2");
  EXPECT_FALSE(client.Readable(50)) << "the second one waits for what touches it";
  client.Send(Framed(Query(4, "ns1.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "4 0 192.0.2.53");
  world.Apply(6, ExampleZones("192.0.2.2"));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "2 3");
  EXPECT_EQ(world.gate.begun, 0u);
}

TEST_F(TcpServerTest, AConnectionWithManyThatWaitIsNotReadUntilSomeAreAnswered) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  world.gate.local = true;
  world.Append(5, "www.example.");
  Start(options);
  Client client = Connect();
  std::string all;
  for (uint16_t i = 0; i < 2 * limits::kTcpHeldQueriesMax; ++i) all += Framed(Query(i, "www.example."));
  client.Send(all + Framed(Query(999, "ns1.example.")));
  ASSERT_TRUE(Eventually([&] { return Total().held_pending == limits::kTcpHeldQueriesMax; }));
  EXPECT_FALSE(client.Readable(50)) << "the last one is behind what waits";
  world.Apply(5, ExampleZones("192.0.2.2"));
  for (uint16_t i = 0; i < 2 * limits::kTcpHeldQueriesMax; ++i)
    ASSERT_EQ(Summary(client.ReceiveFrame()), std::to_string(i) + " 0 192.0.2.2");
  EXPECT_EQ(Summary(client.ReceiveFrame()), "999 0 192.0.2.53");
}

TEST_F(TcpServerTest, WhatIsNeverAppliedMeansABarrierAndThenServfail) {
  auto options = LoopbackOptions();
  options.hold_budget = milliseconds(50);
  world.gate.local = true;
  world.Append(5, "www.example.");
  Start(options);
  Client client = Connect();
  client.Send(Framed(Query(1, "www.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "1 2");
  EXPECT_EQ(world.gate.begun, 1u);
  client.Send(Framed(Query(2, "ns1.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "2 0 192.0.2.53");
}

TEST_F(TcpServerTest, AClientThatHasSaidAllIsAnsweredBeforeTheConnectionEnds) {
  auto options = LoopbackOptions();
  options.hold_budget = std::chrono::seconds(60);
  Start(options);
  Client client = Connect();
  client.Send(Framed(Query(1, "www.example.")));
  ASSERT_EQ(shutdown(client.fd(), SHUT_WR), 0);
  ASSERT_TRUE(Eventually([&] { return Total().held == 1; }));
  world.gate.CompleteAll();
  EXPECT_EQ(Summary(client.ReceiveFrame()), "1 0 192.0.2.1");
  EXPECT_EQ(client.Receive(), "");
}

TEST_F(TcpServerTest, Rfc7766Section623AnIdleConnectionIsClosed) {
  auto options = LoopbackOptions();
  options.tcp_idle = milliseconds(50);
  Start(options);
  Client silent = Connect(), half = Connect();
  half.Send(Framed(Query(1, "www.example.")).substr(0, 10));
  EXPECT_EQ(silent.Receive(), "");
  EXPECT_EQ(half.Receive(), "");
}

TEST_F(TcpServerTest, OverTheLimitTheLongestIdleConnectionGoes) {
  // Both ends of each connection are in this process.
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  if (files.rlim_max < 3 * limits::kTcpConnectionsMax) GTEST_SKIP() << "the limit on open files is too low";
  world.gate.local = true;
  Start();
  Client first = Connect();
  std::vector<Client> others;
  for (size_t i = 0; i < limits::kTcpConnectionsMax - 1; ++i) others.push_back(Connect());
  ASSERT_TRUE(Eventually([&] { return Total().connections == limits::kTcpConnectionsMax; }));
  Client newest = Connect();
  newest.Send(Framed(Query(1, "www.example.")));
  EXPECT_EQ(Summary(newest.ReceiveFrame()), "1 0 192.0.2.1");
  EXPECT_EQ(first.Receive(), "");
}

TEST_F(TcpServerTest, Rfc7766Section622AClientWithTooManyLosesItsLongestIdleAndNobodyElseOne) {
  world.gate.local = true;
  auto options = LoopbackOptions({"127.0.0.1:0", "[::1]:0"});
  options.tcp_per_client = 3;
  Start(options);
  Client other = Connect(1), first = Connect();
  std::vector<Client> more;
  for (size_t i = 0; i < 3; ++i) more.push_back(Connect());
  EXPECT_EQ(first.Receive(), "");
  EXPECT_EQ(Total().client_limit, 1u);
  more.push_back(std::move(other));
  for (Client& client : more) {
    client.Send(Framed(Query(1, "www.example.")));
    EXPECT_EQ(Summary(client.ReceiveFrame()), "1 0 192.0.2.1");
  }
}

TEST_F(TcpServerTest, AClientWhoseConnectionsAllAwaitUsGetsNoMore) {
  auto options = LoopbackOptions();
  options.tcp_per_client = 2;
  options.hold_budget = std::chrono::seconds(60);
  Start(options);
  Client first = Connect(), second = Connect();
  first.Send(Framed(Query(1, "www.example.")));
  second.Send(Framed(Query(2, "www.example.")));
  ASSERT_TRUE(Eventually([&] { return Total().held == 2; }));
  Client third = Connect();
  EXPECT_EQ(third.Receive(), "");
  EXPECT_EQ(Total().connections_refused, 1u);
  world.gate.CompleteAll();
  EXPECT_EQ(Summary(first.ReceiveFrame()), "1 0 192.0.2.1");
  EXPECT_EQ(Summary(second.ReceiveFrame()), "2 0 192.0.2.1");
}

TEST_F(TcpServerTest, AClientThatDoesNotReadWhatItAskedForIsClosed) {
  world.gate.local = true;
  auto options = LoopbackOptions();
  options.tcp_idle = milliseconds(200);
  Start(options);
  Client client = Connect();
  // 400 answers of 54 kB: more than the sockets take. The server gives up, and so the sending fails.
  const std::string query = Framed(Query(1, "big.example.", dns::RRType::kTXT));
  for (int i = 0; i < 400; ++i) ASSERT_GE(send(client.fd(), query.data(), query.size(), MSG_NOSIGNAL), -1);
  EXPECT_TRUE(Eventually([&] { return send(client.fd(), query.data(), query.size(), MSG_NOSIGNAL) < 0; }));
}

TEST_F(TcpServerTest, Rfc7828Section34TheIdleTimeoutIsSaidToWhoAsks) {
  world.gate.local = true;
  auto options = LoopbackOptions();
  options.tcp_idle = std::chrono::seconds(30);
  Start(options);
  Client client = Connect();
  wire::Message query = wire::MakeQuery(1, *dns::Name::FromText("www.example."), dns::RRType::kA);
  query.edns->options.push_back({11, ""});
  client.Send(Framed(*wire::EncodeMessage(query)));
  const auto answer = wire::ParseMessage(wire::AsBytes(client.ReceiveFrame()));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->edns->options, (std::vector<wire::EdnsOption>{{11, std::string("\x01\x2c", 2)}}));
}

TEST_F(TcpServerTest, MalformedQueriesGetFormerrOrSilenceAndTheConnectionGoesOn) {
  world.gate.local = true;
  Start();
  Client client = Connect();
  client.Send(Framed("") + Framed("x") + Framed(std::string("\0\5\0\0\0\0\0\0\0\0\0\0", 12)) +
              Framed(Query(2, "www.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "5 1");
  EXPECT_EQ(Summary(client.ReceiveFrame()), "2 0 192.0.2.1");
  ASSERT_TRUE(Eventually([&] { return Total().dropped == 2; }));
}

TEST_F(TcpServerTest, AClientThatHangsUpWhileItsQueryWaitsDoesNoHarm) {
  auto options = LoopbackOptions();
  options.hold_budget = milliseconds(200);
  Start(options);
  for (int i = 0; i < 20; ++i) {
    Client client = Connect();
    client.Send(Framed(Query(1, "www.example.")));
  }
  ASSERT_TRUE(Eventually([&] { return Total().held == 20; }));
  world.gate.CompleteAll();
  Client last = Connect();
  last.Send(Framed(Query(3, "www.example.")));
  ASSERT_TRUE(Eventually([&] { return world.gate.CompleteAll(), last.Readable(0); }));
  EXPECT_EQ(Summary(last.ReceiveFrame()), "3 0 192.0.2.1");
}

TEST_F(TcpServerTest, AnAddressInUseIsNamed) {
  Start();
  const SocketAddress taken = server->addresses()[0];
  const auto second = TcpServer::Start(LoopbackOptions({taken.ToText()}), world.source());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().ToString().find(taken.ToText() + "/tcp"), std::string::npos);
}

}  // namespace
}  // namespace quorate::serve
