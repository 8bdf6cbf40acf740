#include "api/xfr/transfer_out.h"

#include <gmock/gmock.h>

#include "api/xfr/test_world.h"
#include "base/rng.h"
#include "zone/builder.h"
#include "zone/exact.h"

namespace quorate::api::xfr {
namespace {

using dns::Rcode;
using dns::RRType;
using Kind = TransferAnswer::Kind;
using State = TransferReader::State;

constexpr std::string_view kZone = R"(
@ 3600 SOA ns1 admin 5 3600 600 86400 300
@ NS ns1
ns1 A 192.0.2.1
www 60 A 192.0.2.80
sub NS ns.sub
ns.sub A 192.0.2.7
below.sub TXT "occluded"
MiXed TXT "case"
)";

TransferAnswer Answer(const World& world, const TransferRequest& request) {
  return AnswerTransfer(const_cast<World&>(world).store.map(), *world.state.zones(), request);
}

std::vector<std::string> Messages(World& world, TransferAnswer answer, const TransferRequest& request) {
  Envelope envelope;
  envelope.id = request.query.id;
  envelope.question = request.query.questions.front();
  TransferSource source(std::move(envelope), std::move(answer.feed), world.clock);
  return Drain(source);
}

// What a secondary makes of it; its zone becomes ours, or the test fails.
zone::ZonePtr Follow(World& world, const zone::ZonePtr& have, const std::string& apex, Kind expected) {
  const TransferRequest request = Request(apex, have.get());
  TransferAnswer answer = Answer(world, request);
  EXPECT_EQ(answer.rcode, Rcode::kNoError);
  EXPECT_EQ(answer.kind, expected);
  zone::ZoneBuilder builder(N(apex));
  TransferReader reader(N(apex), have, [&](dns::RRset&& rrset) { builder.Add(rrset); });
  State state = State::kMore;
  for (const std::string& message : Messages(world, std::move(answer), request))
    state = reader.Add(BytesOf(message), 7);
  if (state == State::kUpToDate) return have;
  if (state == State::kFull) return std::get<zone::ZonePtr>(std::move(builder).Build());
  EXPECT_EQ(state, State::kIncremental) << reader.why();
  if (state != State::kIncremental) return nullptr;
  auto edited = zone::EditExactly(have, {reader.TakeEdits()});
  EXPECT_TRUE(std::holds_alternative<zone::EditResult>(edited));
  return std::get<zone::EditResult>(edited).zone;
}

// RFC 5936 2.2, 3.5: the SOA first and last, once each; all else in between, with TTL and case.
TEST(Axfr, Rfc5936Section2_2_TheWholeZoneBetweenItsSoa) {
  World world;
  world.Create("example.org.", kZone);
  const TransferRequest request = Request("example.org.", nullptr);
  const auto messages = Messages(world, Answer(world, request), request);
  ASSERT_EQ(messages.size(), 1u);
  const auto message = wire::ParseMessage(BytesOf(messages[0]));
  ASSERT_TRUE(message.ok());
  EXPECT_TRUE(message->response && message->aa);
  EXPECT_EQ(message->questions, request.query.questions);
  ASSERT_EQ(message->answer.size(), 9u);
  EXPECT_EQ(message->answer.front().type, RRType::kSOA);
  EXPECT_EQ(message->answer.front(), message->answer.back());
  std::vector<std::string> owners;
  for (const wire::Record& record : message->answer) owners.push_back(record.name.ToText());
  EXPECT_THAT(owners, testing::Contains("MiXed.example.org."));
  EXPECT_THAT(owners, testing::Contains("below.sub.example.org."));
  EXPECT_EQ(world.Zone("example.org.")->record_count() + 1, message->answer.size());
}

TEST(Axfr, Rfc5936Section3_RefusalsSayWhatIsWrong) {
  World world;
  world.Create("example.org.", kZone);
  EXPECT_EQ(Answer(world, Request("www.example.org.", nullptr)).rcode, Rcode::kNotAuth);
  EXPECT_EQ(Answer(world, Request("example.net.", nullptr)).rcode, Rcode::kNotAuth);
  EXPECT_EQ(Answer(world, Request("example.org.", nullptr, serve::Transport::kUdp)).rcode, Rcode::kFormErr);
  TransferRequest unsigned_request = Request("example.org.", nullptr);
  unsigned_request.key.reset();  // the default is `key:*`
  EXPECT_EQ(Answer(world, unsigned_request).rcode, Rcode::kRefused);
  TransferRequest no_soa = Request("example.org.", world.Zone("example.org.").get());
  no_soa.query.authority.clear();  // RFC 1995 3
  EXPECT_EQ(Answer(world, no_soa).rcode, Rcode::kFormErr);
  ASSERT_EQ(world.Apply(rsm::SecondaryCreate{N("example.com."), "primaries=192.0.2.9"}).reason, "");
  EXPECT_EQ(Answer(world, Request("example.com.", nullptr)).rcode, Rcode::kServFail);
}

// A record of nearly 64 KiB gets a message of its own; and the stream ends.
TEST(Axfr, Rfc5936Section2_2_ALargeRecordDoesNotLoop) {
  World world;
  std::string text(kZone);
  for (int i = 0; i < 400; ++i) text += "n" + std::to_string(i) + " TXT \"" + std::string(200, 'x') + "\"\n";
  text += "big TYPE65280 \\# 60000 " + std::string(120000, 'a') + "\n";
  world.Create("example.org.", text);
  const TransferRequest request = Request("example.org.", nullptr);
  const auto messages = Messages(world, Answer(world, request), request);
  size_t records = 0, largest = 0;
  for (const std::string& m : messages) {
    const auto message = wire::ParseMessage(BytesOf(m));
    ASSERT_TRUE(message.ok());
    records += message->answer.size();
    if (m.size() > 16384) {
      EXPECT_EQ(message->answer.size(), 1u);
    }
    largest = std::max(largest, m.size());
  }
  EXPECT_EQ(records, world.Zone("example.org.")->record_count() + 1);
  EXPECT_GT(largest, 60000u);
  EXPECT_GT(messages.size(), 5u);
}

// RFC 8945 5.3.1: a client verifies the stream as a whole.
TEST(Axfr, Rfc8945Section5_3_1_EveryMessageIsSigned) {
  World world;
  std::string text(kZone);
  for (int i = 0; i < 400; ++i) text += "n" + std::to_string(i) + " TXT \"" + std::string(200, 'x') + "\"\n";
  world.Create("example.org.", text);
  const wire::TsigKeyView key{N("xfr.").wire(), dns::TsigAlgorithm::kHmacSha256, "secret"};
  const std::string key_name(key.name);
  const wire::TsigKeyView held{key_name, key.algorithm, key.secret};
  wire::TsigSigner of_request(held, "");
  const TransferRequest request = Request("example.org.", nullptr);
  std::string query = *wire::EncodeMessage(request.query);
  ASSERT_TRUE(of_request.Sign(query, 1000));
  Envelope envelope;
  envelope.id = 7;
  envelope.question = request.query.questions.front();
  envelope.signer.emplace(held, of_request.mac());
  TransferSource source(std::move(envelope), Answer(world, request).feed, world.clock);
  const auto messages = Drain(source);
  ASSERT_GT(messages.size(), 3u);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(world.clock.Wall().since_epoch).count();
  wire::TsigVerifier verifier(held, of_request.mac());
  for (const std::string& message : messages)
    EXPECT_EQ(verifier.Verify(BytesOf(message), static_cast<uint64_t>(now)), wire::TsigStatus::kVerified);
  EXPECT_TRUE(verifier.complete());
}

TEST(Ixfr, Rfc1995Section4_DifferencesOfEachVersion) {
  World world;
  std::string text(kZone);
  for (int i = 0; i < 20; ++i)
    text += "pad" + std::to_string(i) + " TXT \"so that differences are smaller\"\n";
  world.Create("example.org.", text);
  const zone::ZonePtr first = world.Zone("example.org.");
  using Edit = zone::RRsetEdit;
  world.Apply(rsm::ZoneChange{
      N("example.org."),
      {{.owner = N("www.example.org."), .ttl = 60, .rdata = {Rdata(RRType::kA, "192.0.2.81")}}}});
  world.Apply(rsm::ZoneSettings{N("example.org."), "consistency=local"});  // no version of the zone
  world.Apply(
      rsm::ZoneChange{N("example.org."), {{.owner = N("www.example.org."), .kind = Edit::Kind::kDelete}}});
  const TransferRequest request = Request("example.org.", first.get());
  const auto messages = Messages(world, Answer(world, request), request);
  ASSERT_EQ(messages.size(), 1u);
  std::vector<std::string> seen;
  const auto parsed = wire::ParseMessage(BytesOf(messages[0]));
  ASSERT_TRUE(parsed.ok());
  for (const wire::Record& r : parsed->answer) {
    const auto soa = r.type == RRType::kSOA ? dns::ParseSoa(r.rdata) : std::nullopt;
    seen.push_back(soa ? std::to_string(soa->serial.value) : dns::RdataToText(r.type, r.rdata));
  }
  EXPECT_THAT(seen,
              testing::ElementsAre("7", "5", "192.0.2.80", "6", "192.0.2.81", "6", "192.0.2.81", "7", "7"));
}

TEST(Ixfr, Rfc1995Section2_AClientThatHasTheNewestOrNewerGetsTheSoa) {
  World world;
  world.Create("example.org.", kZone);
  EXPECT_EQ(Follow(world, world.Zone("example.org."), "example.org.", Kind::kCurrent),
            world.Zone("example.org."));
  World ahead;
  ahead.Create("example.org.", "@ SOA ns1 admin 9 1 1 1 1\n@ NS ns1\n");
  EXPECT_EQ(Answer(world, Request("example.org.", ahead.Zone("example.org.").get())).kind, Kind::kCurrent);
}

TEST(Ixfr, Rfc1995Section4_UnknownOrCompactedOrLargerThanTheZoneIsTheWholeZone) {
  World world;
  world.Create("example.org.", kZone);
  const zone::ZonePtr first = world.Zone("example.org.");
  const auto set = [&](const std::string& address) {
    return world.Apply(rsm::ZoneChange{
        N("example.org."),
        {{.owner = N("www.example.org."), .ttl = 60, .rdata = {Rdata(RRType::kA, address)}}}});
  };
  const Revision after = set("192.0.2.81").revision;
  World other;
  other.Create("example.org.", "@ SOA ns1 admin 4 1 1 1 1\n@ NS ns1\n");
  EXPECT_EQ(Answer(world, Request("example.org.", other.Zone("example.org.").get())).kind, Kind::kFull);
  EXPECT_EQ(Answer(world, Request("example.org.", first.get())).kind, Kind::kIncremental);
  ASSERT_EQ(world.Apply(rsm::KvCompact{after}).reason, "");
  EXPECT_EQ(Answer(world, Request("example.org.", first.get())).kind, Kind::kFull);
  const zone::ZonePtr second = world.Zone("example.org.");
  for (int i = 0; i < 40; ++i) set("192.0.2." + std::to_string(i));
  EXPECT_EQ(Answer(world, Request("example.org.", second.get())).kind, Kind::kFull);
  ASSERT_EQ(world.Apply(rsm::ZoneDelete{N("example.org.")}).reason, "");
  world.Create("example.org.", "@ SOA ns1 admin 90 1 1 1 1\n@ NS ns1\n");
  EXPECT_EQ(Answer(world, Request("example.org.", second.get())).kind, Kind::kFull);
}

// RFC 1995 2: what does not fit the datagram is the newest SOA alone.
TEST(Ixfr, Rfc1995Section2_OverUdp) {
  World world;
  world.Create("example.org.", kZone);
  const zone::ZonePtr first = world.Zone("example.org.");
  world.Apply(rsm::ZoneChange{
      N("example.org."),
      {{.owner = N("www.example.org."), .ttl = 60, .rdata = {Rdata(RRType::kA, "192.0.2.81")}}}});
  TransferRequest request = Request("example.org.", first.get(), serve::Transport::kUdp);
  Envelope envelope;
  envelope.id = 7;
  envelope.question = request.query.questions.front();
  auto fits = InOneMessage(envelope, *Answer(world, request).feed, world.clock, 512);
  ASSERT_TRUE(fits);
  TransferReader reader(N("example.org."), first, nullptr);
  EXPECT_EQ(reader.Add(BytesOf(*fits), 7, true), State::kIncremental);
  EXPECT_FALSE(InOneMessage(envelope, *Answer(world, request).feed, world.clock, 100));
  auto soa = InOneMessage(envelope, *SoaFeed(world.Zone("example.org.")), world.clock, 512);
  TransferReader again(N("example.org."), first, nullptr);
  EXPECT_EQ(again.Add(BytesOf(*soa), 7, true), State::kFailed);
  EXPECT_TRUE(again.needs_stream());
}

zone::RRsetEdit RandomEdit(Rng& rng) {
  static constexpr const char* kOwners[] = {"a", "b", "C", "*", "x.y", "sub", "ns.sub"};
  zone::RRsetEdit edit;
  edit.owner = N(std::string(kOwners[rng.Below(std::size(kOwners))]) + ".example.org.");
  edit.type = rng.Chance(1, 2) ? RRType::kA : RRType::kTXT;
  edit.kind = static_cast<zone::RRsetEdit::Kind>(1 + rng.Below(4));
  edit.ttl = static_cast<uint32_t>(60 * (1 + rng.Below(2)));
  for (uint64_t i = rng.Below(3); i > 0; --i) {
    const std::string n = std::to_string(rng.Below(5));
    edit.rdata.push_back(edit.type == RRType::kA ? Rdata(edit.type, "192.0.2." + n)
                                                 : Rdata(edit.type, "\"t" + n + "\""));
  }
  return edit;
}

// Whatever changes, who follows by differences has the same records.
TEST(Ixfr, RandomChangesAreFollowedExactly) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    World world;
    std::string text(kZone);
    for (int i = 0; i < 300; ++i)
      text += "pad" + std::to_string(i) + " TXT \"so that differences are smaller\"\n";
    world.Create("example.org.", text);
    zone::ZonePtr have = world.Zone("example.org.");
    size_t incremental = 0;
    for (int round = 0; round < 25; ++round) {
      for (uint64_t i = rng.Below(6); i > 0; --i) {
        rsm::ZoneChange change{N("example.org."), {}};
        for (uint64_t k = 1 + rng.Below(3); k > 0; --k) change.edits.push_back(RandomEdit(rng));
        world.Apply(std::move(change));
      }
      const zone::ZonePtr now = world.Zone("example.org.");
      const bool same = now->serial() == have->serial();
      have = Follow(world, have, "example.org.", same ? Kind::kCurrent : Kind::kIncremental);
      ASSERT_TRUE(have);
      ASSERT_EQ(zone::ZoneToText(*have), zone::ZoneToText(*now)) << "seed " << seed << " round " << round;
      incremental += !same;
    }
    EXPECT_GT(incremental, 5u);
  }
}

}  // namespace
}  // namespace quorate::api::xfr
