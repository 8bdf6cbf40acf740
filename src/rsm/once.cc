#include "rsm/once.h"

#include <algorithm>

#include "base/bytes.h"

namespace quorate::rsm::once {
namespace {

constexpr size_t kDigestBytes = 8;

}  // namespace

std::string EncodeKept(const Kept& kept) {
  ByteWriter out(kDigestBytes + kept.outcome.size());
  out.U64(kept.digest);
  out.Raw(kept.outcome);
  return out.Take();
}

Known Compare(std::string_view kept, uint64_t digest) {
  ByteReader in(kept);
  if (in.U64() != digest)
    return Refusal{Refused::kKeyReused,
                   "this idempotency key, or sequence of the session, was used for another request"};
  return Outcome(in.Raw(in.remaining()));
}

size_t OutcomeBytes(std::string_view kept) { return kept.size() - std::min(kept.size(), kDigestBytes); }

}  // namespace quorate::rsm::once
