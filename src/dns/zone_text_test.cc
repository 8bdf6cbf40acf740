// Trap 45: zone files, by RFC section. Each row is a text and the records it stands for, or its error.
#include "dns/zone_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/limits.h"
#include "base/rng.h"
#include "dns/entry_splitter.h"
#include "dns/generate.h"

namespace quorate::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::vector<std::string> records;  // "owner ttl type rdata"
  std::vector<std::string> errors;   // "file:line:column: what"
};

using Files = std::map<std::string, std::string>;

ZoneTextOptions OptionsOver(const Files& files) {
  ZoneTextOptions options{.origin = *Name::FromText("example."), .default_ttl = 3600, .name = "zone"};
  options.include = [&files](const std::string& named,
                             const std::string&) -> Result<ZoneTextSource, TextError> {
    const auto found = files.find(named);
    if (found == files.end()) return TextError{.what = "no file " + named};
    // In parts of three octets: nothing may hang on where a text is cut.
    return ZoneTextSource{named, [&text = found->second, at = size_t{0}]() mutable {
                            const size_t begin = std::min(at, text.size());
                            at = begin + 3;
                            return Result<std::string, TextError>(text.substr(begin, 3));
                          }};
  };
  return options;
}

Read ReadZone(const std::string& text, const Files& files = {}, size_t part = 7) {
  Read out;
  ZoneTextParser parser(
      OptionsOver(files),
      [&](TextRecord&& record) -> std::string {
        if (record.owner == *Name::FromText("refused.example.")) return "the caller refuses it";
        out.records.push_back(record.owner.ToText() + " " + std::to_string(record.ttl) + " " +
                              TypeToText(record.type) + " " + RdataToText(record.type, record.rdata));
        return "";
      },
      [&](TextError&& error) {
        out.errors.push_back(error.file + ":" + std::to_string(error.line) + ":" +
                             std::to_string(error.column) + ": " + error.what);
        return true;
      });
  bool going = true;
  for (size_t at = 0; going && at < text.size(); at += part) going = parser.Feed(text.substr(at, part));
  if (going) parser.Finish();
  return out;
}

struct Good {
  const char* rfc;
  std::string text;
  std::vector<std::string> records;
};

TEST(ZoneFile, WhatTheRfcsAllowIsRead) {
  const std::vector<Good> table = {
      {"1035 5.1: a blank owner is the last owner",
       "a 60 A 192.0.2.1\n  A 192.0.2.2\n\tA 192.0.2.3\n",
       {"a.example. 60 A 192.0.2.1", "a.example. 60 A 192.0.2.2", "a.example. 60 A 192.0.2.3"}},
      {"1035 5.1: a blank owner is the last owner, whatever the origin is now",
       "a 60 A 192.0.2.1\n$ORIGIN sub.example.\n  A 192.0.2.2\nb A 192.0.2.3\n",
       {"a.example. 60 A 192.0.2.1", "a.example. 60 A 192.0.2.2", "b.sub.example. 60 A 192.0.2.3"}},
      {"1035 5.1: TTL and class in either order, or neither",
       "a 60 IN A 192.0.2.1\nb IN 61 A 192.0.2.2\nc IN A 192.0.2.3\nd 62 A 192.0.2.4\n",
       {"a.example. 60 A 192.0.2.1", "b.example. 61 A 192.0.2.2", "c.example. 61 A 192.0.2.3",
        "d.example. 62 A 192.0.2.4"}},
      {"1035 5.1: without $TTL the last TTL stands, before any the default",
       "a A 192.0.2.1\nb 60 A 192.0.2.2\nc A 192.0.2.3\n",
       {"a.example. 3600 A 192.0.2.1", "b.example. 60 A 192.0.2.2", "c.example. 60 A 192.0.2.3"}},
      {"2308 4: $TTL stands until the next one, whatever TTLs were given since; not the SOA's MINIMUM",
       "$TTL 5\n@ 60 SOA ns h 1 2 3 4 99\na A 192.0.2.1\n$TTL 7\nb A 192.0.2.2\n",
       {"example. 60 SOA ns.example. h.example. 1 2 3 4 99", "a.example. 5 A 192.0.2.1",
        "b.example. 7 A 192.0.2.2"}},
      {"BIND's units of time, in TTLs and in SOA",
       "$TTL 1h30m\na A 192.0.2.1\nb 1w2d A 192.0.2.2\n@ SOA ns h 1 2h 1D 1W 30S\n",
       {"a.example. 5400 A 192.0.2.1", "b.example. 777600 A 192.0.2.2",
        "example. 5400 SOA ns.example. h.example. 1 7200 86400 604800 30"}},
      {"2181 8: a TTL with its highest bit set is 0",
       "a 2147483647 A 192.0.2.1\nb 2147483648 A 192.0.2.2\nc 4294967295 A 192.0.2.3\n",
       {"a.example. 2147483647 A 192.0.2.1", "b.example. 0 A 192.0.2.2", "c.example. 0 A 192.0.2.3"}},
      {"1035 5.1: \\DDD and \\X, \\. within a label",
       "a\\.b 1 A 192.0.2.1\n\\097 1 A 192.0.2.2\nt 1 TXT \\065\\;\\\" \"\\\\ \\007\"\n",
       {"a\\.b.example. 1 A 192.0.2.1", "a.example. 1 A 192.0.2.2",
        "t.example. 1 TXT \"A;\\\"\" \"\\\\ \\007\""}},
      {"1035 5.1: @ is the origin only by itself and unescaped",
       "@ 1 A 192.0.2.1\n\\@ 1 A 192.0.2.2\na\\@ 1 NS @\n",
       {"example. 1 A 192.0.2.1", "\\@.example. 1 A 192.0.2.2", "a\\@.example. 1 NS example."}},
      {"1035 5.1: parentheses across lines, comments in them, quoted ; ( and )",
       "@ 9 SOA ns ( h ; first ( comment\n 1 2 ; \" quote\n\n 3 4 5 )\nt TXT \"a;b\" ( \"(\"\n \")\" ) ; "
       "end\n",
       {"example. 9 SOA ns.example. h.example. 1 2 3 4 5", "t.example. 9 TXT \"a;b\" \"(\" \")\""}},
      {"1035 5.1: a quoted string in parentheses may hold a line's end",
       "t 1 TXT (\"a\nb\")\n",
       {"t.example. 1 TXT \"a\\010b\""}},
      {"1035 5.1: $ORIGIN, relative too",
       "$ORIGIN sub\na 1 A 192.0.2.1\n$ORIGIN deep\nb 1 NS a\n$origin .\nc 1 NS @\n",
       {"a.sub.example. 1 A 192.0.2.1", "b.deep.sub.example. 1 NS a.deep.sub.example.", "c. 1 NS ."}},
      {"lines that end in CR LF, in parentheses and comments too",
       "a 1 A 192.0.2.1\r\n@ SOA ns h (1 2\r\n 3 ; c\r\n 4 5)\r\n\r\nb TXT \"x\" ; c\r\n",
       {"a.example. 1 A 192.0.2.1", "example. 1 SOA ns.example. h.example. 1 2 3 4 5",
        "b.example. 1 TXT \"x\""}},
      {"3597 5: the generic form, also of types that are known",
       "a 1 A \\# 4 C0000201\na TYPE1 192.0.2.2\nb TYPE65280 \\# 3 ab ( cd\n ef )\n",
       {"a.example. 1 A 192.0.2.1", "a.example. 1 A 192.0.2.2", "b.example. 1 TYPE65280 \\# 3 ABCDEF"}},
      {"the last line needs no end",
       "a 1 A 192.0.2.1\nb A 192.0.2.2",
       {"a.example. 1 A 192.0.2.1", "b.example. 1 A 192.0.2.2"}},
      {"7344 4, 8078 4: CDS and CDNSKEY that ask for deletion",
       "@ 1 CDS 0 0 0 00\n@ CDNSKEY 0 3 0 AA==\n",
       {"example. 1 CDS 0 0 0 00", "example. 1 CDNSKEY 0 3 0 AA=="}},
      {"a string of 255 octets is whole",
       "t 1 TXT " + std::string(255, 'x') + "\n",
       {"t.example. 1 TXT \"" + std::string(255, 'x') + "\""}},
      {"nothing at all", " \n; only a comment\n\n", {}},
  };
  for (const Good& row : table) {
    for (const size_t part : {size_t{1}, size_t{7}, size_t{100000}}) {
      const Read read = ReadZone(row.text, {}, part);
      EXPECT_EQ(read.records, row.records) << row.rfc << " in parts of " << part;
      EXPECT_THAT(read.errors, IsEmpty()) << row.rfc;
    }
  }
}

struct Bad {
  const char* rfc;
  std::string text;
  std::string error;  // begins so
};

TEST(ZoneFile, WhatTheyForbidIsAnErrorWithItsLineAndReason) {
  const std::vector<Bad> table = {
      {"1035 5.1: no owner yet", "\n  A 192.0.2.1\n", "zone:2:1: "},
      {"1035 3.3: a string of more than 255 octets",
       "a 1 A 192.0.2.1\nt 1 TXT ok ( \"b\"\n \"" + std::string(256, 'x') + "\" )\n",
       "zone:3:2: a text string of 256 octets: 255 is the most"},
      {"1035 3.3: the same of escapes", "t 1 TXT " + std::string(255, 'x') + "\\065\n",
       "zone:1:9: a text string of 256 octets"},
      {"1035 3.3: HINFO", "t 1 HINFO a " + std::string(256, 'x') + "\n", "zone:1:13: "},
      {"1035 2.3.4: a label of 64 octets", std::string(64, 'x') + " 1 A 192.0.2.1\n", "zone:1:1: "},
      {"1035 2.3.4: a name of 256 octets",
       std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
           std::string(54, 'd') + " 1 A 192.0.2.1\n",
       "zone:1:1: "},
      {"1035 5.1: class CH", "a CH TXT x\n", "zone:1:3: class CH is not served: only IN is"},
      {"1035 5.1: class HS after a TTL", "a 1 hs A 192.0.2.1\n", "zone:1:5: class hs is not served"},
      {"an unknown type", "a 1 IN FOO x\n", "zone:1:8: unsupported record type: \"FOO\""},
      {"a meta type", "a 1 TYPE252 \\# 0\n", "zone:1:1: AXFR is a query or meta type"},
      {"a TTL of 33 bits", "a 4294967296 A 192.0.2.1\n", "zone:1:3: "},
      {"a bad $TTL", "$TTL soon\n", "zone:1:6: "},
      {"a bad $ORIGIN", "\n$ORIGIN a..b.\n", "zone:2:1: the origin `a..b.`: "},
      {"an $ORIGIN without a name", "$ORIGIN ; none\n", "zone:1:1: $ORIGIN takes one name"},
      {"a directive that nobody knows", "$NONSENSE x\n", "zone:1:1: "},
      {"a parenthesis that is not closed", "a 1 A 192.0.2.1\nb 1 TXT ( x\ny\nz\n", "zone:"},
      {"a parenthesis that was not opened", "a 1 A 192.0.2.1 )\n", "zone:1:"},
      {"a quote that is not closed", "a 1 TXT \"x\nb 1 A 192.0.2.1\n", "zone:1:"},
      {"3597 5: a generic form of a wrong length", "a 1 A \\# 3 C0000201\n", "zone:1:"},
      {"3597 5: a generic form that is no A", "a 1 A \\# 3 C00002\n",
       "zone:1:1: rdata is not valid for type A"},
      {"what the caller refuses", "a 1 A 192.0.2.1\n\nrefused 1 A 192.0.2.1\n",
       "zone:3:1: the caller refuses it"},
      {"a record of more than 1 MiB", "a 1 TXT (\n" + std::string(limits::kZoneEntryBytesMax, '\n') + ")\n",
       "zone:1:1: this record is longer than 1 MiB"},
  };
  for (const Bad& row : table) {
    for (const size_t part : {size_t{3}, size_t{1} << 24}) {
      const Read read = ReadZone(row.text, {}, part);
      ASSERT_FALSE(read.errors.empty()) << row.rfc;
      EXPECT_THAT(read.errors.front(), testing::StartsWith(row.error)) << row.rfc;
    }
  }
}

TEST(ZoneFile, AnErrorHidesNoOther) {
  const Read read = ReadZone(
      "a 60 A 192.0.2.1\nb A 192.0.2.999\nc A 192.0.2.3\nd SOA a b ( 1 2x\n 3 4 5 )\n$TTL x\n  A 192.0.2.4\n"
      "e CH A 192.0.2.5\nf A 192.0.2.6\n");
  EXPECT_THAT(read.records, ElementsAre("a.example. 60 A 192.0.2.1", "c.example. 60 A 192.0.2.3",
                                        "d.example. 60 A 192.0.2.4", "f.example. 60 A 192.0.2.6"));
  EXPECT_THAT(read.errors, ElementsAre(HasSubstr("zone:2:5:"), HasSubstr("zone:4:"), HasSubstr("zone:6:"),
                                       HasSubstr("zone:8:3:")));
}

// --- $INCLUDE ---

TEST(ZoneFile, Rfc1035Section51AnIncludedFileChangesNothingOfTheOneThatNamesIt) {
  const Files files = {
      {"one", "$TTL 5\n@ A 192.0.2.2\nx A 192.0.2.3\n$ORIGIN elsewhere.example.\ny A 192.0.2.4\n"},
      {"a file", "z NS x"}};
  const Read read = ReadZone(
      "$TTL 60\na A 192.0.2.1\n$INCLUDE one sub\n  A 192.0.2.5\nb A 192.0.2.6\n"
      "$INCLUDE \"a file\"\n$include a\\032file sub.example. ; again\n",
      files);
  EXPECT_THAT(read.errors, IsEmpty());
  EXPECT_THAT(read.records,
              ElementsAre("a.example. 60 A 192.0.2.1", "sub.example. 5 A 192.0.2.2",
                          "x.sub.example. 5 A 192.0.2.3", "y.elsewhere.example. 5 A 192.0.2.4",
                          "a.example. 60 A 192.0.2.5", "b.example. 60 A 192.0.2.6",
                          "z.example. 60 NS x.example.", "z.sub.example. 60 NS x.sub.example."));
}

TEST(ZoneFile, ErrorsOfAnIncludedFileNameItAndItsLine) {
  const Read read = ReadZone("a A 192.0.2.1\n$INCLUDE one\n$INCLUDE none\nb A x\n", {{"one", "\nc A y\n"}});
  EXPECT_THAT(read.errors, ElementsAre(HasSubstr("one:2:"), "zone:3:1: no file none", HasSubstr("zone:4:")));
}

TEST(ZoneFile, AFileThatIncludesItselfEndsAtABound) {
  const Read read = ReadZone("$INCLUDE self\n", {{"self", "a 1 A 192.0.2.1\n$INCLUDE self\n"}});
  EXPECT_EQ(read.records.size(), limits::kIncludeDepthMax);
  EXPECT_THAT(read.errors, ElementsAre("self:2:1: $INCLUDE is nested more than 8 deep"));
  std::string many;
  for (size_t i = 0; i <= limits::kIncludesMax; ++i) many += "$INCLUDE one\n";
  EXPECT_THAT(ReadZone(many, {{"one", "a 1 A 192.0.2.1\n"}}).errors,
              ElementsAre("zone:1001:1: more than 1000 files are included"));
}

TEST(ZoneFile, WithoutFilesIncludeIsRefused) {
  const auto error =
      ParseZoneText("a A 1.1.1.1\n$INCLUDE /etc/passwd\n", {}, [](TextRecord&&) { return std::string(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->line, 2u);
  EXPECT_THAT(error->what, HasSubstr("$INCLUDE refused"));
}

// --- $GENERATE, as BIND 9 has it ---

std::vector<std::string> Generated(std::string_view range, std::string_view pattern) {
  std::vector<std::string> out;
  const auto fault = Generate(range, pattern, [&](const std::string& line) {
    out.push_back(line);
    return true;
  });
  EXPECT_FALSE(fault) << *fault;
  return out;
}

TEST(Generate, ADollarIsTheNumberMovedPaddedAndPrintedAsAsked) {
  EXPECT_THAT(Generated("1-3", "h$ A 192.0.2.$"),
              ElementsAre("h1 A 192.0.2.1", "h2 A 192.0.2.2", "h3 A 192.0.2.3"));
  EXPECT_THAT(Generated("0-10/5", "$"), ElementsAre("0", "5", "10"));
  EXPECT_THAT(Generated("9-10", "${0,3}.${-9}.${1,0,x}.${0,4,X}.${0,0,o}"),
              ElementsAre("009.0.a.0009.11", "010.1.b.000A.12"));
  EXPECT_THAT(Generated("18-18", "${0,0,n} ${0,7,n} ${0,0,N}"), ElementsAre("2.1 2.1.0.0 2.1"));
  EXPECT_THAT(Generated("1-1", "a\\$b\\\\$ ${-3,4}"), ElementsAre("a$b\\\\1 -002"));
}

TEST(Generate, WhatIsMalformedIsSaid) {
  for (const char* range :
       {"", "1", "3-1", "1-2/0", "-1-2", "1-2x", "a-b", "1-99999999999", "1-2/", "1--2"}) {
    EXPECT_TRUE(Generate(range, "$", [](const std::string&) { return true; })) << range;
  }
  for (const char* pattern :
       {"${", "${}", "${x}", "${0,-1}", "${0,64}", "${0,0,q}", "${-5,0,x}", "${0,0,x,y}"}) {
    EXPECT_TRUE(Generate("1-2", pattern, [](const std::string&) { return true; })) << pattern;
  }
  EXPECT_FALSE(Generate("0-65535", "$", [](const std::string&) { return true; }));
  EXPECT_THAT(*Generate("0-65536", "$", [](const std::string&) { return true; }), HasSubstr("65536"));
}

TEST(ZoneFile, GenerateStandsForALineOfEachNumber) {
  const Read read = ReadZone(
      "$TTL 60\n$ORIGIN 2.0.192.in-addr.arpa.\n$GENERATE 1-2 $ PTR host${0,2}.example. ; c\n"
      "$generate 3-3 $ 5 IN TXT \"a $ b\"\n  TXT c\n");
  EXPECT_THAT(read.errors, IsEmpty());
  EXPECT_THAT(read.records,
              ElementsAre("1.2.0.192.in-addr.arpa. 60 PTR host01.example.",
                          "2.2.0.192.in-addr.arpa. 60 PTR host02.example.",
                          "3.2.0.192.in-addr.arpa. 5 TXT \"a 3 b\"", "3.2.0.192.in-addr.arpa. 60 TXT \"c\""));
}

TEST(ZoneFile, AFaultOfGenerateIsToldOnceWithItsLine) {
  EXPECT_THAT(ReadZone("\n$GENERATE 254-260 h$ 1 A 192.0.2.$\n").errors,
              ElementsAre(HasSubstr("zone:2:1: invalid IPv4 address")));
  EXPECT_THAT(ReadZone("$GENERATE 1-2 h$ A\n").errors, ElementsAre(HasSubstr("zone:1:1:")));
  EXPECT_THAT(ReadZone("$GENERATE 1-2\n").errors, ElementsAre(HasSubstr("zone:1:1: $GENERATE takes")));
  EXPECT_THAT(ReadZone("$GENERATE 0-99999 h$ A 192.0.2.1\n").errors,
              ElementsAre(HasSubstr("100000 records")));
  std::string many;
  for (int i = 0; i < 16; ++i) many += "$GENERATE 0-65535 h$ 1 A 192.0.2.1\n";
  const Read read = ReadZone(many);
  EXPECT_EQ(read.records.size(), limits::kGeneratedMax);
  EXPECT_THAT(read.errors, ElementsAre(HasSubstr("zone:16:1: all $GENERATE together")));
}

// Wherever a text is cut into parts: the same records and errors.
TEST(ZoneFile, AnyOctetsInAnyPartsAreReadAlike) {
  const std::vector<std::string> words = {"a",
                                          "\n",
                                          " ",
                                          "(",
                                          ")",
                                          "\"",
                                          ";",
                                          "\\",
                                          "@",
                                          "$ORIGIN ",
                                          "A ",
                                          "60 ",
                                          "IN ",
                                          "TXT ",
                                          "$TTL ",
                                          "192.0.2.1",
                                          "\r\n",
                                          "\\065",
                                          "$GENERATE 1-2 $ ",
                                          "\\# ",
                                          "CH ",
                                          "$INCLUDE f ",
                                          "x.",
                                          "\t"};
  Rng rng(45);
  const Files files = {{"f", "i TXT i\n( \""}};
  size_t records = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (uint64_t n = rng.Below(40); n > 0; --n) text += words[rng.Below(words.size())];
    const Read whole = ReadZone(text, files, size_t{1} << 20);
    const Read parts = ReadZone(text, files, 1 + rng.Below(5));
    ASSERT_EQ(whole.records, parts.records) << text;
    ASSERT_EQ(whole.errors, parts.errors) << text;
    records += whole.records.size();
  }
  EXPECT_GT(records, 50u);
}

}  // namespace
}  // namespace quorate::dns
