#include "api/dns/door.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "api/dns/update.h"
#include "base/limits.h"
#include "base/rng.h"
#include "rsm/published_view.h"
#include "rsm/replicated_state.h"
#include "storage/memory/memory_state_store.h"
#include "wire/header.h"

namespace quorate::api::door {
namespace {

using dns::Rcode;
using dns::RRClass;
using dns::RRType;

dns::Name N(std::string_view text) { return *dns::Name::FromText(text); }
wire::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class FakeClock final : public Clock {
 public:
  BootTime Boot() const override { return {std::chrono::seconds(1000 + boot.load())}; }
  WallTime Wall() const override { return {std::chrono::seconds(wall.load())}; }
  std::atomic<int64_t> boot{0}, wall{1700000000};
};

// A group of one, and what may go wrong with it.
class FakeClient final : public replica::Client {
 public:
  FakeClient(rsm::ReplicatedState& state, FakeClock& clock) : state_(state), clock_(clock) {}

  void Propose(std::string command, Duration, std::function<void(replica::ProposeOutcome)> done) override {
    std::unique_lock lock(mu_);
    ++proposed;
    if (not_proposed) return done(replica::NotProposed{*not_proposed});
    const std::string payload = rsm::StampCommand({group_time, clock_.Wall()}, command);
    const rsm::Outcome outcome = state_.Apply({LogIndex{++index_}, Term{1}, true, payload});
    const bool lost = lose_outcomes > 0;
    if (lost) --lose_outcomes, ++clock_.boot;
    lock.unlock();
    if (lost) return done(replica::OutcomeUnknown{});
    done(replica::Decided{LogIndex{index_}, outcome});
  }
  using Client::Read;
  void Read(Consistency consistency, Duration, std::function<void(absl::Status)> done) override {
    ++reads;
    if (before_read) before_read();
    done(consistency.kind == Consistency::Kind::kLinearizable ? read_status : bounded_status);
  }
  void TransferLeadership(MemberId, std::function<void(absl::Status)> done) override { done({}); }
  void Configure(replica::ConfigurationChange, Duration, std::function<void(absl::Status)> done) override {
    done({});
  }
  replica::GroupStatus Status() const override { return {}; }

  std::optional<replica::Refusal> not_proposed;
  int lose_outcomes = 0;
  std::atomic<int> proposed{0}, reads{0};
  std::function<void()> before_read;
  absl::Status read_status, bounded_status;
  Duration group_time{1};

 private:
  rsm::ReplicatedState& state_;
  FakeClock& clock_;
  std::mutex mu_;
  uint64_t index_ = 0;
};

class FakeTransfers final : public xfr::TransferDoor {
 public:
  void Transfer(xfr::TransferRequest request, serve::SlowDoor::Deliver deliver) override {
    last = std::move(request);
    deliver(std::make_unique<serve::SingleMessage>("transferred"));
  }
  std::optional<xfr::TransferRequest> last;
};

// What the door delivers, waited for.
class Answers {
 public:
  serve::SlowDoor::Deliver Next() {
    return [this](std::unique_ptr<serve::MessageSource> source) {
      std::lock_guard lock(mu_);
      answers_.push_back(source ? source->Next() : std::string());
      came_.notify_all();
    };
  }
  std::string Take() {
    std::unique_lock lock(mu_);
    if (!came_.wait_for(lock, std::chrono::seconds(60), [this] { return !answers_.empty(); })) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    std::string first = std::move(answers_.front());
    answers_.pop_front();
    return first;
  }

 private:
  std::mutex mu_;
  std::condition_variable came_;
  std::deque<std::string> answers_;
};

struct DoorTest : testing::Test {
  void SetUp() override {
    state.Reload();
    const dns::Soa soa{.mname = N("ns.example."), .rname = N("admin.example."), .serial = {1}, .refresh = 1};
    std::vector<dns::RRset> rrsets = {
        {N("example."), RRType::kSOA, 60, {dns::EncodeSoa(soa)}},
        {N("example."), RRType::kNS, 60, {std::string(N("ns.example.").wire())}},
        {N("ns.example."), RRType::kA, 60, {"\x01\x02\x03\x04"}}};
    dns::RRset big{N("big.example."), RRType::kTXT, 60, {}};
    for (char c = 'a'; c < 'a' + 5; ++c) big.rdata.push_back('\x64' + std::string(100, c));
    rrsets.push_back(big);
    Do(rsm::ZoneCreate{N("example."), rrsets});
    Do(rsm::SecondaryCreate{N("second."), "primaries=192.0.2.9\n"});
    Do(rsm::TsigKeyPut{.key = key});
    Open();
  }
  void Open() {
    door.reset();
    door =
        std::make_unique<Door>(DoorBackend{.client = &client,
                                           .views = &views,
                                           .clock = &clock,
                                           .transfers = &transfers,
                                           .on_notify = [this](const Notified& n) { notified.push_back(n); },
                                           .respond = {}});
  }
  template <class Body>
  void Do(Body body) {
    client.Propose(rsm::EncodeCommand({.origin = "test", .body = std::move(body)}), Duration{1},
                   [](const replica::ProposeOutcome& outcome) {
                     const auto result = rsm::DecodeResult(std::get<replica::Decided>(outcome).outcome);
                     EXPECT_EQ(result->refused, rsm::Refused::kNot) << result->reason;
                   });
  }

  wire::TsigKeyView KeyView() const { return {key.name.wire(), key.algorithm, key.secret}; }
  std::string Signed(std::string message) {
    wire::TsigSigner signer(KeyView(), {});
    EXPECT_TRUE(signer.Sign(message, static_cast<uint64_t>(clock.wall)));
    request_mac = signer.mac();
    return message;
  }
  std::string Ask(std::string message, serve::Transport transport = serve::Transport::kTcp,
                  std::string_view from = "192.0.2.1") {
    door->Ask({std::move(message), *zone::AddressFromText(from), 5353, transport}, answers.Next());
    return answers.Take();
  }
  // Of an answer that must be signed with our key.
  wire::Message Verified(const std::string& answer) {
    wire::TsigVerifier verifier(KeyView(), request_mac);
    EXPECT_EQ(verifier.Verify(AsBytes(answer), static_cast<uint64_t>(clock.wall)),
              wire::TsigStatus::kVerified);
    return Parsed(answer);
  }
  wire::Message Parsed(const std::string& answer) {
    auto parsed = wire::ParseMessage(AsBytes(answer));
    EXPECT_TRUE(parsed.ok());
    return parsed.ok() ? *std::move(parsed) : wire::Message{};
  }
  Rcode SignedRcode(const wire::Message& message) {
    return Verified(Ask(Signed(*wire::EncodeMessage(message)))).rcode;
  }
  wire::Message Update(std::string_view zone = "example.") {
    wire::Message m{.id = ++next_id, .opcode = dns::Opcode::kUpdate};
    m.questions.push_back({N(zone), RRType::kSOA, RRClass::kIN});
    return m;
  }
  wire::Message Adding(std::string_view owner, char last = 7) {
    wire::Message m = Update();
    m.authority.push_back({N(owner), RRType::kA, RRClass::kIN, 60, std::string("\xc0\0\2", 3) + last});
    return m;
  }
  wire::Message NotifyOf(std::string_view zone) {
    wire::Message m{.id = ++next_id, .opcode = dns::Opcode::kNotify};
    m.aa = true;
    m.questions.push_back({N(zone), RRType::kSOA, RRClass::kIN});
    return m;
  }
  size_t RecordsAt(std::string_view owner) {
    const auto zone = state.zones()->Get(N("example.").wire());
    const zone::Node* node = zone->Find(N(owner).wire());
    const zone::RRsetView set = node ? node->Find(RRType::kA) : zone::RRsetView{};
    return set.count;
  }
  uint32_t Serial() { return state.zones()->Get(N("example.").wire())->serial().value; }

  FakeClock clock;
  storage::MemoryStateStore store;
  ViewHub<zone::View> views{std::make_shared<const zone::View>()};
  rsm::PublishedView published{views};
  rsm::ReplicatedState state{
      store.map(), {.published = [this](LogIndex applied, const std::shared_ptr<const zone::ZoneSet>& zones) {
        published.Applied(applied, zones);
      }}};
  FakeClient client{state, clock};
  FakeTransfers transfers;
  std::vector<Notified> notified;
  zone::TsigKey key{.name = N("ddns."), .secret = "a secret of some octets"};
  Answers answers;
  std::unique_ptr<Door> door;
  std::string request_mac;
  uint16_t next_id = 0;
};

TEST_F(DoorTest, ASignedUpdateIsAppliedAndItsAnswerSigned) {
  const wire::Message asked = Adding("new.example.");
  const wire::Message answer = Verified(Ask(Signed(*wire::EncodeMessage(asked))));
  EXPECT_EQ(answer.rcode, Rcode::kNoError);
  EXPECT_EQ(answer.id, asked.id);
  EXPECT_EQ(answer.opcode, dns::Opcode::kUpdate);
  EXPECT_TRUE(answer.response);
  EXPECT_EQ(RecordsAt("new.example."), 1u);
  EXPECT_EQ(Serial(), 2u);
  EXPECT_EQ(door->counters().updates_applied, 1u);
}

TEST_F(DoorTest, Rfc2136Section31TheZoneSectionIsOneSoaElseFormErr) {
  wire::Message none = Update(), two = Update(), wrong_type = Update(), wrong_class = Update();
  none.questions.clear();
  two.questions.push_back(two.questions[0]);
  wrong_type.questions[0].type = RRType::kA;
  wrong_class.questions[0].rr_class = RRClass::kCH;
  EXPECT_EQ(SignedRcode(none), Rcode::kFormErr);
  EXPECT_EQ(SignedRcode(two), Rcode::kFormErr);
  EXPECT_EQ(SignedRcode(wrong_type), Rcode::kFormErr);
  EXPECT_EQ(SignedRcode(wrong_class), Rcode::kNotAuth);
}

TEST_F(DoorTest, Rfc2136Section312AZoneThatIsNotOursIsNotAuth) {
  EXPECT_EQ(SignedRcode(Update("elsewhere.")), Rcode::kNotAuth);
  EXPECT_EQ(SignedRcode(Update("sub.example.")), Rcode::kNotAuth);  // below ours, and not a zone
}

TEST_F(DoorTest, WhatTheZoneDoesNotAllowIsRefusedWithTheReasonAndNotProposed) {
  const int before = client.proposed;
  wire::Message asked = Adding("new.example.");
  asked.edns.emplace();
  const wire::Message answer = Parsed(Ask(*wire::EncodeMessage(asked)));
  EXPECT_EQ(answer.rcode, Rcode::kRefused);
  ASSERT_TRUE(answer.edns.has_value());
  ASSERT_EQ(answer.edns->options.size(), 1u);
  EXPECT_EQ(answer.edns->options[0].data.substr(0, 2), std::string("\0\x12", 2));
  EXPECT_EQ(client.proposed, before);
  EXPECT_EQ(SignedRcode(Update("second.")), Rcode::kRefused);
  EXPECT_EQ(client.proposed, before);
  Do(rsm::ZoneSettings{N("example."), "update=net:192.0.2.0/24\n"});
  EXPECT_EQ(Parsed(Ask(*wire::EncodeMessage(Adding("new.example.")))).rcode, Rcode::kNoError);
  EXPECT_EQ(
      Parsed(Ask(*wire::EncodeMessage(Adding("new.example.")), serve::Transport::kTcp, "198.51.100.1")).rcode,
      Rcode::kRefused);
}

TEST_F(DoorTest, PrerequisitesGiveTheirResponseCodesAndNothingIsChanged) {
  wire::Message asked = Adding("new.example.");
  asked.answer.push_back({N("www.example."), RRType::kANY, RRClass::kANY, 0, ""});  // in use
  EXPECT_EQ(SignedRcode(asked), Rcode::kNXDomain);
  asked.answer[0] = {N("ns.example."), RRType::kA, RRClass::kNONE, 0, ""};  // no such RRset
  EXPECT_EQ(SignedRcode(asked), Rcode::kYXRRSet);
  asked.answer[0] = {N("www.elsewhere."), RRType::kA, RRClass::kNONE, 0, ""};
  EXPECT_EQ(SignedRcode(asked), Rcode::kNotZone);
  EXPECT_EQ(Serial(), 1u);
}

TEST_F(DoorTest, TheSameSignedMessageIsAppliedOnceWhereverItIsSentAgain) {
  const std::string first = Signed(*wire::EncodeMessage(Adding("new.example.", 1)));
  EXPECT_EQ(Verified(Ask(first)).rcode, Rcode::kNoError);
  wire::Message removing = Update();
  removing.authority.push_back({N("new.example."), RRType::kANY, RRClass::kANY, 0, ""});
  EXPECT_EQ(SignedRcode(removing), Rcode::kNoError);
  ASSERT_EQ(RecordsAt("new.example."), 0u);
  Open();  // another replica
  EXPECT_EQ(Parsed(Ask(first)).rcode, Rcode::kNoError);
  EXPECT_EQ(RecordsAt("new.example."), 0u);
  // The same bytes of another key, or at another time, are another request.
  ++clock.wall;
  EXPECT_EQ(SignedRcode(Adding("new.example.", 1)), Rcode::kNoError);
  EXPECT_EQ(RecordsAt("new.example."), 1u);
}

TEST(UpdateIdentityTest, ARequestWhoseMacIsCutIsStillTheSameRequest) {
  const wire::TsigRecord whole{
      .key = N("ddns."), .algorithm = N("HMAC-sha256."), .mac = std::string(16, 'a') + std::string(16, 'b')};
  wire::TsigRecord cut = whole, other = whole;
  cut.mac.resize(16);
  other.mac[15] = 'x';
  EXPECT_EQ(UpdateIdentity(cut), UpdateIdentity(whole));
  EXPECT_NE(UpdateIdentity(other), UpdateIdentity(whole));
}

TEST_F(DoorTest, ASignedUpdateWhoseFateIsUnknownIsProposedAgainAndAppliedOnce) {
  client.lose_outcomes = 2;
  const int before = client.proposed;
  EXPECT_EQ(SignedRcode(Adding("new.example.")), Rcode::kNoError);
  EXPECT_EQ(client.proposed, before + 3);
  EXPECT_EQ(Serial(), 2u);
}

TEST_F(DoorTest, WithoutAnOutcomeUpdateIsServFailNeverNoError) {
  client.lose_outcomes = 1000;
  EXPECT_EQ(SignedRcode(Adding("new.example.")), Rcode::kServFail);
}

TEST_F(DoorTest, AnUnsignedUpdateWhoseFateIsUnknownIsNotProposedAgain) {
  Do(rsm::ZoneSettings{N("example."), "update=any\n"});
  client.lose_outcomes = 1;
  const int before = client.proposed;
  EXPECT_EQ(Parsed(Ask(*wire::EncodeMessage(Adding("new.example.")))).rcode, Rcode::kServFail);
  EXPECT_EQ(client.proposed, before + 1);
}

TEST_F(DoorTest, WhatTheGroupCannotTakeIsServFailOrNotImpWithTheReason) {
  client.not_proposed = replica::Refusal::kNoLeader;
  EXPECT_EQ(SignedRcode(Adding("new.example.")), Rcode::kServFail);
  client.not_proposed = replica::Refusal::kFeatureLevel;
  wire::Message asked = Adding("new.example.");
  asked.edns.emplace();
  const wire::Message answer = Verified(Ask(Signed(*wire::EncodeMessage(asked))));
  EXPECT_EQ(answer.rcode, Rcode::kNotImp);
  EXPECT_NE(answer.edns->options.at(0).data.find("upgrade"), std::string::npos);
}

TEST_F(DoorTest, Rfc8945Section532FaultsAreNotAuthAndCounted) {
  const int before = client.proposed;
  std::string message = Signed(*wire::EncodeMessage(Adding("new.example.")));
  message[1] ^= 1, message[14] ^= 1;
  EXPECT_EQ(Parsed(Ask(message)).rcode, Rcode::kNotAuth);
  EXPECT_EQ(door->counters().bad_sig, 1u);
  clock.wall += 301;
  message[1] ^= 1, message[14] ^= 1;
  EXPECT_EQ(Parsed(Ask(message)).rcode, Rcode::kNotAuth);
  EXPECT_EQ(door->counters().bad_time, 1u);
  key.name = N("unknown.");
  EXPECT_EQ(Parsed(Ask(Signed(*wire::EncodeMessage(Adding("new.example."))))).rcode, Rcode::kNotAuth);
  EXPECT_EQ(door->counters().bad_key, 1u);
  EXPECT_EQ(client.proposed, before);
}

TEST_F(DoorTest, AKeyThatCameAMomentAgoByAnotherReplicaIsFoundByAReadBeforeItIsRefused) {
  key.name = N("fresh.");
  client.before_read = [this, there = false]() mutable {
    if (!std::exchange(there, true)) Do(rsm::TsigKeyPut{.key = key});
  };
  EXPECT_EQ(SignedRcode(Adding("new.example.")), Rcode::kNoError);
}

TEST_F(DoorTest, ASignedQueryIsAnsweredFromTheViewAndSigned) {
  const wire::Message asked = wire::MakeQuery(9, N("ns.example."), RRType::kA);
  const wire::Message answer = Verified(Ask(Signed(*wire::EncodeMessage(asked)), serve::Transport::kUdp));
  EXPECT_EQ(answer.rcode, Rcode::kNoError);
  EXPECT_TRUE(answer.aa);
  ASSERT_EQ(answer.answer.size(), 1u);
  EXPECT_EQ(door->counters().signed_queries, 1u);
}

// A replica that comes back may be behind the key: its holder must ask again, not give up.
TEST_F(DoorTest, WithoutTheRightToReadNobodyIsToldThatHisKeyIsUnknown) {
  client.read_status = absl::UnavailableError("no leader");
  std::string message = Signed(*wire::EncodeMessage(Adding("new.example.")));
  message[14] ^= 1;  // as if signed with another secret
  EXPECT_EQ(Parsed(Ask(message)).rcode, Rcode::kServFail);
  client.read_status = absl::OkStatus();
  EXPECT_EQ(Parsed(Ask(message)).rcode, Rcode::kNotAuth);
}

TEST_F(DoorTest, WithoutTheRightToReadASignedQueryIsServFail) {
  client.read_status = client.bounded_status = absl::UnavailableError("no leader");
  const std::string asked = *wire::EncodeMessage(wire::MakeQuery(9, N("ns.example."), RRType::kA));
  EXPECT_EQ(Verified(Ask(Signed(asked))).rcode, Rcode::kServFail);
  client.read_status = absl::OkStatus();
  Do(rsm::ZoneSettings{N("example."), "consistency=local\n"});
  client.read_status = absl::UnavailableError("no leader");
  EXPECT_EQ(Verified(Ask(Signed(asked))).rcode, Rcode::kNoError);
}

// 605 octets and a signature of 77.
TEST_F(DoorTest, Rfc8945Section53WhatHasNoRoomForItsSignatureIsTruncatedAndSigned) {
  wire::Message asked = wire::MakeQuery(9, N("big.example."), RRType::kTXT);
  asked.edns->udp_size = 640;
  const std::string message = *wire::EncodeMessage(asked);
  const std::string over_udp = Ask(Signed(message), serve::Transport::kUdp);
  EXPECT_LE(over_udp.size(), 640u);
  const wire::Message answer = Verified(over_udp);
  EXPECT_TRUE(answer.tc);
  EXPECT_TRUE(answer.answer.empty());
  EXPECT_EQ(answer.questions.size(), 1u);
  ASSERT_EQ(answer.additional.size(), 1u);
  EXPECT_EQ(answer.additional[0].type, RRType::kTSIG);
  const wire::Message whole = Verified(Ask(Signed(message)));
  EXPECT_FALSE(whole.tc);
  EXPECT_EQ(whole.answer.size(), 5u);
}

TEST_F(DoorTest, Rfc1996Section310NotifyIsTakenFromPrimariesAndFromWhomTheZoneAllows) {
  const wire::Message asked = NotifyOf("second.");
  const std::string message = *wire::EncodeMessage(asked);
  const wire::Message answer = Parsed(Ask(message, serve::Transport::kUdp, "192.0.2.9"));
  EXPECT_EQ(answer.rcode, Rcode::kNoError);
  EXPECT_TRUE(answer.aa);
  EXPECT_EQ(answer.opcode, dns::Opcode::kNotify);
  EXPECT_EQ(answer.questions, asked.questions);
  ASSERT_EQ(notified.size(), 1u);
  EXPECT_EQ(notified[0].apex, N("second."));
  EXPECT_EQ(Parsed(Ask(message, serve::Transport::kUdp, "192.0.2.8")).rcode, Rcode::kRefused);
  EXPECT_EQ(SignedRcode(asked), Rcode::kRefused);
  Do(rsm::ZoneSettings{N("second."), "notify=key:ddns.\n"});
  EXPECT_EQ(SignedRcode(asked), Rcode::kNoError);
  EXPECT_EQ(notified.size(), 2u);
  EXPECT_EQ(Parsed(Ask(message, serve::Transport::kUdp, "192.0.2.8")).rcode, Rcode::kRefused);
  EXPECT_EQ(door->counters().notifies, 2u);
}

TEST_F(DoorTest, NotifyOfWhatIsNotASecondaryIsRefusedOrNotAuth) {
  EXPECT_EQ(Parsed(Ask(*wire::EncodeMessage(NotifyOf("elsewhere.")))).rcode, Rcode::kNotAuth);
  EXPECT_EQ(Parsed(Ask(*wire::EncodeMessage(NotifyOf("example.")))).rcode, Rcode::kRefused);
  wire::Message none = NotifyOf("second.");
  none.questions.clear();
  EXPECT_EQ(Parsed(Ask(*wire::EncodeMessage(none))).rcode, Rcode::kFormErr);
  EXPECT_TRUE(notified.empty());
}

TEST_F(DoorTest, NotifyTellsTheSerialThatItHints) {
  wire::Message asked = NotifyOf("second.");
  asked.answer.push_back({N("second."), RRType::kSOA, RRClass::kIN, 0,
                          dns::EncodeSoa({.mname = {}, .rname = {}, .serial = {77}})});
  Ask(*wire::EncodeMessage(asked), serve::Transport::kUdp, "192.0.2.9");
  ASSERT_EQ(notified.size(), 1u);
  EXPECT_EQ(notified[0].serial, dns::Serial{77});
}

TEST_F(DoorTest, TransfersGoOnWithTheirKeyButAxfrNotOverUdp) {
  const std::string axfr = *wire::EncodeMessage(wire::MakeQuery(9, N("example."), RRType::kAXFR));
  EXPECT_EQ(Ask(Signed(axfr)), "transferred");
  ASSERT_TRUE(transfers.last.has_value());
  EXPECT_EQ(transfers.last->key, N("ddns."));
  EXPECT_TRUE(transfers.last->signer.has_value());
  EXPECT_TRUE(transfers.last->query.additional.empty());
  transfers.last.reset();
  EXPECT_EQ(Parsed(Ask(axfr, serve::Transport::kUdp)).rcode, Rcode::kFormErr);
  EXPECT_FALSE(transfers.last.has_value());
  EXPECT_EQ(Ask(axfr), "transferred");
  EXPECT_FALSE(transfers.last->signer.has_value());
}

TEST_F(DoorTest, ResponsesAndScrapsAreMetWithSilence) {
  wire::Message response = Update();
  response.response = true;
  EXPECT_EQ(Ask(Signed(*wire::EncodeMessage(response))), "");
  EXPECT_EQ(Ask("short"), "");
}

TEST_F(DoorTest, DamagedRequestsAreAnsweredOrNotButNeverChangeAnything) {
  Rng rng(1);
  const std::string good = Signed(*wire::EncodeMessage(Adding("new.example.")));
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = good;
    damaged[2 + rng.Below(good.size() - 2)] ^= static_cast<char>(1 + rng.Below(255));
    if (damaged.size() < wire::kHeaderBytes) continue;
    Ask(damaged, i % 2 == 0 ? serve::Transport::kUdp : serve::Transport::kTcp);
  }
  // Only the case of names in the record is not signed.
  EXPECT_LE(Serial(), 2u);
}

TEST_F(DoorTest, MoreThanItsBoundIsServFailAtOnce) {
  std::mutex held;
  held.lock();
  // Both threads wait here, so that nothing is done.
  client.before_read = [&] { std::lock_guard wait(held); };
  const std::string asked = Signed(*wire::EncodeMessage(Update("elsewhere.")));
  Answers all;
  for (size_t i = 0; i < limits::kDnsDoorRequestsMax; ++i)
    door->Ask({asked, {}, 1, serve::Transport::kTcp}, all.Next());
  EXPECT_EQ(Parsed(Ask(asked)).rcode, Rcode::kServFail);
  EXPECT_EQ(door->counters().overflow, 1u);
  held.unlock();
  for (size_t i = 0; i < limits::kDnsDoorRequestsMax; ++i)
    EXPECT_EQ(Parsed(all.Take()).rcode, Rcode::kNotAuth);
  // What is done makes room.
  EXPECT_EQ(SignedRcode(Adding("new.example.")), Rcode::kNoError);
}

}  // namespace
}  // namespace quorate::api::door
