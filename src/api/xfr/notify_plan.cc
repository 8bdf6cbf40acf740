#include "api/xfr/notify_plan.h"

#include <algorithm>

#include "base/limits.h"

namespace quorate::api::xfr {

NotifyPlan::Key NotifyPlan::KeyOf(const dns::Name& apex, const zone::Remote& remote) {
  return {apex, remote.address, remote.port};
}

void NotifyPlan::Schedule(const Key& key, Line& line, std::optional<BootTime> at) {
  if (line.due) {
    for (auto [it, end] = due_.equal_range(*line.due); it != end; ++it) {
      if (it->second != key) continue;
      due_.erase(it);
      break;
    }
  }
  line.due = at;
  if (at) due_.emplace(*at, key);
}

void NotifyPlan::Set(const dns::Name& apex, dns::Serial serial, const std::vector<zone::Remote>& remotes,
                     BootTime now) {
  std::vector<Key> gone;
  for (auto it = lines_.lower_bound({apex, {}, 0}); it != lines_.end() && it->first.apex == apex; ++it) {
    const bool stays = std::any_of(remotes.begin(), remotes.end(),
                                   [&](const zone::Remote& r) { return KeyOf(apex, r) == it->first; });
    if (!stays) gone.push_back(it->first);
  }
  for (const Key& key : gone) {
    Line& line = lines_.at(key);
    Schedule(key, line, std::nullopt);
    under_way_ -= line.attempts > 0;
    lines_.erase(key);
  }
  for (const zone::Remote& remote : remotes) {
    const Key key = KeyOf(apex, remote);
    Line& line = lines_[key];
    line.remote = remote;
    line.wanted = serial;
    const bool idle = line.attempts == 0;
    if (idle && !(line.told == serial)) Schedule(key, line, now);
  }
}

void NotifyPlan::Remove(const dns::Name& apex) { Set(apex, {}, {}, {}); }

void NotifyPlan::Finish(const Key& key, Line& line, BootTime now) {
  line.told = line.telling;
  line.attempts = 0;
  --under_way_;
  const bool more = line.wanted != line.telling;
  Schedule(key, line, more ? std::optional(now) : std::nullopt);
}

std::vector<NotifyPlan::Send> NotifyPlan::Due(BootTime now) {
  std::vector<Send> sends;
  std::vector<Key> keys;
  for (auto it = due_.begin(); it != due_.end() && it->first <= now; ++it) keys.push_back(it->second);
  for (const Key& key : keys) {
    Line& line = lines_.at(key);
    if (line.attempts == 0) {
      if (under_way_ >= limits::kNotifiesUnderWayMax) continue;  // stays due
      ++under_way_;
      line.telling = line.wanted;
    } else if (line.attempts >= kAttempts) {
      ++given_up_;
      Finish(key, line, now);
      continue;
    }
    sends.push_back({key.apex, line.remote, line.telling, ++line.attempts});
    Schedule(key, line, now + kFirstWait * (1 << (line.attempts - 1)));
  }
  return sends;
}

bool NotifyPlan::Answered(const dns::Name& apex, const zone::Remote& remote, BootTime now) {
  const auto it = lines_.find(KeyOf(apex, remote));
  if (it == lines_.end() || it->second.attempts == 0) return false;
  Finish(it->first, it->second, now);
  return true;
}

std::optional<BootTime> NotifyPlan::next() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace quorate::api::xfr
