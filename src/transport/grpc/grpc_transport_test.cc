#include "transport/grpc/grpc_transport.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "peer.grpc.pb.h"
#include "raft/codec.h"
#include "testing/await.h"
#include "transport/grpc/hello.h"

namespace quorate::transport {
namespace {

using testing::Await;
using ::testing::HasSubstr;

class Inbox {
 public:
  MessageHandler handler() {
    return [this](raft::Message message) {
      std::lock_guard lock(mu_);
      messages_.push_back(std::move(message));
    };
  }
  std::function<void(const std::string&)> notices() {
    return [this](const std::string& text) {
      std::lock_guard lock(mu_);
      notices_ += text + "\n";
    };
  }
  size_t size() {
    std::lock_guard lock(mu_);
    return messages_.size();
  }
  std::vector<raft::Message> messages() {
    std::lock_guard lock(mu_);
    return messages_;
  }
  bool Noticed(const std::string& text) {
    std::lock_guard lock(mu_);
    return notices_.find(text) != std::string::npos;
  }

 private:
  std::mutex mu_;
  std::vector<raft::Message> messages_;
  std::string notices_;
};

struct End {
  Inbox inbox;
  std::unique_ptr<GrpcTransport> transport;

  absl::Status Start(GrpcTransportOptions options) {
    options.on_notice = inbox.notices();
    auto started = GrpcTransport::Start(std::move(options), inbox.handler());
    if (!started.ok()) return started.status();
    transport = *std::move(started);
    return absl::OkStatus();
  }
  std::string address(const std::string& host = "127.0.0.1") const {
    return host + ":" + std::to_string(transport->port());
  }
  ~End() { transport.reset(); }
};

GrpcTransportOptions Options(uint64_t self, std::string listen = "127.0.0.1:0") {
  return {.listen = std::move(listen), .deployment = "test", .group = GroupId{7}, .self = MemberId{self}};
}

raft::Message ReadIndex(uint64_t from, uint64_t to, uint64_t id) {
  return {MemberId{from}, MemberId{to}, Term{1}, raft::ReadIndexRequest{id}};
}

uint64_t IdOf(const raft::Message& message) { return std::get<raft::ReadIndexRequest>(message.body).id; }

// Sends until one arrives: before the connection stands, messages are lost.
bool Reaches(End& from, uint64_t from_id, End& to, uint64_t to_id) {
  const size_t before = to.inbox.size();
  return Await([&] {
    from.transport->Send(ReadIndex(from_id, to_id, 1));
    return to.inbox.size() > before;
  });
}

TEST(GrpcTransport, MessagesArriveInOrderOverIpv4AndIpv6) {
  for (const std::string host : {"127.0.0.1", "[::1]"}) {
    End one, two;
    ASSERT_TRUE(one.Start(Options(1, host + ":0")).ok());
    ASSERT_TRUE(two.Start(Options(2, host + ":0")).ok());
    one.transport->SetPeers({{MemberId{2}, two.address(host)}});
    ASSERT_TRUE(Reaches(one, 1, two, 2));
    for (uint64_t id = 100; id < 1100; ++id) one.transport->Send(ReadIndex(1, 2, id));
    ASSERT_TRUE(Await([&] { return IdOf(two.inbox.messages().back()) == 1099; }));
    uint64_t last = 0;
    for (const raft::Message& message : two.inbox.messages()) {
      EXPECT_LE(last, IdOf(message));
      last = IdOf(message);
    }
  }
}

TEST(GrpcTransport, AnEntryOfTheLargestCommandPasses) {
  End one, two;
  ASSERT_TRUE(one.Start(Options(1)).ok());
  ASSERT_TRUE(two.Start(Options(2)).ok());
  one.transport->SetPeers({{MemberId{2}, two.address()}});
  ASSERT_TRUE(Reaches(one, 1, two, 2));
  const size_t before = two.inbox.size();
  raft::AppendEntries append;
  append.entries.push_back({LogIndex{1}, Term{1}, raft::EntryType::kCommand,
                            std::make_shared<const std::string>(size_t{32} << 20, 'x')});
  one.transport->Send({MemberId{1}, MemberId{2}, Term{1}, append});
  EXPECT_TRUE(Await([&] { return two.inbox.size() > before; }));
}

TEST(GrpcTransport, ItConnectsAgainWhenThePeerIsBack) {
  End one;
  ASSERT_TRUE(one.Start(Options(1)).ok());
  std::string address;
  {
    End two;
    ASSERT_TRUE(two.Start(Options(2)).ok());
    address = two.address();
    one.transport->SetPeers({{MemberId{2}, address}});
    ASSERT_TRUE(Reaches(one, 1, two, 2));
  }
  EXPECT_TRUE(Await([&] {
    one.transport->Send(ReadIndex(1, 2, 1));
    return one.inbox.Noticed("no connection to member 2");
  }));
  End two;
  ASSERT_TRUE(two.Start(Options(2, address)).ok());
  EXPECT_TRUE(Reaches(one, 1, two, 2));
}

TEST(GrpcTransport, FewMessagesAreKeptForAPeerThatCannotBeReached) {
  std::string address;
  {
    End two;
    ASSERT_TRUE(two.Start(Options(2)).ok());
    address = two.address();
  }
  End one, two;
  ASSERT_TRUE(one.Start(Options(1)).ok());
  one.transport->SetPeers({{MemberId{2}, address}});
  for (uint64_t id = 1; id <= 10000; ++id) one.transport->Send(ReadIndex(1, 2, id));
  ASSERT_TRUE(two.Start(Options(2, address)).ok());
  ASSERT_TRUE(Await([&] {
    one.transport->Send(ReadIndex(1, 2, 20000));
    return two.inbox.size() > 0 && IdOf(two.inbox.messages().back()) == 20000;
  }));
  size_t old = 0;
  for (const raft::Message& message : two.inbox.messages()) old += IdOf(message) <= 10000;
  EXPECT_LE(old, 100u);
}

TEST(GrpcTransport, AStrangerIsRefusedAndBothSidesSayWhy) {
  const auto expect_refused = [](GrpcTransportOptions options, const std::string& why) {
    End one, two;
    ASSERT_TRUE(one.Start(std::move(options)).ok());
    ASSERT_TRUE(two.Start(Options(2)).ok());
    one.transport->SetPeers({{MemberId{2}, two.address()}, {MemberId{3}, two.address()}});
    EXPECT_TRUE(Await([&] { return one.inbox.Noticed(why) && two.inbox.Noticed(why); })) << why;
    one.transport->Send(ReadIndex(1, 3, 1));
    EXPECT_EQ(two.inbox.size(), 0u);
  };
  GrpcTransportOptions other_group = Options(1), other_deployment = Options(1);
  other_group.group = GroupId{8};
  other_deployment.deployment = "production";
  expect_refused(other_group, "this is group 7, the caller is of group 8");
  expect_refused(other_deployment, "this is deployment \"test\", the caller is of \"production\"");
  expect_refused(Options(1), "this is member 2, the caller, member 1, looks for member 3");
}

TEST(GrpcTransport, APortInUseIsAnError) {
  End one, two;
  ASSERT_TRUE(one.Start(Options(1)).ok());
  const absl::Status status = two.Start(Options(2, one.address()));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(one.address()));
}

TEST(GrpcTransport, AMalformedMessageClosesItsStreamAndNothingElse) {
  End one, two;
  ASSERT_TRUE(one.Start(Options(1)).ok());
  ASSERT_TRUE(two.Start(Options(2)).ok());
  one.transport->SetPeers({{MemberId{2}, two.address()}});
  ASSERT_TRUE(Reaches(one, 1, two, 2));

  auto stub = peer::v1::Peer::NewStub(grpc::CreateChannel(two.address(), grpc::InsecureChannelCredentials()));
  ByteWriter forged;
  raft::EncodeMessage(ReadIndex(3, 2, 1), forged);  // not from whom the hello says
  for (const std::string& bytes : {std::string("\xff\xff\xff\xff"), std::string(), forged.str()}) {
    grpc::ClientContext context;
    WriteHello({"test", GroupId{7}, MemberId{1}, MemberId{2}}, context);
    peer::v1::End end;
    auto writer = stub->Messages(&context, &end);
    peer::v1::Frame frame;
    frame.add_messages(bytes);
    writer->Write(frame);
    writer->WritesDone();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_TRUE(Reaches(one, 1, two, 2));
}

TEST(GrpcTransport, WhoCalledIsAnsweredWithoutBeingListed) {
  End one, two;
  ASSERT_TRUE(one.Start(Options(1)).ok());
  GrpcTransportOptions known = Options(2, "127.0.0.1:0");
  {
    End probe;  // a port that is free just now, to be told to others
    ASSERT_TRUE(probe.Start(known).ok());
    known.listen = known.advertise = probe.address();
  }
  ASSERT_TRUE(two.Start(known).ok());
  one.transport->Send(ReadIndex(1, 2, 1));
  EXPECT_EQ(two.inbox.size(), 0u) << "nobody knows where that is";
  two.transport->SetPeers({{MemberId{1}, one.address()}});
  ASSERT_TRUE(Reaches(two, 2, one, 1));
  EXPECT_TRUE(Reaches(one, 1, two, 2));
  one.transport->SetPeers({{MemberId{3}, "127.0.0.1:9"}});  // the others change, as when it is removed
  EXPECT_TRUE(Reaches(one, 1, two, 2));
}

TEST(GrpcTransport, AProgramOfBeforeIsSpokenToAsItUnderstands) {
  End one, two;
  GrpcTransportOptions old = Options(2);
  old.message_version = raft::kMessageVersionMin;
  ASSERT_TRUE(one.Start(Options(1)).ok());
  ASSERT_TRUE(two.Start(old).ok());
  one.transport->SetPeers({{MemberId{2}, two.address()}});
  two.transport->SetPeers({{MemberId{1}, one.address()}});
  ASSERT_TRUE(Reaches(one, 1, two, 2));
  ASSERT_TRUE(Reaches(two, 2, one, 1));
  const auto replied = [](End& from, uint64_t from_id, End& to, uint64_t to_id) {
    raft::Message knock{MemberId{from_id}, MemberId{to_id}, Term{1}, raft::Knock{}};
    raft::Message reply{MemberId{from_id}, MemberId{to_id}, Term{1},
                        raft::AppendEntriesReply{.applied = LogIndex{4}, .feature_level = 2}};
    reply.instance = 77;
    from.transport->Send(knock);  // it cannot be said in version 2
    from.transport->Send(reply);
    const auto is_reply = [](const raft::Message& m) {
      return std::holds_alternative<raft::AppendEntriesReply>(m.body);
    };
    EXPECT_TRUE(Await([&] { return std::ranges::any_of(to.inbox.messages(), is_reply); }));
    for (const raft::Message& m : to.inbox.messages()) {
      EXPECT_FALSE(std::holds_alternative<raft::Knock>(m.body));
      EXPECT_EQ(m.instance, 0u);
      if (const auto* body = std::get_if<raft::AppendEntriesReply>(&m.body)) {
        EXPECT_EQ(body->feature_level, 1u);
        EXPECT_EQ(body->applied, LogIndex{});
      }
    }
  };
  replied(one, 1, two, 2);
  replied(two, 2, one, 1);
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(GrpcTransport, WithTlsOnlyHoldersOfACertificateAreHeard) {
  std::string directory = ::testing::TempDir() + "/transport_tls_XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const auto run = [&](const std::string& command) {
    return std::system(("cd " + directory + " && " + command + " >/dev/null 2>&1").c_str());
  };
  const std::string key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
  ASSERT_EQ(run(key + "-x509 -keyout ca.key -out ca.pem -subj /CN=ca -days 2"), 0);
  ASSERT_EQ(run("printf 'subjectAltName=DNS:peer.test' > ext"), 0);
  ASSERT_EQ(run(key + "-keyout peer.key -out peer.csr -subj /CN=peer.test"), 0);
  ASSERT_EQ(run("openssl x509 -req -in peer.csr -CA ca.pem -CAkey ca.key -out peer.pem -days 2 -extfile ext"),
            0);
  const TlsOptions tls{ReadFile(directory + "/peer.pem"), ReadFile(directory + "/peer.key"),
                       ReadFile(directory + "/ca.pem"), "peer.test"};
  std::filesystem::remove_all(directory);

  End one, two, plain;
  GrpcTransportOptions first = Options(1), second = Options(2);
  first.tls = second.tls = tls;
  ASSERT_TRUE(one.Start(first).ok());
  ASSERT_TRUE(two.Start(second).ok());
  ASSERT_TRUE(plain.Start(Options(1)).ok());
  plain.transport->SetPeers({{MemberId{2}, two.address()}});
  EXPECT_TRUE(Await([&] { return plain.inbox.Noticed("no connection to member 2"); }));
  EXPECT_EQ(two.inbox.size(), 0u);
  one.transport->SetPeers({{MemberId{2}, two.address()}});
  EXPECT_TRUE(Reaches(one, 1, two, 2));

  GrpcTransportOptions incomplete = Options(3);
  incomplete.tls = TlsOptions{.certificate = tls.certificate};
  End three;
  EXPECT_EQ(three.Start(incomplete).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace quorate::transport
