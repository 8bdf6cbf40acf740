#include "rsm/published_view.h"

#include <vector>

#include "rsm/touches.h"

namespace quorate::rsm {
namespace {

using zone::PendingChanges;
using zone::PendingPtr;
using ViewPtr = std::shared_ptr<const zone::View>;

ViewPtr WithPending(const zone::View& view, PendingPtr pending, uint64_t truncations) {
  auto next = std::make_shared<zone::View>(view);
  next->pending = std::move(pending);
  next->truncations = truncations;
  return next;
}

}  // namespace

void PublishedView::Append(std::span<const Entry> entries) {
  std::vector<zone::IndexedTouches> touched;
  for (const Entry& entry : entries) {
    zone::Touches touches = TouchesOf(entry);
    if (!touches.empty()) touched.push_back({entry.index, std::move(touches)});
  }
  if (touched.empty()) return;
  hub_.Update([&](const zone::View& view) -> ViewPtr {
    // At a start the log may hold entries whose effect the state has: nothing would ever take them out again.
    const std::span<const zone::IndexedTouches> all = touched;
    size_t applied = 0;
    while (applied < all.size() && all[applied].index <= view.applied) ++applied;
    PendingPtr pending = PendingChanges::With(view.pending, all.subspan(applied));
    return pending == view.pending ? nullptr : WithPending(view, std::move(pending), view.truncations);
  });
}

void PublishedView::TruncateFrom(LogIndex from) {
  hub_.Update([&](const zone::View& view) -> ViewPtr {
    PendingPtr pending = PendingChanges::Truncated(view.pending, from);
    return pending == view.pending ? nullptr : WithPending(view, std::move(pending), view.truncations + 1);
  });
}

void PublishedView::Installing(LogIndex through) {
  hub_.Update([&](const zone::View& view) -> ViewPtr {
    if (through <= view.applied) return nullptr;
    return WithPending(view, PendingChanges::WithEverything(view.pending, through), view.truncations);
  });
}

void PublishedView::Applied(LogIndex applied, std::shared_ptr<const zone::ZoneSet> zones) {
  hub_.Update([&](const zone::View& view) -> ViewPtr {
    PendingPtr pending = PendingChanges::Without(view.pending, applied);
    if (pending == view.pending && zones == view.zones) return nullptr;
    auto next = std::make_shared<zone::View>(view);
    next->applied = applied;
    next->zones = std::move(zones);
    next->pending = std::move(pending);
    return next;
  });
}

}  // namespace quorate::rsm
