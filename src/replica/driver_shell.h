// For tests: a driver whose threads the test plays.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replica/driver.h"

namespace quorate::replica::shell {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline raft::Configuration Group(uint64_t members) {
  raft::Configuration configuration;
  for (uint64_t id = 1; id <= members; ++id) configuration.members.push_back({.id = MemberId{id}});
  return configuration;
}

inline raft::LogEntry Command(uint64_t index, uint64_t term, const std::string& command,
                              Duration group_time = {}) {
  return {LogIndex{index}, Term{term}, raft::EntryType::kCommand,
          std::make_shared<const std::string>(rsm::StampCommand({group_time, {}}, command))};
}

// Member 1 of a group, its threads played by the test.
class Shell {
 public:
  explicit Shell(uint64_t members, raft::Restored restored = {}, StateAt state = {}) {
    if (restored.base.configuration.members.empty()) restored.base.configuration = Group(members);
    config_.core.self = MemberId{1};
    config_.probe_interval = Duration(0);
    config_.compaction = {.bytes_max = 1 << 20,
                          .entries_max = 8,
                          .bytes_keep = 1 << 20,
                          .entries_keep = 4,
                          .bytes_held = 1 << 20,
                          .entries_held = 24};
    driver.emplace(config_, std::move(restored), state, now());
  }

  Now now() const { return {time, {seconds(1'700'000'000) + time.since_boot}}; }
  Actions Do(Event event) {
    driver->Handle(now(), std::move(event));
    return driver->Collect(now());
  }
  Actions Wait(Duration length) {
    time = time + length;
    return driver->Collect(now());
  }
  Actions Receive(uint64_t from, uint64_t term, decltype(raft::Message::body) body) {
    return Do(MessageReceived{{MemberId{from}, MemberId{1}, Term{term}, std::move(body)}});
  }
  // The entries' disk and state machine work, until nothing is left to do. Gives all messages sent.
  enum class Flush { kAtOnce, kNever };
  std::vector<raft::Message> Settle(Actions actions, Flush flush = Flush::kAtOnce) {
    std::vector<raft::Message> sent;
    for (bool more = true; more;) {
      more = false;
      std::move(actions.send.begin(), actions.send.end(), std::back_inserter(sent));
      for (auto& complete : actions.completions) complete();
      std::vector<Event> events;
      for (const LogJob& job : actions.log) {
        if (const auto* base = std::get_if<raft::SnapshotMeta>(&job.work)) {
          compacted = base->last_index;
          events.push_back(LogCompacted{base->last_index});
        } else {
          ++writes;
          events.push_back(LogWritten{job.id});
        }
      }
      for (const ApplyJob& job : actions.apply)
        if (const auto* apply = std::get_if<ApplyEntries>(&job)) events.push_back(Apply(*apply));
      for (const HousekeepingJob& job : actions.housekeeping)
        if (flush == Flush::kAtOnce && std::holds_alternative<FlushState>(job))
          events.push_back(StateFlushed{});
      actions = {};
      for (Event& event : events) {
        more = true;
        driver->Handle(now(), std::move(event));
      }
      if (more) actions = driver->Collect(now());
    }
    return sent;
  }
  EntriesApplied Apply(const ApplyEntries& job) {
    EntriesApplied applied;
    for (const raft::LogEntry& entry : job.entries) {
      std::string outcome;
      if (entry.type == raft::EntryType::kCommand) {
        const auto stamped = rsm::ParseStamped(*entry.payload);
        stamps.push_back(stamped->stamp);
        outcome = "did " + std::string(stamped->command);
      }
      applied.entries.push_back({entry.index, entry.term, outcome});
    }
    return applied;
  }
  // A group of one leads as soon as its vote is on disk.
  void Lead() {
    Settle(Wait(seconds(1)));
    ASSERT_EQ(driver->core().role(), raft::Role::kLeader);
  }
  // Follows member 2 in `term`.
  void Follow(uint64_t term) { Settle(Receive(2, term, raft::AppendEntries{.round = 1})); }

  Actions Propose(std::string command, Duration timeout = seconds(1)) {
    return Do(ProposeCall{std::move(command), timeout, [this](ProposeOutcome o) { outcomes.push_back(o); }});
  }
  // `target`: under a lease.
  Actions Read(Duration timeout = seconds(1), LogIndex target = {}) {
    return Do(ReadCall{timeout, target, [this](absl::Status s) { reads.push_back(s); }});
  }

  DriverConfig config_;
  BootTime time{seconds(100)};
  std::optional<Driver> driver;
  std::vector<ProposeOutcome> outcomes;
  std::vector<absl::Status> reads;
  std::vector<rsm::Stamp> stamps;
  size_t writes = 0;
  LogIndex compacted;
};

template <class Body>
std::optional<Body> Find(const std::vector<raft::Message>& messages) {
  for (const raft::Message& message : messages)
    if (const auto* body = std::get_if<Body>(&message.body)) return *body;
  return std::nullopt;
}

inline bool IsRefused(const ProposeOutcome& outcome, Refusal why) {
  const auto* refused = std::get_if<NotProposed>(&outcome);
  return refused && refused->why == why;
}

}  // namespace quorate::replica::shell
