#include "api/xfr/secondary_plan.h"

#include <algorithm>
#include <utility>

namespace quorate::api::xfr {
namespace {

Duration Timer(uint32_t seconds) {
  return std::clamp<Duration>(std::chrono::seconds(seconds), SecondaryPlan::kShortest,
                              SecondaryPlan::kLongest);
}

}  // namespace

Duration SecondaryPlan::RetryAfter(const Zone& zone) {
  if (zone.facts.state != zone::SecondaryState::kNotLoaded) return Timer(zone.facts.retry);
  const uint32_t doublings = std::min<uint32_t>(zone.failures > 0 ? zone.failures - 1 : 0, 12);
  return std::min<Duration>(kFirstRetry * (1 << doublings), kLastRetry);
}

void SecondaryPlan::Set(const dns::Name& apex, SecondaryFacts facts, BootTime now) {
  const auto [it, fresh] = zones_.try_emplace(apex);
  Zone& zone = it->second;
  const bool others = !fresh && zone.facts.primaries != facts.primaries;
  const bool asked = !fresh && facts.asked_at > zone.facts.asked_at;
  const bool other_serial = fresh || zone.facts.serial != facts.serial || zone.facts.state != facts.state;
  zone.facts = std::move(facts);
  const BootTime good = now - zone.facts.since_checked;
  if (fresh || good > zone.good) zone.good = good;
  if (other_serial) zone.expiry_told = false;
  if (fresh) {
    const bool loaded = zone.facts.state == zone::SecondaryState::kLoaded && !zone.facts.asked;
    zone.info.next = loaded ? std::max(now, zone.good + Timer(zone.facts.refresh)) : now;
  }
  if (others || asked) Want(apex, now);
}

bool SecondaryPlan::Want(const dns::Name& apex, BootTime now) {
  const auto it = zones_.find(apex);
  if (it == zones_.end()) return false;
  if (it->second.info.under_way) {
    it->second.wanted = true;
  } else {
    it->second.info.next = now;
  }
  return true;
}

std::vector<dns::Name> SecondaryPlan::Due(BootTime now, size_t at_most) {
  std::vector<std::pair<BootTime, dns::Name>> due;
  for (const auto& [apex, zone] : zones_) {
    if (!zone.info.under_way && zone.info.next <= now) due.emplace_back(zone.info.next, apex);
  }
  const size_t take = std::min(at_most, due.size());
  std::partial_sort(due.begin(), due.begin() + static_cast<ptrdiff_t>(take), due.end());
  std::vector<dns::Name> apexes;
  for (size_t i = 0; i < take; ++i) {
    zones_.at(due[i].second).info.under_way = true;
    apexes.push_back(std::move(due[i].second));
  }
  return apexes;
}

void SecondaryPlan::Done(const dns::Name& apex, std::string error, BootTime now) {
  const auto it = zones_.find(apex);
  if (it == zones_.end()) return;
  Zone& zone = it->second;
  zone.info.under_way = false;
  zone.info.last_try = now;
  zone.info.error = std::move(error);
  if (zone.info.error.empty()) {
    zone.failures = 0;
    zone.good = now;
    zone.info.next = now + Timer(zone.facts.refresh);
  } else {
    ++zone.failures;
    zone.info.next = now + RetryAfter(zone);
  }
  if (std::exchange(zone.wanted, false)) zone.info.next = now;
}

std::vector<dns::Name> SecondaryPlan::Expired(BootTime now) {
  std::vector<dns::Name> expired;
  for (auto& [apex, zone] : zones_) {
    const bool due =
        zone.facts.state == zone::SecondaryState::kLoaded && !zone.expiry_told &&
        now - zone.good >= std::max<Duration>(std::chrono::seconds(zone.facts.expire), kShortest);
    if (!due) continue;
    zone.expiry_told = true;
    expired.push_back(apex);
  }
  return expired;
}

std::optional<SecondaryInfo> SecondaryPlan::Info(const dns::Name& apex) const {
  const auto it = zones_.find(apex);
  return it != zones_.end() ? std::optional(it->second.info) : std::nullopt;
}

}  // namespace quorate::api::xfr
