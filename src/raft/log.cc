#include "raft/log.h"

#include <algorithm>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/codec.h"

namespace quorate::raft {

Log::Log(SnapshotMeta base, std::vector<LogEntry> entries)
    : base_index_(base.last_index), base_term_(base.last_term), durable_(base.last_index) {
  configurations_.emplace_back(base.last_index, std::move(base.configuration));
  for (LogEntry& e : entries) {
    CHECK_EQ(e.index, last_index() + 1);
    CHECK_GE(e.term, last_term());
    Track(e);
    entries_.push_back(std::move(e));
  }
  durable_ = last_index();
}

void Log::Track(const LogEntry& entry) {
  bytes_ += Cost(entry);
  if (entry.type != EntryType::kConfiguration) return;
  CHECK(entry.payload != nullptr);
  std::optional<Configuration> configuration = DecodeConfiguration(*entry.payload);
  CHECK(configuration.has_value());
  configurations_.emplace_back(entry.index, *std::move(configuration));
}

std::optional<Term> Log::TermAt(LogIndex index) const {
  if (index == base_index_) return base_term_;
  if (index < base_index_ || index > last_index()) return std::nullopt;
  return At(index).term;
}

const LogEntry& Log::At(LogIndex index) const {
  CHECK_GT(index, base_index_);
  CHECK_LE(index, last_index());
  return entries_[index - base_index_ - 1];
}

std::vector<LogEntry> Log::Slice(LogIndex from, size_t bytes_max, size_t count_max) const {
  std::vector<LogEntry> out;
  size_t bytes = 0;
  for (LogIndex i = from; i <= last_index() && out.size() < count_max; ++i) {
    const LogEntry& entry = At(i);
    bytes += Cost(entry);
    if (!out.empty() && bytes > bytes_max) break;
    out.push_back(entry);
  }
  return out;
}

LogIndex Log::LastAgreement(LogIndex index, Term term) const {
  index = std::min(index, last_index());
  if (index < base_index_) return index;
  // Terms never fall along a log.
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(index - base_index_);
  const auto above =
      std::partition_point(entries_.begin(), end, [&](const LogEntry& e) { return e.term <= term; });
  if (above != entries_.begin() || base_term_ <= term) {
    return base_index_ + static_cast<uint64_t>(above - entries_.begin());
  }
  return base_index_ - 1;  // base_term_ > term >= 0, so the base is not the empty one at 0
}

void Log::Append(Term now_in, LogEntry entry) {
  CHECK_EQ(entry.index, last_index() + 1);
  CHECK_GE(entry.term, last_term());
  CHECK_LE(entry.term, now_in);
  if (pending_.empty() || pending_.back().appended_in != now_in) {
    CHECK(pending_.empty() || pending_.back().appended_in < now_in);
    pending_.push_back({now_in, {UINT64_MAX}});
  }
  Track(entry);
  entries_.push_back(std::move(entry));
}

void Log::TruncateFrom(LogIndex index) {
  CHECK_GT(index, base_index_);
  CHECK_LE(index, last_index());
  while (last_index() >= index) {
    bytes_ -= Cost(entries_.back());
    entries_.pop_back();
  }
  SIM_PROBE("raft.configuration-rolled-back", configurations_.back().first >= index);
  while (configurations_.size() > 1 && configurations_.back().first >= index) {
    if (SIM_MUTANT("config-not-rolled-back")) break;
    configurations_.pop_back();
  }
  durable_ = std::min(durable_, index - 1);
  // What is being written in this very term came from its one leader, and that is never truncated in the
  // term.
  for (PendingAppend& p : pending_) p.good_through = std::min(p.good_through, index - 1);
}

void Log::OnDurable(Term appended_in, LogIndex index) {
  SIM_PROBE("raft.disk-tells-of-what-was-truncated",
            !pending_.empty() && pending_.front().good_through < index);
  std::erase_if(pending_, [&](const PendingAppend& p) { return p.appended_in < appended_in; });
  if (pending_.empty() || pending_.front().appended_in != appended_in)
    return;  // of an older term, or all known
  const LogIndex good = std::min({index, pending_.front().good_through, last_index()});
  durable_ = std::max(durable_, good);
}

void Log::CompactThrough(LogIndex index) {
  if (index <= base_index_) return;
  CHECK_LE(index, last_index());
  const Term term = *TermAt(index);
  while (base_index_ < index) {
    bytes_ -= Cost(entries_.front());
    entries_.pop_front();
    ++base_index_;
  }
  base_term_ = term;
  // What is cut is in the durable state, whether or not this log's own write of it was synced.
  durable_ = std::max(durable_, base_index_);
  while (configurations_.size() > 1 && configurations_[1].first <= base_index_) {
    configurations_.erase(configurations_.begin());
  }
}

void Log::Install(const SnapshotMeta& meta, bool keep_suffix) {
  CHECK_GT(meta.last_index, base_index_);
  if (keep_suffix) {
    CompactThrough(meta.last_index);
    if (SIM_MUTANT("snapshot-keeps-conflicting-suffix")) base_term_ = meta.last_term;
    CHECK_EQ(base_term_, meta.last_term);
    configurations_.front() = {meta.last_index, meta.configuration};
    return;
  }
  entries_.clear();
  bytes_ = 0;
  base_index_ = meta.last_index;
  base_term_ = meta.last_term;
  durable_ = base_index_;
  configurations_.assign(1, {meta.last_index, meta.configuration});
  // Whatever is still being written is gone, or below the base: had this term's leader sent what follows the
  // snapshot, the logs would agree at its end. A bound in its place would bind the appends to come, too.
  pending_.clear();
}

const Configuration& Log::ConfigurationAt(LogIndex index) const {
  for (auto it = configurations_.rbegin(); it != configurations_.rend(); ++it) {
    if (it->first <= index) return it->second;
  }
  return configurations_.front().second;
}

}  // namespace quorate::raft
