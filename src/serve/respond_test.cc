#include "serve/respond.h"

#include <gtest/gtest.h>

#include <array>

#include "serve/counting_new.h"
#include "serve/test_util.h"

namespace quorate::serve {
namespace {

const char kZone[] =
    "@ 600 SOA ns1 admin 7 3600 600 86400 300\n@ NS ns1\nns1 A 192.0.2.53\n@ MX 10 ns1\n* TXT wildcard\na "
    "CNAME b\n"
    "b CNAME c\nc A 192.0.2.1\nchild NS ns.child\nns.child A 192.0.2.2\nd DNAME e\nx.e TXT y\n"
    "svc HTTPS 0 svc2\nsvc2 HTTPS 1 .\nsvc NAPTR 1 1 s x \"\" srv\nsrv SRV 0 0 1 ns1\n";

TEST(Respond, AllocatesNothing) {
  zone::Keyring keyring;
  keyring.cookies = {.current = {1, 2, 3}};
  const auto zones = std::make_shared<const zone::ZoneSet>(
      ZonesFrom("example.", kZone)->WithKeyring(std::make_shared<const zone::Keyring>(keyring)));
  const RespondConfig config{
      .chaos = true, .version = "v", .id = "i", .health = LeaderHealth::kLeader, .nsid = "n"};
  std::array<uint8_t, 4096> out;
  std::vector<std::string> queries;
  for (const char* name : {"example.", "a.example.", "x.child.example.", "x.d.example.", "any.example.",
                           "elsewhere.", "svc.example."})
    for (const auto type : {dns::RRType::kA, dns::RRType::kMX, dns::RRType::kTXT, dns::RRType::kNS,
                            dns::RRType::kANY, dns::RRType::kHTTPS, dns::RRType::kNAPTR})
      queries.push_back(Query(1, name, type));
  wire::Message options = wire::MakeQuery(1, *dns::Name::FromText("example."), dns::RRType::kSOA);
  for (const uint16_t code : {kOptionNsid, kOptionExpire, kOptionZoneVersion})
    options.edns->options.push_back({code, ""});
  options.edns->options.push_back({kOptionCookie, "abcdefgh"});
  queries.push_back(*wire::EncodeMessage(options));
  zone::Touches touches;
  for (int i = 0; i < 50; ++i)
    touches.subtrees.push_back(*dns::Name::FromText("n" + std::to_string(i) + "."));
  const auto view = ViewOf(zones, LogIndex{1}, zone::PendingChanges::With(nullptr, LogIndex{2}, touches));
  const size_t before = AllocationsOfThisThread();
  size_t answered = 0;
  for (const std::string& query : queries) {
    answered += Respond(wire::AsBytes(query), *view, Transport::kUdp, config, out).size > 0 ? 1 : 0;
  }
  EXPECT_EQ(AllocationsOfThisThread(), before);
  EXPECT_EQ(answered, queries.size());
}

TEST(Respond, AllOptionsFitBesideTheLongestQuestionWithin512Octets) {
  zone::Keyring keyring;
  keyring.cookies = {.current = {1, 2, 3}};
  const auto zones = std::make_shared<const zone::ZoneSet>(
      ZonesFrom("example.", kZone)->WithKeyring(std::make_shared<const zone::Keyring>(keyring)));
  const RespondConfig config{.nsid = std::string(kNsidBytesMax, 'n'), .keepalive = 1};
  const std::string label(63, 'x');
  const std::string longest = label + "." + label + "." + label + "." + std::string(52, 'y') + ".example.";
  wire::Message query = wire::MakeQuery(1, *dns::Name::FromText(longest), dns::RRType::kSOA);
  ASSERT_EQ(query.questions[0].name.wire().size(), 254u);
  query.edns->udp_size = 512;
  for (const uint16_t code : {kOptionNsid, kOptionExpire, kOptionZoneVersion, kOptionKeepalive})
    query.edns->options.push_back({code, ""});
  query.edns->options.push_back({kOptionCookie, "abcdefgh"});
  std::array<uint8_t, 512> out;
  for (const Transport transport : {Transport::kUdp, Transport::kTcp, Transport::kTls}) {
    const std::string bytes = *wire::EncodeMessage(query);
    const size_t size = Respond({wire::AsBytes(bytes), transport}, *ViewOf(zones), config, out,
                                zone::kWholeLog, ExtendedError::kStaleAnswer)
                            .size;
    const auto answer = wire::ParseMessage(wire::Bytes(out).first(size));
    ASSERT_TRUE(answer.ok());
    ASSERT_TRUE(answer->edns.has_value());
    EXPECT_EQ(answer->edns->options.size(), transport == Transport::kUdp ? 4u : 5u);
  }
}

TEST(Respond, TheUdpLimitIsTheSmallerOfOursAndTheClients) {
  const auto zones = ExampleZones("192.0.2.1", 18);  // of about 3800 octets
  std::array<uint8_t, 8192> out;
  const auto size_with = [&](uint16_t ours, uint16_t clients) {
    wire::Message query = wire::MakeQuery(1, *dns::Name::FromText("big.example."), dns::RRType::kTXT);
    query.edns->udp_size = clients;
    const size_t size = Respond(wire::AsBytes(*wire::EncodeMessage(query)), *zones, Transport::kUdp,
                                {.udp_size_max = ours}, out);
    const auto parsed = wire::ParseMessage(wire::Bytes(out).first(size));
    EXPECT_EQ(parsed->tc, parsed->answer.empty());
    return size;
  };
  EXPECT_LT(size_with(1232, 4096), 100u);
  EXPECT_LT(size_with(4096, 1232), 100u);
  EXPECT_GT(size_with(4096, 4096), 3700u);
}

// What fuzz/respond.cc does for hours, for a moment (and with GCC): damaged requests get well-formed
// responses.
TEST(Respond, DamagedRequestsGetWellFormedResponsesWithinTheLimit) {
  const auto zones = ZonesFrom("example.", kZone);
  const RespondConfig config{.chaos = true, .version = "v", .id = "i"};
  std::vector<uint8_t> out(65535);
  Rng rng(4);
  std::vector<std::vector<uint8_t>> seeds;
  for (const char* name : {"a.example.", "x.child.example.", "x.d.example.", "nothing.c.example."}) {
    const std::string query = Query(77, name);
    seeds.emplace_back(query.begin(), query.end());
  }
  size_t silent = 0, refused = 0, answered = 0;
  for (int i = 0; i < 150000; ++i) {
    const auto request = wire::Damage(seeds[rng.Below(seeds.size())], rng);
    const size_t size = Respond(request, *zones, Transport::kUdp, config, out);
    ASSERT_LE(size, 1232u);
    if (size == 0) {
      ++silent;
      continue;
    }
    const auto response = wire::ParseMessage(wire::Bytes(out).first(size));
    ASSERT_TRUE(response.ok()) << i;
    ASSERT_TRUE(response->response);
    ASSERT_EQ(wire::LoadU16(out.data()), wire::LoadU16(request.data()));
    ++(response->rcode == dns::Rcode::kNoError ? answered : refused);
  }
  EXPECT_GT(silent, 1000u);
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(answered, 1000u);
}

}  // namespace
}  // namespace quorate::serve
