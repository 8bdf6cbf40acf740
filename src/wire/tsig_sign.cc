#include "wire/endian.h"
#include "wire/header.h"
#include "wire/tsig.h"
#include "wire/tsig_digest.h"

namespace quorate::wire {
namespace {

constexpr uint64_t kTimeMask = (uint64_t{1} << 48) - 1;

Bytes AsOctets(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

}  // namespace

TsigSigner::TsigSigner(const TsigKeyView& key, std::string_view request_mac)
    : name_(dns::Name::FromView(key.name).Folded()),
      algorithm_(key.algorithm),
      secret_(key.secret),
      record_bytes_(kTsigFixedBytes + key.name.size() + dns::TsigAlgorithmName(key.algorithm).size() +
                    dns::TsigMacBytes(key.algorithm)),
      mac_(request_mac) {}

bool TsigSigner::Sign(std::string& message, uint64_t now) {
  return Append(message, {.time = now & kTimeMask, .error = 0, .other = {}});
}

bool TsigSigner::SignBadTime(std::string& message, uint64_t time_of_request, uint64_t now) {
  Fields fields{
      .time = time_of_request & kTimeMask, .error = static_cast<uint16_t>(dns::Rcode::kBadTime), .other = {}};
  for (int shift = 40; shift >= 0; shift -= 8) fields.other.push_back(static_cast<char>(now >> shift));
  return Append(message, fields);
}

bool TsigSigner::SignBadTrunc(std::string& message, uint64_t now) {
  return Append(
      message, {.time = now & kTimeMask, .error = static_cast<uint16_t>(dns::Rcode::kBadTrunc), .other = {}});
}

bool TsigSigner::Append(std::string& message, const Fields& fields) {
  if (message.size() < kHeaderBytes) return false;
  const TsigVariables variables{.key = name_.wire(),
                                .algorithm = dns::TsigAlgorithmName(algorithm_),
                                .time_signed = fields.time,
                                .fudge = kTsigFudgeSeconds,
                                .error = fields.error,
                                .other = fields.other};
  Hmac digest(algorithm_, secret_);
  if (stream_) {
    digest = *std::move(stream_);
    stream_.reset();
  } else if (!mac_.empty()) {
    AddPriorMac(digest, mac_);
  }
  digest.Add(message);
  if (streaming_)
    AddTimers(digest, fields.time, kTsigFudgeSeconds);
  else
    AddVariables(digest, variables);
  std::string mac = digest.Finish();
  if (mac.empty() || !AppendTsig(message, variables, mac, LoadU16(AsOctets(message).data()))) return false;
  mac_ = std::move(mac);
  streaming_ = true;
  skipped_ = 0;
  return true;
}

bool TsigSigner::Skip(std::string_view message) {
  if (!streaming_ || skipped_ >= kTsigUnsignedMax) return false;
  if (!stream_) {
    stream_.emplace(algorithm_, secret_);
    AddPriorMac(*stream_, mac_);
  }
  stream_->Add(message);
  ++skipped_;
  return true;
}

}  // namespace quorate::wire
