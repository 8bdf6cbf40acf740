// The messages of one transfer, made as they are asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/xfr/record_feed.h"
#include "base/clock.h"
#include "serve/slow_door.h"
#include "wire/message.h"
#include "wire/tsig.h"

namespace quorate::api::xfr {

// What the answers to one request have in common.
struct Envelope {
  uint16_t id = 0;
  bool rd = false;
  wire::Question question;
  bool edns = false;  // of the request: then the first message has one, too (RFC 5936 2.2.5)
  std::optional<wire::TsigSigner> signer;
};

// A message without records but with this error, signed if it must be.
std::string ErrorMessage(Envelope& envelope, dns::Rcode rcode, const Clock& clock);

// Messages of about 16 KiB, within which names can be compressed; one with a larger record alone. The
// question is in the first (RFC 5936 2.2.1); each is signed. One thread at a time. `on_end` is called when it
// goes.
class TransferSource final : public serve::MessageSource {
 public:
  TransferSource(Envelope envelope, std::unique_ptr<RecordFeed> feed, const Clock& clock,
                 std::function<void()> on_end = nullptr);
  ~TransferSource() override;
  std::string Next() override;

 private:
  bool Fill(size_t limit, std::string& message);

  Envelope envelope_;
  const std::unique_ptr<RecordFeed> feed_;
  const Clock& clock_;
  const std::function<void()> on_end_;
  bool first_ = true;
};

// All of it in one message of at most `limit` octets, its signature included, or nothing (RFC 1995 2).
std::optional<std::string> InOneMessage(Envelope& envelope, RecordFeed& feed, const Clock& clock,
                                        size_t limit);

}  // namespace quorate::api::xfr
