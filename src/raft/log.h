// The log in memory: the entries after a base (what a snapshot or the applied state covers), how much of it
// is on this member's disk, and the configurations it holds. Every index given must be ours: a wrong one is a
// CHECK.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "raft/types.h"

namespace quorate::raft {

class Log {
 public:
  // `entries` follow the base without gaps and are durable.
  Log(SnapshotMeta base, std::vector<LogEntry> entries);

  LogIndex base_index() const { return base_index_; }
  LogIndex last_index() const { return base_index_ + entries_.size(); }
  Term last_term() const { return entries_.empty() ? base_term_ : entries_.back().term; }
  // Synced up to here, in its present form.
  LogIndex durable() const { return durable_; }
  // The term of the newest append that may still be under way to the disk (OnDurable).
  std::optional<Term> newest_append() const {
    return pending_.empty() ? std::nullopt : std::optional(pending_.back().appended_in);
  }
  // What the entries take in memory.
  size_t bytes() const { return bytes_; }

  // Of an entry, or of the base; nullopt outside.
  std::optional<Term> TermAt(LogIndex index) const;
  const LogEntry& At(LogIndex index) const;
  // From `from` on: at most `count_max` entries and `bytes_max` bytes, but at least one where there is one.
  std::vector<LogEntry> Slice(LogIndex from, size_t bytes_max, size_t count_max) const;
  // Where the log can last agree with one that has `term` at `index` or below: the largest index not above
  // `index` whose term is not above `term`. Below the base nothing is known; then the base's predecessor.
  LogIndex LastAgreement(LogIndex index, Term term) const;

  // `now_in` is the member's current term: the one of the disk's answer (OnDurable).
  void Append(Term now_in, LogEntry entry);
  void TruncateFrom(LogIndex index);
  // The append of `index` made in term `appended_in` is on disk, and so is all that was handed to the disk
  // before it. What has been truncated since proves nothing.
  void OnDurable(Term appended_in, LogIndex index);
  void CompactThrough(LogIndex index);
  // The state up to `meta` is replaced by a snapshot, which durable() takes for durable.
  void Install(const SnapshotMeta& meta, bool keep_suffix);

  // The latest in the log, committed or not (Raft 6: a configuration counts from its append on).
  const Configuration& configuration() const { return configurations_.back().second; }
  LogIndex configuration_index() const { return configurations_.back().first; }
  const Configuration& ConfigurationAt(LogIndex index) const;

  // In order: the last configuration at or below `index`, then all later ones.
  template <class Visit>
  void ForEachConfigurationSince(LogIndex index, Visit visit) const {
    for (size_t i = 0; i < configurations_.size(); ++i) {
      const bool superseded = i + 1 < configurations_.size() && configurations_[i + 1].first <= index;
      if (!superseded) visit(configurations_[i].second);
    }
  }

  static size_t Cost(const LogEntry& entry) { return sizeof(LogEntry) + entry.bytes(); }

 private:
  // Appends under way to the disk: those made in `appended_in` are good for at most `good_through`, as what
  // followed was truncated later. Without it an old acknowledgement could vouch for an entry that came back
  // (ABA).
  struct PendingAppend {
    Term appended_in;
    LogIndex good_through;
  };
  void Track(const LogEntry& entry);

  LogIndex base_index_;
  Term base_term_;
  std::deque<LogEntry> entries_;
  LogIndex durable_;
  size_t bytes_ = 0;
  std::vector<PendingAppend> pending_;  // by rising term
  std::vector<std::pair<LogIndex, Configuration>>
      configurations_;  // by rising index; the first is at or below the base
};

}  // namespace quorate::raft
