// One request at the door, from Ask to its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "dns/rr.h"
#include "serve/slow_door.h"
#include "wire/message.h"
#include "wire/tsig.h"
#include "zone/acl.h"
#include "zone/keyring.h"

namespace quorate::api::door {

// RFC 8914 4.
enum class Ede : uint16_t {
  kOther = 0,
  kNotReady = 14,
  kProhibited = 18,
  kNotSupported = 21,
  kNetworkError = 23
};

struct Verdict {
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool aa = false;
  std::optional<Ede> ede = {};  // sent if the request has EDNS
  std::string text = {};        // for people; with `ede`
};

// A larger fudge is not believed: messages that are sent again could not be told for so long.
inline constexpr uint16_t kFudgeSecondsMax = 1500;

// Seconds since 1970, as TSIG counts.
uint64_t TsigTime(const Clock& clock);

// Used by one thread at a time.
class Exchange {
 public:
  // `slot` counts the exchanges that are open, by how long it lives.
  Exchange(serve::SlowRequest request, serve::SlowDoor::Deliver deliver, const Clock& clock,
           std::shared_ptr<void> slot);

  // It has a header and is no response: those are never answered, so that nothing goes round.
  bool IsRequest() const;
  // By the keys of `keyring`. kVerified: from here on every answer is signed, and `message` is without its
  // TSIG record. kUnsigned: as it is. Else: answer with Fault().
  wire::TsigStatus CheckSignature(const zone::Keyring& keyring);

  // What was asked, without its TSIG record.
  const std::string& message() const { return message_; }
  serve::Transport transport() const { return request_.transport; }
  const zone::Address& client() const { return request_.address; }
  const std::optional<dns::Name>& key() const { return key_; }
  zone::Peer peer() const {
    return {.address = request_.address, .key = key_ ? key_->wire() : dns::NameView()};
  }
  const wire::TsigRecord& tsig() const { return check_.record; }
  bool is_signed() const { return signer_.has_value(); }
  // Octets that the signature of an answer takes; 0: it is not signed.
  size_t signature_bytes() const { return signer_ ? signer_->record_bytes() : 0; }
  // "192.0.2.1", "192.0.2.1 with key ddns.": for people.
  std::string Who() const;

  // One of these, once. What has its way elsewhere is taken out by TakeSigner and TakeDeliver.
  void Fault();                   // the answer to a signature at fault (RFC 8945 5.3.2)
  void Send(std::string answer);  // signs it; over UDP it has room for that
  void Reply(const wire::Message& asked, const Verdict& verdict);
  void ReplyHeader(dns::Rcode rcode);  // of what cannot be parsed: its header, the opcode in it
  void Silence();
  std::optional<wire::TsigSigner> TakeSigner() { return std::move(signer_); }
  serve::SlowDoor::Deliver TakeDeliver() { return std::move(deliver_); }

  // The newest state was looked at before it is refused.
  bool looked_again = false;

 private:
  void Deliver(std::string answer);

  const serve::SlowRequest request_;
  serve::SlowDoor::Deliver deliver_;
  const Clock& clock_;
  const std::shared_ptr<void> slot_;
  wire::TsigCheck check_;
  std::string message_;
  std::string fault_;
  std::optional<dns::Name> key_;
  std::optional<wire::TsigSigner> signer_;
};

using ExchangePtr = std::shared_ptr<Exchange>;

// How many octets an answer to `asked` may have (RFC 1035 4.2.1, RFC 6891 6.2.3; this program's own bound is
// `udp_size_max`).
size_t AnswerBytesMax(const wire::Message& asked, serve::Transport transport, size_t udp_size_max = 1232);

}  // namespace quorate::api::door
