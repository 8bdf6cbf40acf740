#include "dns/name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace quorate::dns {
namespace {

using std::string_literals::operator""s;

Name N(std::string_view text) {
  auto name = Name::FromText(text);
  EXPECT_TRUE(name.ok()) << text;
  return *name;
}

// Names of few letters, so that equal labels, prefixes and odd octets are common.
Name RandomName(Rng& rng) {
  static const std::string kOctets = "ab\0\1\2A*.\xff"s;
  std::string wire;
  const uint64_t labels = rng.Below(5);
  for (uint64_t i = 0; i < labels; ++i) {
    const uint64_t length = 1 + rng.Below(3);
    wire.push_back(static_cast<char>(length));
    for (uint64_t k = 0; k < length; ++k) wire.push_back(kOctets[rng.Below(kOctets.size())]);
  }
  return *Name::FromWire(wire + '\0');
}

TEST(Name, TextIsAbsoluteAndKeepsItsCase) {
  EXPECT_EQ(N("www.Example.org").ToText(), "www.Example.org.");
  EXPECT_EQ(N("www.Example.org.").wire(), "\3www\7Example\3org\0"s);
  EXPECT_EQ(N(".").ToText(), ".");
}

TEST(Name, Rfc1035Section51EscapesAreReadAndWritten) {
  EXPECT_EQ(N("a\\.b.c").wire(), "\3a.b\1c\0"s);
  EXPECT_EQ(N("a\\000\\255x.").ToText(), "a\\000\\255x.");
  EXPECT_EQ(N("\\@.\\\\").ToText(), "\\@.\\\\.");
  EXPECT_EQ(N("a\\\"b\\;c\\(").ToText(), "a\\\"b\\;c\\(.");
}

TEST(Name, ARelativeNameIsCompletedWithTheOriginAndAtIsTheOrigin) {
  const Name origin = N("example.org");
  EXPECT_EQ(*Name::FromText("www", origin), N("www.example.org"));
  EXPECT_EQ(*Name::FromText("@", origin), origin);
  EXPECT_EQ(*Name::FromText("\\@", origin), N("\\@.example.org"));
  EXPECT_EQ(*Name::FromText("www.", origin), N("www"));
}

TEST(Name, MalformedTextIsAnErrorThatSaysWhy) {
  for (const std::string& bad : {""s, "a..b"s, ".a"s, "a\\"s, "a\\25"s, "a\\256"s, std::string(64, 'a')}) {
    EXPECT_FALSE(Name::FromText(bad).ok()) << bad;
  }
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  EXPECT_EQ(N(longest).wire().size(), 255u);
  EXPECT_THAT(Name::FromText("a." + longest).error(), testing::HasSubstr("255"));
}

TEST(Name, Rfc1035Section314MalformedWireIsRefused) {
  EXPECT_FALSE(Name::FromWire(""));
  EXPECT_FALSE(Name::FromWire("\3ab"));
  EXPECT_FALSE(Name::FromWire("\1a"));
  EXPECT_FALSE(Name::FromWire("\1a\0\0"s));
  EXPECT_FALSE(Name::FromWire("\xc0\0"s));
  EXPECT_FALSE(Name::FromWire("\x40"s + std::string(64, 'a') + '\0'));
  std::string wire;
  for (int i = 0; i < 127; ++i) wire += "\1a";
  EXPECT_TRUE(Name::FromWire(wire + '\0'));
  EXPECT_FALSE(Name::FromWire(wire + "\1a\0"s));
}

TEST(Name, Rfc4343ComparisonIgnoresTheCaseOfAsciiLettersOnly) {
  EXPECT_EQ(N("WwW.example"), N("www.EXAMPLE"));
  EXPECT_NE(N("\\224.x"), N("\\192.x"));
  EXPECT_NE(N("[.x"), N("{.x"));
}

TEST(Name, Rfc4034Section61OrdersNamesByLabelFromTheRoot) {
  const std::vector<std::string> ordered = {"example",         "a.example",      "yljkjljk.a.example",
                                            "Z.a.example",     "zABC.a.EXAMPLE", "z.example",
                                            "\\001.z.example", "*.z.example",    "\\200.z.example"};
  for (size_t i = 0; i + 1 < ordered.size(); ++i) {
    EXPECT_LT(N(ordered[i]), N(ordered[i + 1]));
    EXPECT_LT(N(ordered[i]).CanonicalKey(), N(ordered[i + 1]).CanonicalKey());
  }
}

TEST(Name, TheCanonicalKeySortsAsNamesDoAndReadsBack) {
  Rng rng(1);
  for (int i = 0; i < 100000; ++i) {
    const Name a = RandomName(rng), b = RandomName(rng);
    const std::string ka = a.CanonicalKey(), kb = b.CanonicalKey();
    ASSERT_EQ(a <=> b, ka <=> kb) << a.ToText() << " " << b.ToText();
    ASSERT_EQ(a == b, ka == kb);
    ASSERT_EQ(Name::FromCanonicalKey(ka)->wire(), a.Folded().wire());
    ASSERT_EQ(N(a.ToText()).wire(), a.wire());
    ASSERT_EQ(a.IsAtOrBelow(b), ka.starts_with(kb));
  }
}

TEST(Name, AMalformedCanonicalKeyIsRefused) {
  EXPECT_EQ(Name::FromCanonicalKey("")->ToText(), ".");
  for (const std::string& bad : {"org"s, "\0"s, "or\1\0"s, "Org\0"s, "a\0\0"s, std::string(64, 'a') + '\0'}) {
    EXPECT_FALSE(Name::FromCanonicalKey(bad));
  }
}

TEST(Name, ParentAndAncestryGoByWholeLabels) {
  EXPECT_EQ(N("a.b.c").Parent(), N("b.c"));
  EXPECT_EQ(Name().Parent(), Name());
  EXPECT_TRUE(N("a.example").IsAtOrBelow(N("EXAMPLE")));
  EXPECT_FALSE(N("anexample").IsAtOrBelow(N("example")));
  EXPECT_TRUE(N("*.x").IsWildcard());
  EXPECT_FALSE(N("*a.x").IsWildcard());
  EXPECT_EQ(N("a.b.c").LabelCount(), 3u);
}

}  // namespace
}  // namespace quorate::dns
