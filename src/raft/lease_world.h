// For tests of read leases: a few members with clocks of their own, messages that a test may hold back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "raft/member_model.h"

namespace quorate::raft {

class LeaseWorld {
 public:
  static constexpr Duration kStep = std::chrono::milliseconds(5);

  // Members are data directories of their own at feature level 2 only.
  explicit LeaseWorld(size_t voters, size_t learners = 0, Timing timing = LanTiming(),
                      uint64_t feature_level = 1) {
    Configuration c{.timing = timing, .leases_on = true};
    for (uint64_t id = 1; id <= voters + learners; ++id)
      c.members.push_back({.id = {id}, .voter = id <= voters});
    for (const Member& m : c.members)
      Make({.self = m.id,
            .seed = m.id.value,
            .instance = feature_level > 1 ? 100 + m.id.value : 0,
            .feature_level = feature_level},
           c);
  }
  // Starts a member, in place of one with its id.
  void Make(const CoreConfig& config, const Configuration& known) {
    members_.erase(config.self.value);
    members_.emplace(config.self.value,
                     MemberModel(config, MemberModel::Disk{.base = {.configuration = known}}));
    Start(config.self.value);
  }

  MemberModel& at(uint64_t id) { return members_.at(id); }
  const Core& core(uint64_t id) const { return members_.at(id).core(); }
  BootTime clock(uint64_t id) const { return {now_ + offsets_.at(id)}; }
  bool HoldsLease(uint64_t id) const { return members_.at(id).up() && clock(id) < core(id).lease_until(); }
  Duration now() const { return now_; }

  void Start(uint64_t id) {
    // Machines were not started together, and a restart begins a clock anew.
    offsets_[id] = std::chrono::seconds(100 * id) - now_ / 2;
    at(id).Start(clock(id));
  }
  void Crash(uint64_t id) { at(id).Crash(); }
  void Cut(uint64_t from, uint64_t to) { cut_.insert({from, to}); }
  void Isolate(uint64_t id) {
    for (const auto& [other, m] : members_)
      if (other != id) Cut(id, other), Cut(other, id);
  }
  void Heal() { cut_.clear(); }
  std::map<uint64_t, Dismissal> dismissed;
  // Disks of these do nothing.
  std::set<uint64_t> stuck_disks;
  // Messages for which it says true are kept aside.
  std::function<bool(const Message&)> hold;
  std::vector<Message> held;

  // Everything that is due happens, again and again, while time passes.
  void Run(Duration length) {
    for (const Duration end = now_ + length; now_ < end;) {
      now_ += kStep;
      for (auto& [id, m] : members_)
        if (m.up() && clock(id) >= m.core().NextTick()) Step(id, Tick{});
      Settle();
    }
  }
  template <class Condition>
  bool RunUntil(Condition condition, Duration most) {
    for (const Duration end = now_ + most; now_ < end && !condition();) Run(kStep);
    return condition();
  }
  void Settle() {
    for (bool more = true; more;) {
      more = false;
      for (auto& [id, m] : members_) {
        if (!m.up() || !m.writing() || stuck_disks.contains(id)) continue;
        const MemberModel::Synced synced = m.Sync(SIZE_MAX);
        Send(synced.send);
        if (synced.durable) Step(id, *synced.durable);
        more = true;
      }
      for (const Message& m : std::exchange(net_, {})) {
        Deliver(m);
        more = true;
      }
    }
  }
  void Deliver(const Message& m) {
    if (at(m.to.value).up()) Step(m.to.value, Receive{m});
  }
  void Step(uint64_t id, const Input& input) {
    const Effects e = at(id).Step(clock(id), input);
    if (e.dismissed) dismissed[id] = *e.dismissed;
    Send(e.send_now);
    if (!e.committed.empty()) Step(id, Applied{e.committed.back().index});
  }

  uint64_t leader() const {
    for (const auto& [id, m] : members_)
      if (m.up() && m.core().role() == Role::kLeader && !m.core().GetStatus().peers.empty()) return id;
    return 0;
  }
  // A leader, and every member holds a lease.
  bool Healthy() const {
    if (leader() == 0) return false;
    for (const auto& [id, m] : members_)
      if (!m.up() || !HoldsLease(id)) return false;
    return true;
  }
  uint64_t Follower(size_t nth = 0) const {
    for (const auto& [id, m] : members_)
      if (id != leader() && nth-- == 0) return id;
    return 0;
  }
  void Propose() {
    raft::Propose p{{{.tag = 1, .payload = std::make_shared<const std::string>("x")}}};
    Step(leader(), p);
  }
  LogIndex commit() const { return core(leader()).commit_index(); }
  LogIndex last() const { return core(leader()).GetStatus().last; }
  PeerStatus PeerOf(uint64_t id) const {
    for (const PeerStatus& p : core(leader()).GetStatus().peers)
      if (p.id.value == id) return p;
    return {};
  }
  const Configuration& configuration(uint64_t id) {
    last_seen_ = core(id).GetStatus().configuration;
    return last_seen_;
  }

 private:
  void Send(const std::vector<Message>& messages) {
    for (const Message& m : messages) {
      if (cut_.contains({m.from.value, m.to.value})) continue;
      if (hold && hold(m)) {
        held.push_back(m);
      } else {
        net_.push_back(m);
      }
    }
  }

  Duration now_{std::chrono::seconds(1)};
  std::map<uint64_t, MemberModel> members_;
  std::map<uint64_t, Duration> offsets_;
  std::set<std::pair<uint64_t, uint64_t>> cut_;
  std::vector<Message> net_;
  Configuration last_seen_;
};

}  // namespace quorate::raft
