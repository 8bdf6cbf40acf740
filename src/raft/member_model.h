// For tests: a member with its disk. Writes wait in a queue until synced; a crash loses what was not;
// messages that depend on a write wait with it. A small state machine keeps what was applied.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "raft/codec.h"
#include "raft/core.h"

namespace quorate::raft {

class MemberModel {
 public:
  // What survives a crash.
  struct Disk {
    HardState hard_state;
    SnapshotMeta base;
    std::vector<LogEntry> entries;
    std::vector<LogEntry> state;  // the applied entries, by index from 1; written at any time
  };

  MemberModel(CoreConfig config, Disk disk)
      : config_(config), first_(disk.base.configuration), disk_(std::move(disk)) {}

  bool up() const { return core_ != nullptr; }
  Core& core() { return *core_; }
  const Core& core() const { return *core_; }
  MemberId id() const { return config_.self; }
  Disk& disk() { return disk_; }
  const std::vector<LogEntry>& state() const { return state_; }
  bool writing() const { return !writes_.empty(); }
  size_t unsynced_writes() const { return writes_.size(); }

  void Start(BootTime now) {
    ++config_.incarnation;
    state_ = disk_.state;
    const LogIndex applied{state_.size()};
    Restored restored{disk_.hard_state, disk_.base, disk_.entries, applied};
    if (applied > disk_.base.last_index && TermOnDisk(applied) != state_.back().term)
      Rebase(restored, applied);
    core_ = std::make_unique<Core>(config_, std::move(restored), now);
  }
  void Crash() {
    core_.reset();
    writes_.clear();
  }

  // Steps, keeps writes and applies what was committed. Returns the effects for the caller's own purposes;
  // what is in send_after_durable leaves by Sync().
  Effects Step(BootTime now, const Input& input) {
    Effects e = core_->Step(now, input);
    if (e.install) InstallState(*e.install);
    if (e.install || e.hard_state || !e.append.empty() || !e.send_after_durable.empty()) {
      writes_.push_back({e.install, e.keep_log_suffix, e.hard_state, e.append, e.send_after_durable,
                         e.when_durable, e.install ? state_ : std::vector<LogEntry>()});
    }
    state_.insert(state_.end(), e.committed.begin(), e.committed.end());
    return e;
  }

  // The snapshot whose SnapshotReceived is stepped next.
  void set_incoming_state(std::vector<LogEntry> state) { incoming_ = std::move(state); }

  struct Synced {
    std::vector<Message> send;
    std::optional<LogDurable> durable;
  };
  // One sync for the first `count` writes.
  Synced Sync(size_t count) {
    Synced out;
    for (; count > 0 && !writes_.empty(); --count) {
      Write& w = writes_.front();
      Store(w);
      out.send.insert(out.send.end(), w.then_send.begin(), w.then_send.end());
      if (w.when_durable) out.durable = w.when_durable;
      writes_.pop_front();
    }
    return out;
  }
  // The state machine's own disk is not synced with the log's: it may be ahead of it, or behind.
  void FlushState() { disk_.state = state_; }

  void CompactDisk(LogIndex through) {
    while (disk_.base.last_index < through && !disk_.entries.empty()) {
      disk_.base.last_term = disk_.entries.front().term;
      disk_.base.last_index = disk_.entries.front().index;
      disk_.entries.erase(disk_.entries.begin());
    }
    disk_.base.configuration = ConfigurationAsOf(disk_.base.last_index);
  }

  // By the applied entries, as the product's state keeps it.
  Configuration ConfigurationAsOf(LogIndex index) const {
    for (size_t i = std::min<size_t>(index.value, state_.size()); i > 0; --i) {
      const LogEntry& e = state_[i - 1];
      if (e.type == EntryType::kConfiguration) return *DecodeConfiguration(*e.payload);
    }
    return first_;
  }

 private:
  struct Write {
    std::optional<SnapshotMeta> install;
    bool keep_suffix = false;
    std::optional<HardState> hard_state;
    std::vector<LogEntry> append;
    std::vector<Message> then_send;
    std::optional<LogDurable> when_durable;
    std::vector<LogEntry> state;  // with install
  };

  void InstallState(const SnapshotMeta& meta) {
    state_ = incoming_;
    state_.resize(meta.last_index.value);
  }

  void Store(const Write& w) {
    if (w.install) {
      if (w.keep_suffix) {
        std::erase_if(disk_.entries, [&](const LogEntry& e) { return e.index <= w.install->last_index; });
      } else {
        disk_.entries.clear();
      }
      disk_.base = *w.install;
      disk_.state = w.state;
    }
    if (w.hard_state) disk_.hard_state = *w.hard_state;
    if (w.append.empty()) return;
    std::erase_if(disk_.entries, [&](const LogEntry& e) { return e.index >= w.append.front().index; });
    disk_.entries.insert(disk_.entries.end(), w.append.begin(), w.append.end());
  }

  std::optional<Term> TermOnDisk(LogIndex index) const {
    const size_t at = index - disk_.base.last_index - 1;
    return at < disk_.entries.size() ? std::optional(disk_.entries[at].term) : std::nullopt;
  }
  // As the driver does when the log ends before what was applied, or disagrees with it: it starts anew after
  // that.
  void Rebase(Restored& restored, LogIndex applied) {
    disk_.base.last_index = applied;
    disk_.base.last_term = state_.back().term;
    disk_.base.configuration = ConfigurationAsOf(applied);
    disk_.entries.clear();
    restored.base = disk_.base;
    restored.entries.clear();
  }

  CoreConfig config_;
  Configuration first_;  // of the group's formation
  Disk disk_;
  std::unique_ptr<Core> core_;
  std::deque<Write> writes_;
  std::vector<LogEntry> state_;
  std::vector<LogEntry> incoming_;
};

}  // namespace quorate::raft
