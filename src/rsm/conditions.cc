#include "rsm/conditions.h"

#include <fmt/format.h>

#include "base/overloaded.h"
#include "kv/store.h"
#include "rsm/read.h"

namespace quorate::rsm {
namespace {

// Written by the typed views of the store only.
constexpr std::string_view kReserved[] = {"/dns/", "/quorate/"};

std::optional<Conflict> ZoneConflict(const kv::MapReader& map, const dns::Name& apex, Revision since) {
  const Revision changed = ZoneRevision(map, apex);
  if (changed <= since) return std::nullopt;
  Conflict conflict{fmt::format("zone {} changed at revision {}, after revision {}", apex.ToText(),
                                changed.value, since.value),
                    {}};
  if (auto soa = GetRRset(map, Revision{0}, apex, apex, dns::RRType::kSOA)) conflict.current.push_back(*soa);
  return conflict;
}

bool SameVersion(const std::optional<StoredRRset>& a, const std::optional<StoredRRset>& b) {
  return a.has_value() == b.has_value() && (!a || a->mod_revision == b->mod_revision);
}

std::optional<Conflict> ChangeConflict(const kv::MapReader& map, const ZoneChange& command, Revision since) {
  std::optional<Conflict> conflict;
  for (const zone::RRsetEdit& edit : command.edits) {
    const auto now = GetRRset(map, Revision{0}, command.apex, edit.owner, edit.type);
    // Revision 0 in a read means the newest; as a condition it means "before anything was".
    const auto then =
        since.value == 0 ? std::nullopt : GetRRset(map, since, command.apex, edit.owner, edit.type);
    if (SameVersion(now, then)) continue;
    if (!conflict) {
      conflict = Conflict{fmt::format("{} {} changed after revision {}", edit.owner.ToText(),
                                      dns::TypeToText(edit.type), since.value),
                          {}};
    }
    if (now && conflict->current.size() < kCurrentMax) conflict->current.push_back(*now);
  }
  return conflict;
}

bool Overlaps(const kv::KeyRange& range, std::string_view prefix) {
  if (range.Single()) return range.key.starts_with(prefix);
  const kv::KeyRange reserved = kv::PrefixRange(prefix);
  return range.key < reserved.end && (range.Unbounded() || range.end > reserved.key);
}

std::string_view TouchedBy(const std::vector<kv::RequestOp>& ops);

std::string_view TouchedBy(const kv::KeyRange& range) {
  for (const std::string_view prefix : kReserved) {
    if (Overlaps(range, prefix)) return prefix;
  }
  return {};
}

std::string_view TouchedBy(const kv::RequestOp& op) {
  return std::visit(Overloaded{
                        [](const kv::RangeRequest&) { return std::string_view(); },
                        [](const kv::PutRequest& put) {
                          return TouchedBy(kv::KeyRange{put.key, ""});
                        },
                        [](const kv::DeleteRangeRequest& del) { return TouchedBy(del.range); },
                        [](const std::vector<kv::TxnRequest>& nested) {
                          std::string_view touched;
                          for (const kv::TxnRequest& txn : nested) {
                            if (touched.empty()) touched = ReservedPrefixTouched(txn);
                          }
                          return touched;
                        },
                    },
                    op);
}

std::string_view TouchedBy(const std::vector<kv::RequestOp>& ops) {
  for (const kv::RequestOp& op : ops) {
    if (const std::string_view touched = TouchedBy(op); !touched.empty()) return touched;
  }
  return {};
}

}  // namespace

std::optional<Conflict> FindConflict(const kv::MapReader& map, const Command& command) {
  if (!command.if_revision) return std::nullopt;
  const Revision since = *command.if_revision;
  const kv::Meta meta = kv::ReadMeta(map);
  if (since > meta.current) {
    return Conflict{
        fmt::format("revision {} does not exist yet, the newest is {}", since.value, meta.current.value), {}};
  }
  const auto* change = std::get_if<ZoneChange>(&command.body);
  if (change && since.value != 0 && since < meta.compacted) {
    return Conflict{fmt::format("revision {} is compacted: read again and retry", since.value), {}};
  }
  return std::visit(Overloaded{
                        [&](const ZoneChange& c) { return ChangeConflict(map, c, since); },
                        [&](const ZoneCreate& c) { return ZoneConflict(map, c.apex, since); },
                        [&](const ZoneReplace& c) { return ZoneConflict(map, c.apex, since); },
                        [&](const ZoneSettings& c) { return ZoneConflict(map, c.apex, since); },
                        [&](const ZoneTransferIn& c) { return ZoneConflict(map, c.apex, since); },
                        [&](const ZoneReplaceStaged& c) { return ZoneConflict(map, c.apex, since); },
                        [&](const ZoneDelete& c) { return ZoneConflict(map, c.apex, since); },
                        [&](const auto&) { return std::optional<Conflict>(); },
                    },
                    command.body);
}

std::string_view ReservedPrefixTouched(const kv::TxnRequest& txn) {
  const std::string_view touched = TouchedBy(txn.success);
  return touched.empty() ? TouchedBy(txn.failure) : touched;
}

}  // namespace quorate::rsm
