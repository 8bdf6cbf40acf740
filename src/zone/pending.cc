#include "zone/pending.h"

#include <algorithm>

#include "base/limits.h"
#include "zone/name_hash.h"

namespace quorate::zone {
namespace {

using dns::RRType;

void AddOnce(std::vector<dns::Name>& names, dns::Name name) {
  // What is next to each other in an edit is mostly in one subtree: the newest first.
  if (std::find(names.rbegin(), names.rend(), name) == names.rend()) names.push_back(std::move(name));
}

void TouchZone(const dns::Name& apex, Touches& touches) {
  std::erase_if(touches.subtrees, [&](const dns::Name& name) { return name.IsAtOrBelow(apex); });
  touches.subtrees.push_back(apex);
}

bool IsOfDenial(RRType type) {
  return type == RRType::kNSEC || type == RRType::kNSEC3 || type == RRType::kNSEC3PARAM;
}

}  // namespace

void AddRecordTouch(const dns::Name& apex, const dns::Name& owner, RRType type, Touches& touches) {
  if (!touches.subtrees.empty() && touches.subtrees.back() == apex) return;
  const size_t apex_labels = apex.LabelCount(), labels = owner.LabelCount();
  if (labels <= apex_labels || !owner.IsAtOrBelow(apex)) {
    // Of an owner outside the zone the command will be refused.
    return TouchZone(apex, touches);
  }
  dns::NameView below_apex = owner.wire();
  for (size_t i = labels; i > apex_labels + 1; --i) below_apex = dns::ParentOf(below_apex);
  const dns::Name subtree = dns::Name::FromView(below_apex);
  if (subtree.IsWildcard() || IsOfDenial(type)) return TouchZone(apex, touches);
  AddOnce(touches.subtrees, subtree);
  if (touches.subtrees.size() > kTouchesPerEntryMax) TouchZone(apex, touches);
}

LogIndex PendingChanges::LastOf(const TouchList& list, uint64_t hash, LogIndex through) {
  const auto after = std::upper_bound(list.begin(), list.end(), Touch{hash, through});
  if (after == list.begin()) return {};
  const Touch& found = *std::prev(after);
  return found.hash == hash ? found.index : LogIndex{};
}

LogIndex PendingChanges::LastOfEverything(LogIndex through) const {
  return everything_first_ <= through ? std::min(everything_last_, through) : LogIndex{};
}

LogIndex PendingChanges::LastTouching(dns::NameView name, LogIndex through) const {
  LogIndex last = LastOfEverything(through);
  if (subtrees_.empty()) return last;
  const FoldedName folded(name);
  uint64_t hash = RootHash();
  for (size_t labels = 0;; ++labels) {
    last = std::max(last, LastOf(subtrees_, hash, through));
    if (labels == folded.label_count()) return last;
    hash = ChildHash(hash, folded.Label(labels + 1));
  }
}

LogIndex PendingChanges::LastTouchingSerial(dns::NameView name, LogIndex through) const {
  const LogIndex last = LastTouching(name, through);
  return serials_.empty() ? last : std::max(last, LastOf(serials_, NameHash(name), through));
}

LogIndex PendingChanges::last() const {
  LogIndex last = everything_last_;
  for (const TouchList* list : {&subtrees_, &serials_}) {
    for (const Touch& touch : *list) last = std::max(last, touch.index);
  }
  return last;
}

void PendingChanges::Add(TouchList& list, const std::vector<dns::Name>& names, LogIndex index) {
  for (const dns::Name& name : names) list.push_back({NameHash(name.wire()), index});
}

void PendingChanges::Sort(TouchList& list, size_t sorted) {
  const auto middle = list.begin() + static_cast<std::ptrdiff_t>(sorted);
  std::sort(middle, list.end());
  std::inplace_merge(list.begin(), middle, list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

void PendingChanges::Collapse() {
  LogIndex first = everything_first_;
  for (const TouchList* list : {&subtrees_, &serials_}) {
    for (const Touch& touch : *list) {
      if (first == LogIndex{} || touch.index < first) first = touch.index;
    }
  }
  everything_last_ = last();
  everything_first_ = first;
  subtrees_.clear();
  serials_.clear();
}

PendingPtr PendingChanges::With(const PendingPtr& before, std::span<const IndexedTouches> entries) {
  if (std::all_of(entries.begin(), entries.end(), [](const auto& e) { return e.touches.empty(); }))
    return before;
  auto next = before ? std::make_shared<PendingChanges>(*before) : std::make_shared<PendingChanges>();
  const size_t subtrees = next->subtrees_.size(), serials = next->serials_.size();
  LogIndex everything;
  for (const auto& [index, touches] : entries) {
    Add(next->subtrees_, touches.subtrees, index);
    Add(next->serials_, touches.serials, index);
    if (touches.everything) everything = index;
  }
  Sort(next->subtrees_, subtrees);
  Sort(next->serials_, serials);
  if (next->subtrees_.size() + next->serials_.size() > limits::kPendingTouchesMax) next->Collapse();
  return everything == LogIndex{} ? next : WithEverything(next, everything);
}

PendingPtr PendingChanges::With(const PendingPtr& before, LogIndex index, const Touches& touches) {
  const IndexedTouches entry{index, touches};
  return With(before, {&entry, 1});
}

PendingPtr PendingChanges::WithEverything(const PendingPtr& before, LogIndex through) {
  auto next = before ? std::make_shared<PendingChanges>(*before) : std::make_shared<PendingChanges>();
  // Of the entries before it nothing more needs to be known: it is the last of them, and touches all.
  const auto covered = [through](const Touch& touch) { return touch.index <= through; };
  LogIndex first = next->everything_last_ == LogIndex{} ? through : next->everything_first_;
  for (TouchList* list : {&next->subtrees_, &next->serials_}) {
    for (const Touch& touch : *list) {
      if (covered(touch)) first = std::min(first, touch.index);
    }
    std::erase_if(*list, covered);
  }
  next->everything_first_ = std::min(first, through);
  next->everything_last_ = std::max(next->everything_last_, through);
  return next;
}

template <class Keep>
std::shared_ptr<PendingChanges> PendingChanges::Filtered(Keep keep) const {
  auto next = std::make_shared<PendingChanges>();
  next->everything_first_ = everything_first_;
  next->everything_last_ = everything_last_;
  std::copy_if(subtrees_.begin(), subtrees_.end(), std::back_inserter(next->subtrees_), keep);
  std::copy_if(serials_.begin(), serials_.end(), std::back_inserter(next->serials_), keep);
  return next;
}

PendingPtr PendingChanges::Without(const PendingPtr& before, LogIndex applied) {
  if (!before) return before;
  const auto keep = [applied](const Touch& touch) { return touch.index > applied; };
  const bool same = (before->everything_last_ == LogIndex{} || before->everything_first_ > applied) &&
                    std::all_of(before->subtrees_.begin(), before->subtrees_.end(), keep) &&
                    std::all_of(before->serials_.begin(), before->serials_.end(), keep);
  if (same) return before;
  auto next = before->Filtered(keep);
  if (next->everything_last_ <= applied) {
    next->everything_first_ = next->everything_last_ = LogIndex{};
  } else if (next->everything_first_ <= applied) {
    // Who waits for one of them must not be told that it is still pending.
    next->everything_first_ = applied + 1;
  }
  return next->empty() ? nullptr : next;
}

PendingPtr PendingChanges::Truncated(const PendingPtr& before, LogIndex from) {
  if (!before || before->last() < from) return before;
  auto next = before->Filtered([from](const Touch& touch) { return touch.index < from; });
  if (next->everything_first_ >= from) next->everything_first_ = next->everything_last_ = LogIndex{};
  if (next->everything_last_ >= from) next->everything_last_ = LogIndex{from.value - 1};
  return next->empty() ? nullptr : next;
}

}  // namespace quorate::zone
