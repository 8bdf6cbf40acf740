#include "wire/writer.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/framing.h"
#include "wire/message.h"
#include "wire/test_util.h"

namespace quorate::wire {
namespace {

std::string W(std::string_view text) { return std::string(dns::Name::FromText(text)->wire()); }
constexpr auto kIN = dns::RRClass::kIN;

struct Out {
  std::array<uint8_t, 65535> buffer;
  Message Parsed(MessageWriter& w) {
    const auto m = ParseMessage(Bytes(buffer).first(w.Finish(1, kFlagQR)));
    EXPECT_TRUE(m.ok());
    return m.ok() ? *m : Message{};
  }
};

TEST(MessageWriter, TheQuestionIsEchoedOctetForOctetAndAnOwnerEqualToItPointsThere) {
  Out out;
  MessageWriter w(out.buffer, 512);
  ASSERT_TRUE(w.AddQuestion(W("wWw.eXample."), 1, 1));
  const size_t before = w.size();
  ASSERT_TRUE(w.AddRecord(Section::kAnswer, W("www.example."), dns::RRType::kA, kIN, 5, "abcd"));
  EXPECT_EQ(w.size() - before, 2u + 10 + 4);
  const Message m = out.Parsed(w);
  EXPECT_EQ(m.questions[0].name.ToText(), "wWw.eXample.");
  EXPECT_EQ(m.answer[0].name.ToText(), "wWw.eXample.");
}

TEST(MessageWriter, Rfc4343Section41TheZonesCaseIsKeptElsewhere) {
  Out out;
  MessageWriter w(out.buffer, 512);
  ASSERT_TRUE(w.AddQuestion(W("www.EXAMPLE."), 1, 1));
  ASSERT_TRUE(w.AddRecord(Section::kAuthority, W("Example."), dns::RRType::kNS, kIN, 5, W("NS.example.")));
  ASSERT_TRUE(w.AddRecord(Section::kAdditional, W("ns.example."), dns::RRType::kA, kIN, 5, "abcd"));
  const Message m = out.Parsed(w);
  EXPECT_EQ(m.authority[0].name.ToText(), "Example.");
  EXPECT_EQ(m.authority[0].rdata, W("NS.example."));
  EXPECT_EQ(m.additional[0].name.ToText(), "ns.example.");
}

TEST(MessageWriter, NothingIsWrittenPastTheLimitAtAnyLimit) {
  const std::string zone_ns = W("ns.example."), owner = W("a.example.");
  for (size_t limit = kHeaderBytes; limit < 120; ++limit) {
    std::vector<uint8_t> buffer(limit + 8, 0xee);
    MessageWriter w(buffer, limit);
    w.AddQuestion(owner, 1, 1);
    const bool reserved = w.Reserve(kOptBytes);
    w.AddRecord(Section::kAuthority, W("example."), dns::RRType::kNS, kIN, 5, zone_ns);
    w.AddRecord(Section::kAdditional, zone_ns, dns::RRType::kTXT, kIN, 5, "\3abc");
    if (reserved) {
      w.Release(kOptBytes);
      EXPECT_TRUE(w.AddOpt({}));
    }
    const size_t size = w.Finish(1, kFlagQR);
    ASSERT_LE(size, limit);
    ASSERT_TRUE(ParseMessage(Bytes(buffer).first(size)).ok()) << limit;
    for (size_t i = limit; i < buffer.size(); ++i) ASSERT_EQ(buffer[i], 0xee);
  }
}

TEST(MessageWriter, Rfc2181Section9AnRRsetIsWrittenWholeOrNotAtAll) {
  Out out;
  MessageWriter w(out.buffer, 100);
  ASSERT_TRUE(w.AddQuestion(W("a."), 1, 1));
  const size_t before = w.size();
  const std::vector<std::string> ten(10, "abcd");
  EXPECT_FALSE(w.AddRRset(Section::kAnswer, W("b."), dns::RRType::kA, kIN, 5, ten));
  EXPECT_EQ(w.size(), before);
  EXPECT_EQ(w.count(Section::kAnswer), 0);
  // What was rolled back is not pointed to afterwards.
  ASSERT_TRUE(w.AddRecord(Section::kAnswer, W("x.b."), dns::RRType::kA, kIN, 5, "abcd"));
  EXPECT_EQ(out.Parsed(w).answer[0].name.ToText(), "x.b.");
}

TEST(MessageWriter, CompressionWorksBeyondItsTableAndBeyondThePointersReach) {
  Out out;
  MessageWriter w(out.buffer, 65535);
  ASSERT_TRUE(w.AddQuestion(W("example."), 2, 1));
  size_t written = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string owner = W("host" + std::to_string(i) + ".sub" + std::to_string(i % 7) + ".example.");
    if (w.AddRecord(Section::kAnswer, owner, dns::RRType::kNS, kIN, 5, owner)) ++written;
  }
  const Message m = out.Parsed(w);
  ASSERT_EQ(m.answer.size(), written);
  EXPECT_GT(written, 1500u);
  for (size_t i = 0; i < written; ++i)
    EXPECT_EQ(m.answer[i].name.ToText(),
              "host" + std::to_string(i) + ".sub" + std::to_string(i % 7) + ".example.");
}

TEST(MessageWriter, RdataThatIsNotOfItsTypesFormGoesOutAsItIs) {
  Out out;
  MessageWriter w(out.buffer, 512);
  const size_t before = w.size();
  ASSERT_TRUE(w.AddRecord(Section::kAnswer, W("."), dns::RRType::kMX, kIN, 5, "\1"));
  EXPECT_EQ(w.size() - before, 1u + 10 + 1);
}

TEST(Framing, AFrameIsTakenOnlyWhenAllOfItIsThere) {
  const auto stream = Hex("0003 010203 0001 04");
  EXPECT_FALSE(FirstFrame(Bytes(stream).first(1)).has_value());
  EXPECT_FALSE(FirstFrame(Bytes(stream).first(4)).has_value());
  ASSERT_TRUE(FirstFrame(stream).has_value());
  EXPECT_EQ(FirstFrame(stream)->size(), 3u);
  EXPECT_EQ(FirstFrame(Bytes(stream).subspan(5))->size(), 1u);
  EXPECT_EQ(FirstFrame(Hex("0000"))->size(), 0u);
}

}  // namespace
}  // namespace quorate::wire
