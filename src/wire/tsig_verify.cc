#include "wire/tsig.h"
#include "wire/tsig_digest.h"

namespace quorate::wire {

TsigVerifier::TsigVerifier(const TsigKeyView& key, std::string_view request_mac, const TsigPolicy& policy)
    : name_(dns::Name::FromView(key.name).Folded()),
      algorithm_(key.algorithm),
      secret_(key.secret),
      policy_(policy),
      mac_(request_mac) {}

TsigStatus TsigVerifier::Verify(Bytes message, uint64_t now) {
  if (failed_ != TsigStatus::kVerified) return failed_;
  const TsigStatus status = Decide(message, now);
  if (status != TsigStatus::kVerified && status != TsigStatus::kUnsigned) failed_ = status;
  return status;
}

// 5.3.1: the first message is signed, and after 99 unsigned ones the next.
TsigStatus TsigVerifier::TakeUnsigned(Bytes message) {
  if (!started_ || skipped_ >= kTsigUnsignedMax) return TsigStatus::kBadSig;
  if (!stream_) {
    stream_.emplace(algorithm_, secret_);
    AddPriorMac(*stream_, mac_);
  }
  stream_->Add(message);
  ++skipped_;
  return TsigStatus::kUnsigned;
}

TsigStatus TsigVerifier::Decide(Bytes message, uint64_t now) {
  TsigRecord record;
  const TsigStatus found = FindTsig(message, record);
  if (found == TsigStatus::kFormErr) return found;
  if (found == TsigStatus::kUnsigned) return TakeUnsigned(message);
  peer_error_ = record.error;
  if (record.mac.empty() && record.error != 0) return TsigStatus::kPeerError;
  if (record.key.Folded() != name_ || dns::TsigAlgorithmFromName(record.algorithm.wire()) != algorithm_)
    return TsigStatus::kBadKey;
  if (record.mac.size() > dns::TsigMacBytes(algorithm_) || record.mac.size() < MacBytesFloor(algorithm_))
    return TsigStatus::kFormErr;
  if (!stream_) {
    stream_.emplace(algorithm_, secret_);
    AddPriorMac(*stream_, mac_);
  }
  AddSignedPart(*stream_, message, record);
  if (started_) {
    AddTimers(*stream_, record.time_signed, record.fudge);
  } else {
    AddVariables(*stream_, {.key = name_.wire(),
                            .algorithm = dns::TsigAlgorithmName(algorithm_),
                            .time_signed = record.time_signed,
                            .fudge = record.fudge,
                            .error = record.error,
                            .other = record.other});
  }
  const TsigStatus status = CheckMac(record, algorithm_, stream_->Finish(), now, policy_);
  stream_.reset();
  skipped_ = 0;
  started_ = true;
  mac_ = record.mac;
  if (record.error != 0 && status != TsigStatus::kBadSig && status != TsigStatus::kBadKey)
    return TsigStatus::kPeerError;
  return status;
}

}  // namespace quorate::wire
