// Settings of a zone, lists of rules, remotes and grants as text: what is read is written again as text that
// reads the same.
#include "zone/settings.h"

#include "base/check.h"
#include "zone/acl.h"
#include "zone/keyring.h"
#include "zone/remote.h"

namespace quorate::zone {
namespace {

template <class Read, class Write>
void CheckSame(const Read& read, const Write& write, std::string_view text) {
  const auto first = read(text);
  if (!first.ok()) {
    CHECK(!first.error().empty());
    return;
  }
  const std::string written = write(*first);
  const auto second = read(written);
  CHECK(second.ok());
  CHECK(*second == *first);
  CHECK(write(*second) == written);
}

void CheckSettings(const Settings& settings) {
  const auto again = SettingsFromText(SettingsToText(settings));
  CHECK(again.has_value());
  CHECK(*again == settings);
}

}  // namespace
}  // namespace quorate::zone

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate::zone;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      if (const auto settings = SettingsFromText(text)) CheckSettings(*settings);
      break;
    case 1:
      if (const auto changed = WithChanges(Settings(), text); changed.ok()) CheckSettings(*changed);
      break;
    case 2:
      CheckSame(
          AclFromText, [](const Acl& acl) { return ToText(acl); }, text);
      break;
    case 3:
      CheckSame(
          RemotesFromText, [](const std::vector<Remote>& remotes) { return ToText(remotes); }, text);
      break;
    default:
      CheckSame(
          GrantFromText, [](const UpdateGrant& grant) { return ToText(grant); }, text);
  }
  return 0;
}
