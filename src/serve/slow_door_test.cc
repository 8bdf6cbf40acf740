// What is not for the fast path: handed over, answered when the door says so, and in nobody's way meanwhile.
#include "serve/slow_door.h"

#include "base/limits.h"
#include "serve/tcp_server.h"
#include "serve/test_util.h"
#include "serve/udp_server.h"

namespace quorate::serve {
namespace {

// Keeps what it is asked until the test answers.
class FakeDoor final : public SlowDoor {
 public:
  void Ask(SlowRequest request, Deliver deliver) override {
    std::lock_guard lock(mu_);
    asked_.push_back({std::move(request), std::move(deliver)});
  }
  size_t size() {
    std::lock_guard lock(mu_);
    return asked_.size();
  }
  // Of the oldest that is left; the request it was.
  SlowRequest Answer(std::unique_ptr<MessageSource> source) {
    auto [request, deliver] = Pop();
    deliver(std::move(source));
    return std::move(request);
  }
  void Forget() { Pop(); }

 private:
  std::pair<SlowRequest, Deliver> Pop() {
    std::lock_guard lock(mu_);
    auto first = std::move(asked_.front());
    asked_.erase(asked_.begin());
    return first;
  }
  std::mutex mu_;
  std::vector<std::pair<SlowRequest, Deliver>> asked_;
};

// `count` messages of 60 kB, which begin with their number.
class Numbers final : public MessageSource {
 public:
  explicit Numbers(size_t count, std::atomic<size_t>* made = nullptr) : count_(count), made_(made) {}
  std::string Next() override {
    if (next_ == count_) return {};
    std::string out(60000, 'x');
    wire::StoreU16(reinterpret_cast<uint8_t*>(out.data()), static_cast<uint16_t>(next_++));
    if (made_ != nullptr) ++*made_;
    return out;
  }

 private:
  const size_t count_;
  std::atomic<size_t>* const made_;
  size_t next_ = 0;
};

std::unique_ptr<MessageSource> Single(std::string message) {
  return std::make_unique<SingleMessage>(std::move(message));
}

std::string WithOpcode(uint16_t id, dns::Opcode opcode) {
  std::string out = Query(id, "example.", dns::RRType::kSOA);
  out[2] = static_cast<char>(static_cast<int>(opcode) << 3);
  return out;
}
std::string Update(uint16_t id) { return WithOpcode(id, dns::Opcode::kUpdate); }

std::string Signed(uint16_t id) {
  wire::Message query = wire::MakeQuery(id, *dns::Name::FromText("www.example."), dns::RRType::kA);
  std::string out = *wire::EncodeMessage(query);
  out[11] = 2;
  return out + std::string("\3key\0\0\xfa\0\xff\0\0\0\0\0\0", 15);
}

struct SlowDoorTest : testing::Test {
  void Start() {
    world.gate.local = true;
    DataSource source = world.source();
    source.slow = &door;
    auto udp_started = UdpServer::Start(LoopbackOptions(), source);
    auto tcp_started = TcpServer::Start(LoopbackOptions(), source);
    ASSERT_TRUE(udp_started.ok() && tcp_started.ok());
    udp = *std::move(udp_started);
    tcp = *std::move(tcp_started);
  }
  Client Datagrams() { return Client(SOCK_DGRAM, udp->addresses()[0]); }
  Client Stream() { return Client(SOCK_STREAM, tcp->addresses()[0]); }
  bool Asked(size_t count) {
    return Eventually([&] { return door.size() == count; });
  }
  Counters Udp() { return udp->ReadCounters()[0]; }

  World world{ExampleZones("192.0.2.1")};
  FakeDoor door;
  std::unique_ptr<UdpServer> udp;
  std::unique_ptr<TcpServer> tcp;
};

TEST_F(SlowDoorTest, WhatItIsForIsHandedOverWithTheClientsAddress) {
  Start();
  Client client = Stream();
  const std::vector<std::string> messages = {Update(1), WithOpcode(2, dns::Opcode::kNotify),
                                             Query(3, "example.", dns::RRType::kAXFR),
                                             Query(4, "example.", dns::RRType::kIXFR), Signed(5)};
  for (const std::string& message : messages) client.Send(Framed(message));
  ASSERT_TRUE(Asked(messages.size()));
  for (const std::string& message : messages) {
    const SlowRequest request = door.Answer(nullptr);
    EXPECT_EQ(request.message, message);
    EXPECT_EQ(request.transport, Transport::kTcp);
    EXPECT_EQ(SocketAddress::FromText("127.0.0.1:1")->octets(), request.address);
    EXPECT_NE(request.port, 0);
  }
  // Silence for all of them, and the rest is for us.
  client.Send(Framed(WithOpcode(6, dns::Opcode::kStatus)) + Framed(Query(7, "www.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "6 4");
  EXPECT_EQ(Summary(client.ReceiveFrame()), "7 0 192.0.2.1");
  EXPECT_EQ(door.size(), 0u);
}

TEST_F(SlowDoorTest, OverUdpTheAnswerGoesToWhoAsked) {
  Start();
  Client first = Datagrams(), second = Datagrams();
  first.Send(Update(1));
  ASSERT_TRUE(Asked(1));
  second.Send(Update(2));
  ASSERT_TRUE(Asked(2));
  EXPECT_EQ(door.Answer(Single("to the first")).transport, Transport::kUdp);
  door.Answer(Single(std::string(20000, 'y')));
  EXPECT_EQ(first.Receive(), "to the first");
  EXPECT_EQ(second.Receive(), std::string(20000, 'y'));
}

TEST_F(SlowDoorTest, OverUdpTooManyAtATimeAreServfailAndWhatTheDoorForgetsMakesRoom) {
  Start();
  Client client = Datagrams();
  for (size_t i = 0; i < limits::kSlowRequestsMax; ++i) {
    client.Send(Update(static_cast<uint16_t>(i)));
    if (i % 64 != 63) continue;
    ASSERT_TRUE(Asked(i + 1));
  }
  client.Send(Update(9999));
  EXPECT_EQ(Summary(client.Receive()), "9999 2");
  EXPECT_EQ(Udp().slow_overflow, 1u);
  door.Forget();
  door.Answer(Single("first"));
  EXPECT_EQ(client.Receive(), "first");
  client.Send(Update(10000));
  EXPECT_TRUE(Asked(limits::kSlowRequestsMax - 1));
}

TEST_F(SlowDoorTest, Rfc7766Section7OtherQueriesOfTheConnectionDoNotWaitForIt) {
  Start();
  Client client = Stream();
  client.Send(Framed(Update(1)) + Framed(Query(2, "www.example.")));
  EXPECT_EQ(Summary(client.ReceiveFrame()), "2 0 192.0.2.1");
  ASSERT_TRUE(Asked(1));
  door.Answer(Single("done"));
  EXPECT_EQ(client.ReceiveFrame(), "done");
}

TEST_F(SlowDoorTest, ALongTransferIsMadeAsItIsReadAndQueriesFindTheirWayBetweenItsMessages) {
  Start();
  constexpr size_t kMessages = 1000;  // 60 MB: more than sockets take
  std::atomic<size_t> made{0};
  Client client = Stream();
  client.Send(Framed(Query(1, "example.", dns::RRType::kAXFR)));
  ASSERT_TRUE(Asked(1));
  door.Answer(std::make_unique<Numbers>(kMessages, &made));
  ASSERT_TRUE(client.Readable(10000));
  client.Send(Framed(Query(7777, "www.example.")));
  size_t next = 0, answered_at = 0;
  while (next < kMessages) {
    const std::string message = client.ReceiveFrame();
    ASSERT_GE(message.size(), 12u);
    const uint16_t id = wire::LoadU16(wire::AsBytes(message).data());
    if (id == 7777) {
      answered_at = next;
      continue;
    }
    ASSERT_EQ(id, next++);
    ASSERT_LE(made, next + 300) << "it is not made ahead of what the sockets take";
  }
  EXPECT_GT(answered_at, 0u);
  EXPECT_LT(answered_at, kMessages);
}

TEST_F(SlowDoorTest, TwoTransfersOfOneConnectionTakeTurns) {
  Start();
  Client client = Stream();
  for (uint16_t i = 0; i < 2; ++i) client.Send(Framed(Query(i, "example.", dns::RRType::kAXFR)));
  ASSERT_TRUE(Asked(2));
  door.Answer(std::make_unique<Numbers>(50));
  door.Answer(Single("short"));
  size_t frames = 0;
  bool seen = false;
  for (; frames < 51; ++frames) seen = client.ReceiveFrame() == "short" || seen;
  EXPECT_TRUE(seen);
}

TEST_F(SlowDoorTest, AConnectionWithManyAtTheDoorIsNotRead) {
  Start();
  Client client = Stream();
  for (uint16_t i = 0; i < 2 * limits::kSlowRequestsPerConnectionMax; ++i) client.Send(Framed(Update(i)));
  ASSERT_TRUE(Asked(limits::kSlowRequestsPerConnectionMax));
  client.Send(Framed(Query(99, "www.example.")));
  EXPECT_FALSE(client.Readable(50));
  door.Answer(Single("one"));
  EXPECT_EQ(client.ReceiveFrame(), "one");
  EXPECT_TRUE(Asked(limits::kSlowRequestsPerConnectionMax));
  for (size_t left = 2 * limits::kSlowRequestsPerConnectionMax - 1; left > 0; --left) {
    ASSERT_TRUE(Eventually([&] { return door.size() > 0; }));
    door.Answer(nullptr);
  }
  EXPECT_EQ(Summary(client.ReceiveFrame()), "99 0 192.0.2.1");
}

TEST_F(SlowDoorTest, AnAnswerForAConnectionOrAServerThatHasGoneIsNobodys) {
  Start();
  {
    Client client = Stream();
    client.Send(Framed(Update(1)) + Framed(Update(2)));
    ASSERT_TRUE(Asked(2));
  }
  door.Answer(std::make_unique<Numbers>(5));
  Client next = Stream();
  next.Send(Framed(Query(3, "www.example.")));
  EXPECT_EQ(Summary(next.ReceiveFrame()), "3 0 192.0.2.1");
  tcp.reset();
  door.Answer(std::make_unique<Numbers>(5));
}

}  // namespace
}  // namespace quorate::serve
