// Transaction signatures (RFC 8945): messages signed with a shared key, alone or as a stream. Pure: time is
// an argument, in seconds since 1970. No object here is shared between threads.
//
//   server: CheckTsig -> kVerified: answer, signed by a TsigSigner(key, record.mac)
//                     -> any fault: TsigFaultAnswer
//   client: TsigSigner(key, "").Sign(request) -> TsigVerifier(key, signer.mac()).Verify(answer)...
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dns/name.h"
#include "dns/rr.h"
#include "dns/tsig_algorithm.h"
#include "wire/error.h"
#include "wire/hmac.h"

namespace quorate::wire {

inline constexpr uint16_t kTsigFudgeSeconds = 300;  // RFC 8945 10: recommended
inline constexpr size_t kTsigUnsignedMax = 99;      // messages of a stream between two signed ones (5.3.1)

// A key in somebody else's memory.
struct TsigKeyView {
  dns::NameView name;
  dns::TsigAlgorithm algorithm = dns::TsigAlgorithm::kHmacSha256;
  std::string_view secret;
};

// The record as it arrived (4.2).
struct TsigRecord {
  dns::Name key, algorithm;
  uint64_t time_signed = 0;
  uint16_t fudge = 0;
  std::string mac;
  uint16_t original_id = 0;
  uint16_t error = 0;
  std::string other;
  size_t offset = 0;  // into the message: what is before it was signed
};

enum class TsigStatus : uint8_t {
  kUnsigned,   // there is no TSIG record
  kVerified,   // the holder of the key sent this, now
  kFormErr,    // not well-formed, a record in the wrong place, or a MAC of impossible size (5.1, 5.2.2.1)
  kBadKey,     // an unknown key, or not with this algorithm (5.2.1)
  kBadSig,     // the MAC is wrong (5.2.2)
  kBadTime,    // outside the fudge (5.2.3)
  kBadTrunc,   // the MAC is shorter than policy allows (5.2.4)
  kPeerError,  // only from TsigVerifier: the peer says what was wrong with our request
};

// "BADKEY: unknown key or algorithm", for people.
std::string_view TsigStatusText(TsigStatus status);

// kUnsigned: none; kFormErr: the message cannot be read, or the record is not the last one, alone, class ANY,
// TTL 0. Else kVerified means found, and nothing more than that.
TsigStatus FindTsig(Bytes message, TsigRecord& record);

// What was signed: the message up to the record, with ARCOUNT one less and the ID it came with.
std::string WithoutTsig(Bytes message, const TsigRecord& record);

struct TsigPolicy {
  // Shorter MACs are kBadTrunc, as long as 5.2.2.1 allows them at all (10 octets, half of the hash).
  // More than the hash has: whole MACs only.
  size_t mac_bytes_min = SIZE_MAX;
  // A larger fudge counts as this: whoever must recognise a message that is sent again knows for how long.
  uint16_t fudge_max = UINT16_MAX;
};

using TsigKeyLookup = std::function<std::optional<TsigKeyView>(dns::NameView name)>;

struct TsigCheck {
  TsigStatus status = TsigStatus::kUnsigned;
  TsigRecord record;               // if there is one
  std::optional<TsigKeyView> key;  // as `lookup` gave it; of kVerified, kBadTime, kBadTrunc (also kBadSig)
};

// A request, in the order of 5.2: form, key, MAC, time, truncation.
TsigCheck CheckTsig(Bytes request, const TsigKeyLookup& lookup, uint64_t now, const TsigPolicy& policy = {});

// The answer to a request whose status is a fault (5.3.2): FORMERR, or NOTAUTH with the error in a TSIG
// record, unsigned for kBadKey and kBadSig. Its question is the request's. Empty: not even a header came.
std::string TsigFaultAnswer(Bytes request, const TsigCheck& check, uint64_t now);

// Signs one message, or the messages of one stream in their order.
class TsigSigner {
 public:
  // `request_mac` of the request that is answered, as it came; empty: it signs a request itself.
  TsigSigner(const TsigKeyView& key, std::string_view request_mac);

  // Octets that Sign adds. Reserve them before a message is filled (5.3).
  size_t record_bytes() const { return record_bytes_; }

  // Appends the record. False, and the message is as it was: no header, over 65535 octets, or OpenSSL does
  // not have the algorithm.
  bool Sign(std::string& message, uint64_t now);
  // The answer to a request outside its time: the client's time, and ours in the other data (5.2.3). Adds six
  // octets more.
  bool SignBadTime(std::string& message, uint64_t time_of_request, uint64_t now);
  // The signed answer to a request whose MAC was too short (5.2.4).
  bool SignBadTrunc(std::string& message, uint64_t now);

  // `message` of the stream goes unsigned; the next signature covers it. False: it must be signed, as the
  // first message and after kTsigUnsignedMax others. The last one of a stream must be signed, too.
  bool Skip(std::string_view message);

  std::string_view mac() const { return mac_; }  // of the last message that was signed

 private:
  struct Fields {
    uint64_t time = 0;
    uint16_t error = 0;
    std::string other;
  };
  bool Append(std::string& message, const Fields& fields);

  dns::Name name_;  // lower case
  dns::TsigAlgorithm algorithm_;
  std::string secret_;
  size_t record_bytes_;
  std::string mac_;             // the request's, then the last one made
  std::optional<Hmac> stream_;  // if something went unsigned: the last MAC, and that
  size_t skipped_ = 0;
  bool streaming_ = false;  // one message was signed: the next ones have their timers only
};

// Verifies the answer to a request that was signed, or the messages of a stream in their order.
class TsigVerifier {
 public:
  TsigVerifier(const TsigKeyView& key, std::string_view request_mac, const TsigPolicy& policy = {});

  // kVerified: this message, and all before it, are genuine. kUnsigned: inside a stream; not to be trusted
  // before a later one is kVerified. Everything else is final: so is every later answer then. kPeerError is
  // believed by nobody who must know (BADKEY and BADSIG come unsigned): a reason to tell people.
  TsigStatus Verify(Bytes message, uint64_t now);

  // The last message was signed: a stream may end here.
  bool complete() const { return started_ && failed_ == TsigStatus::kVerified && skipped_ == 0; }
  uint16_t peer_error() const { return peer_error_; }

 private:
  TsigStatus Decide(Bytes message, uint64_t now);
  TsigStatus TakeUnsigned(Bytes message);

  dns::Name name_;  // lower case
  dns::TsigAlgorithm algorithm_;
  std::string secret_;
  TsigPolicy policy_;
  std::string mac_;
  std::optional<Hmac> stream_;
  size_t skipped_ = 0;
  bool started_ = false;
  TsigStatus failed_ = TsigStatus::kVerified;  // what was wrong; kVerified: nothing
  uint16_t peer_error_ = 0;
};

}  // namespace quorate::wire
