// Names: from the wire, from text, as keys of the store; in each form the name is the same name, in the same
// case, and the order of two is one order.
#include "wire/name.h"

#include "base/check.h"
#include "dns/name.h"

namespace quorate {
namespace {

void CheckName(const dns::Name& name) {
  CHECK_EQ(dns::NameLengthAt(name.wire()), name.wire().size());
  CHECK_LE(name.wire().size(), wire::kNameBytesMax);
  const auto text = dns::Name::FromText(name.ToText());
  CHECK(text.ok());
  CHECK(text->wire() == name.wire());
  const auto key = dns::Name::FromCanonicalKey(name.CanonicalKey());
  CHECK(key.has_value());
  CHECK(key->wire() == name.Folded().wire());
  CHECK(name == name.Folded());
  CHECK(name.IsAtOrBelow(name.Parent()));
  CHECK_EQ(name.IsRoot() ? 0 : name.Parent().LabelCount() + 1, name.LabelCount());
}

void CheckPair(const dns::Name& a, const dns::Name& b) {
  const int by_key = a.CanonicalKey().compare(b.CanonicalKey());
  CHECK_EQ(a < b, by_key < 0);
  CHECK_EQ(a == b, by_key == 0);
  CHECK_EQ(dns::SameName(a.wire(), b.wire()), by_key == 0);
  const bool below = a.IsAtOrBelow(b);
  CHECK_EQ(below, dns::IsAtOrBelow(a.wire(), b.wire()));
  bool found = false;
  for (dns::Name at = a;; at = at.Parent()) {
    found = found || at == b;
    if (at.IsRoot()) break;
  }
  CHECK_EQ(below, found);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  const wire::Bytes input(data, size);
  std::optional<dns::Name> last;
  // As in a message: every name may point back into those before it.
  for (size_t at = 0; at < size;) {
    wire::NameBuffer buffer;
    const auto next = wire::DecodeName(input, at, buffer);
    const auto skipped = wire::SkipName(input, at);
    if (!next.ok()) break;
    CHECK(skipped.ok());
    CHECK_EQ(*skipped, *next);
    CHECK(*next > at);
    const auto name = dns::Name::FromWire(buffer.view());
    CHECK(name.has_value());
    CheckName(*name);
    if (last) CheckPair(*name, *last);
    last = *name;
    at = *next;
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = dns::Name::FromText(text); name.ok()) CheckName(*name);
  if (const auto name = dns::Name::FromWire(text)) CheckName(*name);
  if (const auto name = dns::Name::FromCanonicalKey(text)) CheckName(*name);
  return 0;
}
