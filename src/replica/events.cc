#include "replica/events.h"

#include "base/overloaded.h"

namespace quorate::replica {
namespace {

void Append(const std::vector<raft::LogEntry>& entries, rsm::PendingView& view) {
  std::vector<rsm::Entry> seen;
  seen.reserve(entries.size());
  for (const raft::LogEntry& e : entries) {
    const bool is_command = e.type == raft::EntryType::kCommand;
    seen.push_back({e.index, e.term, is_command,
                    is_command && e.payload ? std::string_view(*e.payload) : std::string_view()});
  }
  view.Append(seen);
}

}  // namespace

void Carry(const PendingChange& change, rsm::PendingView& view) {
  std::visit(Overloaded{[&](const TruncatePending& c) { view.TruncateFrom(c.from); },
                        [&](const AppendPending& c) { Append(c.entries, view); },
                        [&](const InstallPending& c) { view.Installing(c.through); }},
             change);
}

}  // namespace quorate::replica
