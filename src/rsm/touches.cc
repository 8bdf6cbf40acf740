#include "rsm/touches.h"

#include <algorithm>

#include "base/bytes.h"
#include "rsm/codec.h"
#include "rsm/command_dns.h"
#include "rsm/command_tags.h"

namespace quorate::rsm {
namespace {

dns::RRType SkipRRset(ByteReader& in, dns::Name& owner) {
  owner = codec::GetName(in);
  const auto type = static_cast<dns::RRType>(in.U16());
  in.U32();
  for (size_t left = in.Count(); left > 0 && in.ok(); --left) in.String();
  return type;
}

zone::Touches OfChange(ByteReader& in) {
  zone::Touches touches;
  const dns::Name apex = codec::GetName(in);
  for (size_t left = in.Count(); left > 0 && in.ok(); --left) {
    in.U8();  // the kind of edit does not matter
    dns::Name owner;
    const dns::RRType type = SkipRRset(in, owner);
    if (!in.ok()) break;
    zone::AddRecordTouch(apex, owner, type, touches);
    // The rest can touch no more than this.
    if (touches.subtrees.back() == apex) break;
  }
  if (!in.ok()) return {};
  if (!touches.subtrees.empty()) touches.serials.push_back(apex);
  return touches;
}

zone::Touches OfUpdate(ByteReader& in) {
  zone::Touches touches;
  const dns::Name apex = codec::GetName(in);
  for (size_t left = in.Count(); left > 0 && in.ok(); --left) {
    const zone::UpdateRecord record = codec::GetUpdateRecord(in);
    if (!in.ok()) break;
    zone::AddRecordTouch(apex, record.owner, record.type, touches);
    if (touches.subtrees.back() == apex) break;
  }
  if (!in.ok()) return {};
  if (!touches.subtrees.empty()) touches.serials.push_back(apex);
  return touches;
}

zone::Touches OfZone(ByteReader& in) {
  zone::Touches touches;
  touches.subtrees.push_back(codec::GetName(in));
  return in.ok() ? touches : zone::Touches();
}

// The same, or everything where a catalog may change too.
zone::Touches OfZoneAndSettings(ByteReader& in) {
  zone::Touches touches = OfZone(in);
  const bool of_catalog = in.String().find("catalog") != std::string_view::npos;
  touches.everything = in.ok() && of_catalog;
  return touches;
}

}  // namespace

zone::Touches TouchesOf(const Entry& entry) {
  if (!entry.is_command) return {};
  const std::optional<StampedCommand> stamped = ParseStamped(entry.payload);
  if (!stamped) return {};
  ByteReader in(stamped->command);
  const zone::Touches everything{.everything = true, .subtrees = {}, .serials = {}};
  const uint8_t version = in.U8();
  const bool of_sessions = version >= kCommandVersionOfSessions;
  // Of another version nothing is known, so anything may change.
  if (in.ok() && (version < kCommandVersion || version > kCommandVersionOfDns)) return everything;
  in.String();  // origin
  if (of_sessions) in.Varint();
  in.String();  // idempotency key
  if (of_sessions) in.Varint(), in.Varint();
  if (in.U8() != 0) in.Varint();
  switch (static_cast<CommandTag>(in.U8())) {
    case CommandTag::kZoneChange:
      return OfChange(in);
    case CommandTag::kZoneCreate:
    case CommandTag::kZoneReplace:
    case CommandTag::kZoneTransferIn:
    case CommandTag::kZoneChecked:
    case CommandTag::kZoneReplaceStaged:
      return OfZone(in);
    case CommandTag::kZoneSettings:
    case CommandTag::kSecondaryCreate:
      return OfZoneAndSettings(in);
    case CommandTag::kZoneUpdate:
      return OfUpdate(in);
    case CommandTag::kZoneDelete:  // the catalog that listed it as well
    case CommandTag::kSeed:
      return everything;
    case CommandTag::kKvTxn:
    case CommandTag::kKvCompact:
    case CommandTag::kSessionOpen:
    case CommandTag::kSessionClose:
    case CommandTag::kTsigKeyPut:  // what is signed is answered behind a read barrier
    case CommandTag::kTsigKeyDelete:
    case CommandTag::kCookieSecretRoll:  // the old one is known for a while yet
    case CommandTag::kZoneStage:
      return {};
  }
  return in.ok() ? everything : zone::Touches();
}

}  // namespace quorate::rsm
