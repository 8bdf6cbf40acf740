#include "api/xfr/transfer_source.h"

#include <chrono>

#include "wire/header.h"
#include "wire/writer.h"

namespace quorate::api::xfr {
namespace {

constexpr size_t kMessageBytes = 16384;

uint64_t Seconds(const Clock& clock) {
  const Duration now = clock.Wall().since_epoch;
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

uint16_t FlagsOf(const Envelope& envelope, dns::Rcode rcode) {
  const bool ok = rcode == dns::Rcode::kNoError;
  return static_cast<uint16_t>(wire::kFlagQR | (ok ? wire::kFlagAA : 0) | (envelope.rd ? wire::kFlagRD : 0) |
                               (static_cast<uint16_t>(rcode) & 0xf));
}

// As many records as fit; at least one, or false and nothing was taken.
bool Write(Envelope& envelope, RecordFeed& feed, bool with_question, size_t limit, dns::Rcode rcode,
           std::string& message) {
  const size_t signature = envelope.signer ? envelope.signer->record_bytes() : 0;
  message.assign(limit, '\0');
  wire::MessageWriter writer({reinterpret_cast<uint8_t*>(message.data()), message.size()}, limit);
  const bool opt = with_question && envelope.edns;
  const wire::Question& question = envelope.question;
  if (!writer.Reserve(signature)) return false;
  if (with_question && !writer.AddQuestion(question.name.wire(), static_cast<uint16_t>(question.type),
                                           static_cast<uint16_t>(question.rr_class)))
    return false;
  if (opt && !writer.Reserve(wire::kOptBytes)) return false;
  bool any = feed.Peek() == nullptr;
  for (const FeedRecord* r = feed.Peek(); r != nullptr; r = feed.Peek()) {
    if (!writer.AddRecord(wire::Section::kAnswer, r->owner, r->type, dns::RRClass::kIN, r->ttl, r->rdata))
      break;
    any = true;
    feed.Advance();
    if (writer.size() > kMessageBytes) break;
  }
  if (!any) return false;
  if (opt) {
    writer.Release(wire::kOptBytes);
    writer.AddOpt({});
  }
  message.resize(writer.Finish(envelope.id, FlagsOf(envelope, rcode)));
  return true;
}

class NoRecords final : public RecordFeed {
 public:
  const FeedRecord* Peek() override { return nullptr; }
  void Advance() override {}
};

}  // namespace

std::string ErrorMessage(Envelope& envelope, dns::Rcode rcode, const Clock& clock) {
  NoRecords none;
  std::string message;
  if (!Write(envelope, none, true, wire::kMessageBytesMax, rcode, message)) return {};
  if (envelope.signer && !envelope.signer->Sign(message, Seconds(clock))) return {};
  return message;
}

TransferSource::TransferSource(Envelope envelope, std::unique_ptr<RecordFeed> feed, const Clock& clock,
                               std::function<void()> on_end)
    : envelope_(std::move(envelope)), feed_(std::move(feed)), clock_(clock), on_end_(std::move(on_end)) {}

TransferSource::~TransferSource() {
  if (on_end_) on_end_();
}

bool TransferSource::Fill(size_t limit, std::string& message) {
  return Write(envelope_, *feed_, first_, limit, dns::Rcode::kNoError, message);
}

std::string TransferSource::Next() {
  std::string message;
  if (feed_->Peek() == nullptr) return {};
  if (!Fill(kMessageBytes, message) && !Fill(wire::kMessageBytesMax, message)) return {};
  first_ = false;
  if (envelope_.signer && !envelope_.signer->Sign(message, Seconds(clock_))) return {};
  return message;
}

std::optional<std::string> InOneMessage(Envelope& envelope, RecordFeed& feed, const Clock& clock,
                                        size_t limit) {
  std::string message;
  if (limit < wire::kHeaderBytes || !Write(envelope, feed, true, limit, dns::Rcode::kNoError, message) ||
      feed.Peek() != nullptr)
    return std::nullopt;
  if (envelope.signer && !envelope.signer->Sign(message, Seconds(clock))) return std::nullopt;
  return message;
}

}  // namespace quorate::api::xfr
