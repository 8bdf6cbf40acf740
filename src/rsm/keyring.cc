#include "rsm/keyring.h"

#include <algorithm>

#include "base/check.h"
#include "rsm/codec.h"
#include "rsm/command_dns.h"

namespace quorate::rsm {
namespace {

constexpr std::string_view kKeys = "pt", kCookies = "pc";

std::string MapKey(const dns::Name& name) { return std::string(kKeys) + std::string(name.Folded().wire()); }

template <class Octets>
std::string_view View(const Octets& octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

std::optional<zone::CookieSecrets> DecodeCookieSecrets(std::string_view value) {
  ByteReader in(value);
  zone::CookieSecrets secrets{.rolls = in.U64()};
  secrets.rolled_at = Duration(static_cast<int64_t>(in.U64()));
  for (zone::CookieSecret* secret : {&secrets.previous, &secrets.current, &secrets.next}) {
    const std::string_view raw = in.Raw(secret->size());
    std::copy(raw.begin(), raw.end(), secret->begin());
  }
  if (!in.AtEnd()) return std::nullopt;
  return secrets;
}

}  // namespace

std::shared_ptr<const zone::Keyring> LoadKeyring(const kv::MapReader& map) {
  auto keyring = std::make_shared<zone::Keyring>();
  const std::unique_ptr<kv::MapIterator> it = map.NewIterator();
  for (it->Seek(kKeys); it->Valid() && it->key().starts_with(kKeys); it->Next()) {
    ByteReader in(it->value());
    zone::TsigKey key = codec::GetKey(in);
    if (!in.AtEnd()) FailStop("the state holds a TSIG key that does not decode");
    dns::Name name = key.name;
    keyring->keys.emplace(std::move(name), std::move(key));
  }
  if (const std::optional<std::string> cookies = map.Get(std::string(kCookies))) {
    keyring->cookies = DecodeCookieSecrets(*cookies);
    if (!keyring->cookies) FailStop("the state holds cookie secrets that do not decode");
  }
  return keyring;
}

void PutKey(const zone::TsigKey& key, kv::MapBatch& batch) {
  ByteWriter out;
  codec::PutKey(key, out);
  batch.push_back({MapKey(key.name), out.Take()});
}

void DeleteKey(const dns::Name& name, kv::MapBatch& batch) { batch.push_back({MapKey(name), std::nullopt}); }

void PutCookieSecrets(const zone::CookieSecrets& secrets, kv::MapBatch& batch) {
  ByteWriter out;
  out.U64(secrets.rolls);
  out.U64(static_cast<uint64_t>(secrets.rolled_at.count()));
  for (const zone::CookieSecret* secret : {&secrets.previous, &secrets.current, &secrets.next})
    out.Raw(View(*secret));
  batch.push_back({std::string(kCookies), out.Take()});
}

zone::CookieSecrets Rolled(const std::optional<zone::CookieSecrets>& before, const zone::CookieSecret& fresh,
                           Duration now) {
  zone::CookieSecrets after{.rolls = 1, .rolled_at = now, .previous = fresh, .current = fresh, .next = fresh};
  if (!before) return after;
  after.rolls = before->rolls + 1;
  after.previous = before->current;
  after.current = before->next;
  return after;
}

}  // namespace quorate::rsm
