#include "wire/tsig.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "wire/endian.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/test_util.h"

namespace quorate::wire {
namespace {

using dns::TsigAlgorithm;

constexpr uint64_t kNow = 1700000000;
constexpr TsigAlgorithm kAll[] = {TsigAlgorithm::kHmacMd5,    TsigAlgorithm::kHmacSha1,
                                  TsigAlgorithm::kHmacSha224, TsigAlgorithm::kHmacSha256,
                                  TsigAlgorithm::kHmacSha384, TsigAlgorithm::kHmacSha512};

std::string Secret() {
  std::string secret;
  for (int i = 1; i <= 40; ++i) secret.push_back(static_cast<char>(i));
  return secret;
}

dns::Name N(std::string_view text) { return *dns::Name::FromText(text); }

struct Fixture {
  dns::Name name = N("kEy.example.");
  std::string secret = Secret();
  TsigAlgorithm algorithm = TsigAlgorithm::kHmacSha256;

  TsigKeyView view() const { return {name.wire(), algorithm, secret}; }
  TsigKeyLookup lookup() const {
    return [this](dns::NameView asked) -> std::optional<TsigKeyView> {
      if (!dns::SameName(asked, name.wire())) return std::nullopt;
      return view();
    };
  }
  TsigCheck Check(std::string_view message, uint64_t now = kNow, const TsigPolicy& policy = {}) const {
    return CheckTsig(AsBytes(message), lookup(), now, policy);
  }
};

// Messages that dnspython signed (tests/data/tsig/make.py).
std::string Known(const std::string& name) {
  std::ifstream in(QUORATE_SOURCE_DIR "/tests/data/tsig/known_answers.txt");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string key, hex;
    if (words >> key >> hex && key == name) {
      const auto bytes = Hex(hex);
      return {bytes.begin(), bytes.end()};
    }
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

std::string Plain(const std::string& known) {
  TsigRecord record;
  EXPECT_EQ(FindTsig(AsBytes(known), record), TsigStatus::kVerified);
  return WithoutTsig(AsBytes(known), record);
}

uint16_t RcodeOf(std::string_view message) { return LoadHeader(AsBytes(message)).rcode(); }

TsigRecord RecordOf(std::string_view message) {
  TsigRecord record;
  EXPECT_EQ(FindTsig(AsBytes(message), record), TsigStatus::kVerified);
  return record;
}

std::string Query() { return *EncodeMessage(MakeQuery(7, N("www.example.org."), dns::RRType::kA)); }

TEST(Tsig, KnownRequestsAndAnswersOfEveryAlgorithm) {
  for (const TsigAlgorithm algorithm : kAll) {
    Fixture key{.algorithm = algorithm};
    const std::string text(dns::TsigAlgorithmToText(algorithm));
    SCOPED_TRACE(text);
    const std::string request = Known("request." + text), answer = Known("answer." + text);
    const TsigCheck check = key.Check(request);
    ASSERT_EQ(check.status, TsigStatus::kVerified);
    TsigVerifier verifier(key.view(), check.record.mac);
    EXPECT_EQ(verifier.Verify(AsBytes(answer), kNow), TsigStatus::kVerified);
    EXPECT_TRUE(verifier.complete());

    // What we sign ourselves has the same MAC; only the key's case differs.
    std::string ours = Plain(request);
    TsigSigner signer(key.view(), {});
    const size_t plain_bytes = ours.size();
    ASSERT_TRUE(signer.Sign(ours, kNow));
    EXPECT_EQ(signer.mac(), check.record.mac);
    EXPECT_EQ(ours.size(), plain_bytes + signer.record_bytes());
    EXPECT_EQ(ours.size(), request.size());
    ours = Plain(answer);
    TsigSigner answerer(key.view(), check.record.mac);
    ASSERT_TRUE(answerer.Sign(ours, kNow));
    EXPECT_EQ(answerer.mac(), RecordOf(answer).mac);
  }
}

TEST(Tsig, Rfc8945Section42TheOriginalIdIsWhatWasSigned) {
  const Fixture key;
  EXPECT_EQ(key.Check(Known("forwarded")).status, TsigStatus::kVerified);
  EXPECT_EQ(RecordOf(Known("forwarded")).original_id, 0x1234);
  EXPECT_EQ(LoadHeader(AsBytes(Plain(Known("forwarded")))).id, 0xabcd);
}

TEST(Tsig, ADynamicUpdateIsVerifiedAndHandedOnWithoutItsRecord) {
  const Fixture key;
  const std::string update = Known("update");
  ASSERT_EQ(key.Check(update).status, TsigStatus::kVerified);
  const auto parsed = ParseMessage(AsBytes(Plain(update)));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->opcode, dns::Opcode::kUpdate);
  EXPECT_TRUE(parsed->additional.empty());
}

TEST(Tsig, NoRecordIsUnsigned) { EXPECT_EQ(Fixture{}.Check(Query()).status, TsigStatus::kUnsigned); }

// One signed query, its record taken apart.
struct Parts {
  std::string before, owner, type_class, ttl, rdata;
  std::string Join(int records = 2) const {
    std::string out = before + owner + type_class + ttl;
    out.push_back(static_cast<char>(rdata.size() >> 8));
    out.push_back(static_cast<char>(rdata.size()));
    out += rdata;
    out[11] = static_cast<char>(records);
    return out;
  }
};

Parts Taken() {
  const Fixture key;
  std::string message = Query();
  TsigSigner signer(key.view(), {});
  EXPECT_TRUE(signer.Sign(message, kNow));
  const size_t at = RecordOf(message).offset, owner = key.name.wire().size();
  return {message.substr(0, at), message.substr(at, owner), message.substr(at + owner, 4),
          message.substr(at + owner + 4, 4), message.substr(at + owner + 10)};
}

TEST(Tsig, Rfc8945Section51TheRecordIsTheLastOneAloneOfClassAnyAndTtl0ElseFormErr) {
  const Fixture key;
  ASSERT_EQ(key.Check(Taken().Join()).status, TsigStatus::kVerified);
  Parts wrong = Taken();
  wrong.type_class[3] = 1;  // class IN
  EXPECT_EQ(key.Check(wrong.Join()).status, TsigStatus::kFormErr);
  wrong = Taken();
  wrong.ttl[3] = 1;
  EXPECT_EQ(key.Check(wrong.Join()).status, TsigStatus::kFormErr);
  // Something behind it.
  std::string more = Taken().Join(3) + std::string("\0\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 15);
  EXPECT_EQ(key.Check(more).status, TsigStatus::kFormErr);
  // Twice.
  Parts twice = Taken();
  std::string second = twice.Join(3);
  second += twice.Join().substr(twice.before.size());
  EXPECT_EQ(key.Check(second).status, TsigStatus::kFormErr);
  // In the authority section, and in the answer.
  for (const size_t section : {6, 8}) {
    std::string moved = Taken().before.substr(0, 12 + 21);
    moved += Taken().Join().substr(Taken().before.size());
    moved[section + 1] = 1, moved[11] = 0;
    EXPECT_EQ(key.Check(moved).status, TsigStatus::kFormErr);
  }
}

TEST(Tsig, Rfc8945Section42MalformedRdataIsFormErr) {
  const Fixture key;
  for (size_t cut = 1; cut <= Taken().rdata.size(); ++cut) {
    Parts wrong = Taken();
    wrong.rdata.resize(wrong.rdata.size() - cut);
    EXPECT_EQ(key.Check(wrong.Join()).status, TsigStatus::kFormErr) << cut;
  }
  Parts longer = Taken();
  longer.rdata.push_back('\0');
  EXPECT_EQ(key.Check(longer.Join()).status, TsigStatus::kFormErr);
  Parts compressed = Taken();  // the algorithm as a pointer to the question
  compressed.rdata = "\xc0\x0c" + compressed.rdata.substr(compressed.rdata.find('\0') + 1);
  EXPECT_EQ(key.Check(compressed.Join()).status, TsigStatus::kFormErr);
}

TEST(Tsig, Rfc8945Section521UnknownKeysAndAlgorithmsAreBadKeyAnsweredUnsigned) {
  const std::string request = Known("request.hmac-sha256");
  for (const Fixture& key :
       {Fixture{.name = N("other.example.")}, Fixture{.algorithm = TsigAlgorithm::kHmacSha512}}) {
    const TsigCheck check = key.Check(request);
    ASSERT_EQ(check.status, TsigStatus::kBadKey);
    const std::string answer = TsigFaultAnswer(AsBytes(request), check, kNow);
    EXPECT_EQ(RcodeOf(answer), static_cast<uint16_t>(dns::Rcode::kNotAuth));
    const TsigRecord record = RecordOf(answer);
    EXPECT_EQ(record.error, 17);
    EXPECT_TRUE(record.mac.empty());
    EXPECT_TRUE(dns::SameName(record.key.wire(), N("key.example.").wire()));
    EXPECT_TRUE(ParseMessage(AsBytes(answer)).ok());
    EXPECT_EQ(ParseMessage(AsBytes(answer))->questions.size(), 1u);
    const TsigCheck known = Fixture{}.Check(request);
    TsigVerifier verifier(Fixture{}.view(), known.record.mac);
    EXPECT_EQ(verifier.Verify(AsBytes(answer), kNow), TsigStatus::kPeerError);
    EXPECT_EQ(verifier.peer_error(), 17);
  }
}

TEST(Tsig, Rfc8945Section522AWrongMacIsBadSigAnsweredUnsigned) {
  const Fixture key;
  std::string request = Known("request.hmac-sha256");
  request[14] ^= 0x20;  // a letter of the question
  const TsigCheck check = key.Check(request);
  ASSERT_EQ(check.status, TsigStatus::kBadSig);
  const std::string answer = TsigFaultAnswer(AsBytes(request), check, kNow);
  EXPECT_EQ(RecordOf(answer).error, 16);
  EXPECT_TRUE(RecordOf(answer).mac.empty());
  const Fixture other{.secret = "another"};
  EXPECT_EQ(other.Check(Known("request.hmac-sha256")).status, TsigStatus::kBadSig);
}

TEST(Tsig, Rfc8945Section523OutsideTheFudgeIsBadTimeSignedWithTheServersTime) {
  const Fixture key;
  const std::string request = Known("request.hmac-sha256");
  EXPECT_EQ(key.Check(request, kNow + 300).status, TsigStatus::kVerified);
  EXPECT_EQ(key.Check(request, kNow - 300).status, TsigStatus::kVerified);
  EXPECT_EQ(key.Check(request, kNow - 301).status, TsigStatus::kBadTime);
  EXPECT_EQ(key.Check(request, kNow + 101, {.fudge_max = 100}).status, TsigStatus::kBadTime);
  EXPECT_EQ(key.Check(request, kNow + 100, {.fudge_max = 100}).status, TsigStatus::kVerified);
  const TsigCheck check = key.Check(request, kNow + 4000);
  ASSERT_EQ(check.status, TsigStatus::kBadTime);
  const std::string answer = TsigFaultAnswer(AsBytes(request), check, kNow + 4000);
  EXPECT_EQ(RcodeOf(answer), static_cast<uint16_t>(dns::Rcode::kNotAuth));
  const TsigRecord record = RecordOf(answer);
  EXPECT_EQ(record.error, 18);
  EXPECT_EQ(record.time_signed, kNow);
  ASSERT_EQ(record.other.size(), 6u);
  EXPECT_EQ(LoadU32(AsBytes(record.other).data() + 2), kNow + 4000);
  // The client's clock is still its own, and the MAC is good.
  TsigVerifier verifier(key.view(), check.record.mac);
  EXPECT_EQ(verifier.Verify(AsBytes(answer), kNow), TsigStatus::kPeerError);
  std::string forged = answer;
  forged.back() ^= 1;
  TsigVerifier strict(key.view(), check.record.mac);
  EXPECT_EQ(strict.Verify(AsBytes(forged), kNow), TsigStatus::kBadSig);
}

TEST(Tsig, ABadTimeAnswerOfAnotherServerIsUnderstood) {
  const Fixture key;
  TsigVerifier verifier(key.view(), RecordOf(Known("request.hmac-sha256")).mac);
  EXPECT_EQ(verifier.Verify(AsBytes(Known("badtime")), kNow), TsigStatus::kPeerError);
  EXPECT_EQ(verifier.peer_error(), 18);
}

// The MAC is checked before the time: nobody without the key learns how our clock stands.
TEST(Tsig, Rfc8945Section52TheMacIsCheckedBeforeTheTime) {
  EXPECT_EQ(Fixture{.secret = "another"}.Check(Known("request.hmac-sha256"), kNow + 4000).status,
            TsigStatus::kBadSig);
}

std::string WithMacOf(size_t bytes) {
  Parts parts = Taken();
  const size_t at = parts.rdata.find('\0') + 1 + 8;  // behind the algorithm, time and fudge
  const size_t had = LoadU16(AsBytes(parts.rdata).data() + at);
  std::string mac = parts.rdata.substr(at + 2, had);
  mac.resize(bytes, '\7');
  const std::string size = {static_cast<char>(bytes >> 8), static_cast<char>(bytes)};
  parts.rdata = parts.rdata.substr(0, at) + size + mac + parts.rdata.substr(at + 2 + had);
  return parts.Join();
}

TEST(Tsig, Rfc8945Section5221HalfTheHashAndTenOctetsAtLeastAndNoMoreThanTheHash) {
  const Fixture key;
  const TsigPolicy any{.mac_bytes_min = 0};
  EXPECT_EQ(key.Check(WithMacOf(16), kNow, any).status, TsigStatus::kVerified);
  EXPECT_EQ(key.Check(WithMacOf(15), kNow, any).status, TsigStatus::kFormErr);
  EXPECT_EQ(key.Check(WithMacOf(0), kNow, any).status, TsigStatus::kFormErr);
  EXPECT_EQ(key.Check(WithMacOf(33), kNow, any).status, TsigStatus::kFormErr);
  const std::string answer =
      TsigFaultAnswer(AsBytes(WithMacOf(15)), key.Check(WithMacOf(15), kNow, any), kNow);
  EXPECT_EQ(RcodeOf(answer), static_cast<uint16_t>(dns::Rcode::kFormErr));
}

TEST(Tsig, Rfc8945Section524WhatPolicyCallsTooShortIsBadTruncSigned) {
  const Fixture key;
  EXPECT_EQ(key.Check(WithMacOf(24), kNow, {.mac_bytes_min = 24}).status, TsigStatus::kVerified);
  const std::string request = WithMacOf(23);
  const TsigCheck check = key.Check(request, kNow, {.mac_bytes_min = 24});
  ASSERT_EQ(check.status, TsigStatus::kBadTrunc);
  EXPECT_EQ(key.Check(WithMacOf(31)).status, TsigStatus::kBadTrunc);  // whole MACs only, unless told
  const std::string answer = TsigFaultAnswer(AsBytes(request), check, kNow);
  EXPECT_EQ(RecordOf(answer).error, 22);
  TsigVerifier verifier(key.view(), check.record.mac);
  EXPECT_EQ(verifier.Verify(AsBytes(answer), kNow), TsigStatus::kPeerError);
  // A MAC that is short and wrong is wrong; short and late is late.
  EXPECT_EQ(Fixture{.secret = "x"}.Check(request).status, TsigStatus::kBadSig);
  EXPECT_EQ(key.Check(request, kNow + 999).status, TsigStatus::kBadTime);
}

TEST(Tsig, Rfc8945Section531AStreamOfAnotherServerIsVerified) {
  const Fixture key;
  TsigVerifier verifier(key.view(), RecordOf(Known("request.hmac-sha256")).mac);
  const TsigStatus expected[] = {TsigStatus::kVerified, TsigStatus::kUnsigned, TsigStatus::kUnsigned,
                                 TsigStatus::kVerified, TsigStatus::kVerified};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(verifier.Verify(AsBytes(Known("stream." + std::to_string(i))), kNow), expected[i]) << i;
    EXPECT_EQ(verifier.complete(), expected[i] == TsigStatus::kVerified) << i;
  }
}

TEST(Tsig, Rfc8945Section531OurStreamHasTheSameMacs) {
  const Fixture key;
  TsigSigner signer(key.view(), RecordOf(Known("request.hmac-sha256")).mac);
  for (const int i : {0, 1, 2, 3, 4}) {
    const std::string known = Known("stream." + std::to_string(i));
    if (i == 1 || i == 2) {
      ASSERT_TRUE(signer.Skip(known));
      continue;
    }
    std::string ours = Plain(known);
    ASSERT_TRUE(signer.Sign(ours, kNow));
    EXPECT_EQ(signer.mac(), RecordOf(known).mac) << i;
  }
}

TEST(Tsig, Rfc8945Section531AtMost99MessagesGoUnsigned) {
  const Fixture key;
  TsigSigner signer(key.view(), "the MAC of the request");
  TsigVerifier verifier(key.view(), "the MAC of the request"), strict(key.view(), "the MAC of the request");
  EXPECT_FALSE(signer.Skip(Query()));  // never the first
  std::string first = Query();
  ASSERT_TRUE(signer.Sign(first, kNow));
  ASSERT_EQ(verifier.Verify(AsBytes(first), kNow), TsigStatus::kVerified);
  ASSERT_EQ(strict.Verify(AsBytes(first), kNow), TsigStatus::kVerified);
  for (size_t i = 0; i < kTsigUnsignedMax; ++i) {
    ASSERT_TRUE(signer.Skip(Query()));
    ASSERT_EQ(verifier.Verify(AsBytes(Query()), kNow), TsigStatus::kUnsigned);
    ASSERT_EQ(strict.Verify(AsBytes(Query()), kNow), TsigStatus::kUnsigned);
  }
  EXPECT_FALSE(signer.Skip(Query()));
  EXPECT_FALSE(verifier.complete());
  std::string last = Query();
  ASSERT_TRUE(signer.Sign(last, kNow));
  EXPECT_EQ(verifier.Verify(AsBytes(last), kNow), TsigStatus::kVerified);
  EXPECT_TRUE(verifier.complete());
  EXPECT_EQ(strict.Verify(AsBytes(Query()), kNow), TsigStatus::kBadSig);
  EXPECT_EQ(strict.Verify(AsBytes(last), kNow), TsigStatus::kBadSig);  // and stays so
}

TEST(Tsig, AStreamWithAMessageLessOrChangedIsNotVerified) {
  const Fixture key;
  for (const bool changed : {false, true}) {
    TsigVerifier verifier(key.view(), RecordOf(Known("request.hmac-sha256")).mac);
    ASSERT_EQ(verifier.Verify(AsBytes(Known("stream.0")), kNow), TsigStatus::kVerified);
    std::string second = Known("stream.1");
    second[1] ^= 1;  // the ID
    if (changed) {
      ASSERT_EQ(verifier.Verify(AsBytes(second), kNow), TsigStatus::kUnsigned);
    }
    ASSERT_EQ(verifier.Verify(AsBytes(Known("stream.2")), kNow), TsigStatus::kUnsigned);
    EXPECT_EQ(verifier.Verify(AsBytes(Known("stream.3")), kNow), TsigStatus::kBadSig);
    EXPECT_FALSE(verifier.complete());
  }
}

TEST(Tsig, AnAnswerThatIsNotSignedOrToAnotherRequestIsNotVerified) {
  const Fixture key;
  TsigVerifier unsigned_answer(key.view(), "mac of the request");
  EXPECT_EQ(unsigned_answer.Verify(AsBytes(Query()), kNow), TsigStatus::kBadSig);
  TsigVerifier other(key.view(), "mac of another one");
  EXPECT_EQ(other.Verify(AsBytes(Known("answer.hmac-sha256")), kNow), TsigStatus::kBadSig);
  EXPECT_FALSE(other.complete());
}

TEST(Tsig, WhatDoesNotFitStaysAsItWas) {
  const Fixture key;
  std::string message = Query();
  message.resize(65535 - 10, '\0');
  const std::string before = message;
  TsigSigner signer(key.view(), {});
  EXPECT_FALSE(signer.Sign(message, kNow));
  EXPECT_EQ(message, before);
  std::string tiny = "short";
  EXPECT_FALSE(signer.Sign(tiny, kNow));
  EXPECT_EQ(tiny, "short");
  EXPECT_EQ(TsigFaultAnswer(AsBytes("short"), {.status = TsigStatus::kFormErr}, kNow), "");
}

TEST(Tsig, AKeyWithoutASecretStillSigns) {
  const Fixture key{.secret = ""};
  std::string message = Query();
  TsigSigner signer(key.view(), {});
  ASSERT_TRUE(signer.Sign(message, kNow));
  EXPECT_EQ(key.Check(message).status, TsigStatus::kVerified);
  EXPECT_EQ(Fixture{}.Check(message).status, TsigStatus::kBadSig);
}

TEST(Tsig, DamagedMessagesAreNeverVerifiedAndAlwaysAnswered) {
  Rng rng(1);
  const Fixture key;
  for (const char* name : {"request.hmac-sha256", "update", "stream.3", "request.hmac-sha512"}) {
    const std::string known = Known(name);
    const std::vector<uint8_t> seed(known.begin(), known.end());
    for (int i = 0; i < 20000; ++i) {
      const auto damaged = Damage(seed, rng);
      TsigCheck check = CheckTsig(damaged, key.lookup(), kNow);
      const std::string_view text(reinterpret_cast<const char*>(damaged.data()), damaged.size());
      // The ID is not signed, and neither is the case of names in the record.
      if (check.status == TsigStatus::kVerified) {
        ASSERT_EQ(Plain(std::string(text)).substr(2), Plain(known).substr(2));
      } else if (check.status != TsigStatus::kUnsigned && damaged.size() >= kHeaderBytes) {
        ASSERT_TRUE(ParseMessage(AsBytes(TsigFaultAnswer(damaged, check, kNow))).ok());
      }
      TsigVerifier verifier(key.view(), "");
      (void)verifier.Verify(damaged, kNow);
    }
  }
}

}  // namespace
}  // namespace quorate::wire
