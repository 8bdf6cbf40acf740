// Signed messages (RFC 8945): any octets are judged and answered; what we sign is verified, and not once one
// bit of it is another.
#include "wire/tsig.h"

#include "base/check.h"
#include "wire/header.h"
#include "wire/message.h"

namespace quorate {
namespace {

constexpr uint64_t kNow = 1700000000;  // when the known answers in the corpus were signed
// The key that they are signed with (tests/data/tsig/make.py).
const dns::Name kKeyName = *dns::Name::FromText("key.example.");
const std::string kSecret = [] {
  std::string secret;
  for (char c = 1; c <= 40; ++c) secret.push_back(c);
  return secret;
}();

wire::Bytes BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::optional<wire::TsigKeyView> Lookup(dns::NameView name) {
  if (!dns::SameName(name, kKeyName.wire())) return std::nullopt;
  return wire::TsigKeyView{kKeyName.wire(), dns::TsigAlgorithm::kHmacSha256, kSecret};
}

// Whatever it is: a verdict, and to a fault an answer that is a message of its own.
void CheckAny(wire::Bytes input) {
  const wire::TsigCheck check = wire::CheckTsig(input, Lookup, kNow);
  CHECK(check.status != wire::TsigStatus::kPeerError);
  CHECK(!check.key.has_value() || check.status != wire::TsigStatus::kBadKey);
  if (check.status == wire::TsigStatus::kUnsigned || check.status == wire::TsigStatus::kVerified) return;
  const std::string answer = wire::TsigFaultAnswer(input, check, kNow);
  if (answer.empty()) {
    CHECK(input.size() < wire::kHeaderBytes);
    return;
  }
  const auto parsed = wire::ParseMessage(BytesOf(answer));
  CHECK(parsed.ok());
  CHECK(parsed->response);
  const bool form = check.status == wire::TsigStatus::kFormErr;
  CHECK(parsed->rcode == (form ? dns::Rcode::kFormErr : dns::Rcode::kNotAuth));
}

void CheckSigned(std::string_view message, size_t flip) {
  wire::TsigRecord record;
  if (wire::FindTsig(BytesOf(message), record) != wire::TsigStatus::kUnsigned) return;
  const wire::TsigKeyView key = *Lookup(kKeyName.wire());
  wire::TsigSigner signer(key, "");
  std::string made(message);
  if (!signer.Sign(made, kNow)) {
    CHECK(made == message);
    return;
  }
  CHECK_EQ(made.size(), message.size() + signer.record_bytes());
  const wire::TsigCheck check = wire::CheckTsig(BytesOf(made), Lookup, kNow + 299);
  CHECK(check.status == wire::TsigStatus::kVerified);
  CHECK(wire::WithoutTsig(BytesOf(made), check.record) == message);
  CHECK(wire::CheckTsig(BytesOf(made), Lookup, kNow + 301).status == wire::TsigStatus::kBadTime);
  // Not the ID, which the record has once more.
  const size_t bit = 16 + flip % (8 * (message.size() - 2));
  made[bit / 8] = static_cast<char>(made[bit / 8] ^ (1 << bit % 8));
  CHECK(wire::CheckTsig(BytesOf(made), Lookup, kNow).status != wire::TsigStatus::kVerified);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  CheckAny({data, size});
  if (size < 2) return 0;
  const size_t flip = static_cast<size_t>(data[0]) << 8 | data[1];
  CheckSigned({reinterpret_cast<const char*>(data), size}, flip);
  return 0;
}
