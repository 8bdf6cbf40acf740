#include "api/dns/exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/header.h"
#include "wire/writer.h"

namespace quorate::api::door {
namespace {

constexpr uint16_t kOptionEde = 15;
constexpr size_t kEdeTextMax = 200;
constexpr uint16_t kUdpSizeOffered = 1232;

wire::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

wire::TsigKeyLookup LookupIn(const zone::Keyring& keyring) {
  return [&keyring](dns::NameView name) -> std::optional<wire::TsigKeyView> {
    const zone::TsigKey* key = keyring.Find(dns::Name::FromView(name));
    if (key == nullptr) return std::nullopt;
    return wire::TsigKeyView{key->name.wire(), key->algorithm, key->secret};
  };
}

wire::EdnsOption EdeOption(Ede code, std::string_view text) {
  const auto number = static_cast<uint16_t>(code);
  std::string data = {static_cast<char>(number >> 8), static_cast<char>(number)};
  return {kOptionEde, data.append(text.substr(0, kEdeTextMax))};
}

}  // namespace

uint64_t TsigTime(const Clock& clock) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock.Wall().since_epoch);
  return static_cast<uint64_t>(std::max<int64_t>(0, seconds.count()));
}

size_t AnswerBytesMax(const wire::Message& asked, serve::Transport transport, size_t udp_size_max) {
  if (serve::IsStream(transport)) return wire::kMessageBytesMax;
  const size_t allowed = asked.edns ? std::min<size_t>(asked.edns->udp_size, udp_size_max) : 0;
  return std::max<size_t>(512, allowed);
}

Exchange::Exchange(serve::SlowRequest request, serve::SlowDoor::Deliver deliver, const Clock& clock,
                   std::shared_ptr<void> slot)
    : request_(std::move(request)), deliver_(std::move(deliver)), clock_(clock), slot_(std::move(slot)) {}

bool Exchange::IsRequest() const {
  const wire::Bytes request = AsBytes(request_.message);
  return request.size() >= wire::kHeaderBytes && !wire::LoadHeader(request).has(wire::kFlagQR);
}

wire::TsigStatus Exchange::CheckSignature(const zone::Keyring& keyring) {
  const wire::Bytes request = AsBytes(request_.message);
  const uint64_t now = TsigTime(clock_);
  check_ = wire::CheckTsig(request, LookupIn(keyring), now, {.fudge_max = kFudgeSecondsMax});
  if (check_.status == wire::TsigStatus::kUnsigned) {
    message_ = request_.message;
  } else if (check_.status == wire::TsigStatus::kVerified) {
    message_ = wire::WithoutTsig(request, check_.record);
    key_ = check_.record.key.Folded();
    signer_.emplace(*check_.key, check_.record.mac);
  } else {
    fault_ = wire::TsigFaultAnswer(request, check_, now);
  }
  check_.key.reset();  // it lies in a keyring that may go
  return check_.status;
}

std::string Exchange::Who() const {
  const std::string address = zone::ToText(request_.address);
  return key_ ? fmt::format("{} with key {}", address, key_->ToText()) : address;
}

void Exchange::Deliver(std::string answer) {
  if (answer.empty()) return Silence();
  deliver_(std::make_unique<serve::SingleMessage>(std::move(answer)));
}

void Exchange::Silence() { deliver_(nullptr); }

void Exchange::Fault() { Deliver(fault_); }

void Exchange::Send(std::string answer) {
  if (signer_ && !signer_->Sign(answer, TsigTime(clock_))) return Silence();
  Deliver(std::move(answer));
}

void Exchange::ReplyHeader(dns::Rcode rcode) {
  wire::Header header = wire::LoadHeader(AsBytes(message_));
  header.flags = static_cast<uint16_t>(wire::kFlagQR | (header.flags & (0x7800 | wire::kFlagRD)) |
                                       (static_cast<uint16_t>(rcode) & 0xf));
  std::fill_n(header.counts, 4, uint16_t{0});
  std::string answer(wire::kHeaderBytes, '\0');
  wire::StoreHeader(header, reinterpret_cast<uint8_t*>(answer.data()));
  Send(std::move(answer));
}

void Exchange::Reply(const wire::Message& asked, const Verdict& verdict) {
  wire::Message answer{.id = asked.id, .opcode = asked.opcode, .rcode = verdict.rcode};
  answer.response = true;
  answer.aa = verdict.aa;
  answer.rd = asked.rd;
  answer.questions = asked.questions;
  if (asked.edns) {
    answer.edns.emplace();
    answer.edns->udp_size = kUdpSizeOffered;
    answer.edns->dnssec_ok = asked.edns->dnssec_ok;
    if (verdict.ede) answer.edns->options.push_back(EdeOption(*verdict.ede, verdict.text));
  }
  const size_t limit = AnswerBytesMax(asked, request_.transport);
  auto encoded = wire::EncodeMessage(answer);
  if (encoded.ok() && encoded->size() + signature_bytes() > limit && answer.edns) {
    answer.edns->options.clear();  // what is for people goes first
    encoded = wire::EncodeMessage(answer);
  }
  if (!encoded.ok()) return ReplyHeader(verdict.rcode);  // more questions than fit: it was malformed
  Send(*std::move(encoded));
}

}  // namespace quorate::api::door
