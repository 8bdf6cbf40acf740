// When a secondary zone's primaries are asked, and when the zone expires (RFC 1034 4.3.5, RFC 1035 3.3.13,
// RFC 1996 3.11). Pure: time is an argument.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "dns/rr.h"
#include "zone/remote.h"
#include "zone/settings.h"

namespace quorate::api::xfr {

// What the zone is now.
struct SecondaryFacts {
  dns::Serial serial;
  uint32_t refresh = 0, retry = 0, expire = 0;  // of its SOA, seconds
  zone::SecondaryState state = zone::SecondaryState::kNotLoaded;
  Duration since_checked{0};  // since a primary last had nothing newer, or gave what is here
  Duration asked_at{0};       // grows when somebody, at another replica, wants that a primary is asked
  bool asked = false;         // since it was last checked
  std::vector<zone::Remote> primaries;
};

// For people.
struct SecondaryInfo {
  std::optional<BootTime> last_try;
  BootTime next{};
  bool under_way = false;
  std::string error;  // of the last try; empty: it went well
};

class SecondaryPlan {
 public:
  // A zone that is new here, or changed. Of one that is known the timers go on, but for what the new facts
  // say.
  void Set(const dns::Name& apex, SecondaryFacts facts, BootTime now);
  void Remove(const dns::Name& apex) { zones_.erase(apex); }
  void Clear() { zones_.clear(); }
  // As soon as may be: a NOTIFY came, or somebody asks for it. False: no such zone.
  bool Want(const dns::Name& apex, BootTime now);

  // Zones whose primaries are to be asked now, `at_most` of them, the longest due first. Each is under way
  // until Done.
  std::vector<dns::Name> Due(BootTime now, size_t at_most);
  // `error` empty: a primary said that ours is the newest, or gave us what is.
  void Done(const dns::Name& apex, std::string error, BootTime now);
  // Zones that have expired and are not marked so; each once, until Set says that it still is not.
  std::vector<dns::Name> Expired(BootTime now);

  std::optional<SecondaryInfo> Info(const dns::Name& apex) const;
  size_t size() const { return zones_.size(); }

  // SOA timers are kept within these, so that no zone floods its primary or is forgotten.
  static constexpr Duration kShortest = std::chrono::seconds(1), kLongest = std::chrono::hours(24 * 14);
  // Without content there are no timers yet: after the first failure, then doubled.
  static constexpr Duration kFirstRetry = std::chrono::seconds(2), kLastRetry = std::chrono::minutes(10);

 private:
  struct Zone {
    SecondaryFacts facts;
    BootTime good{};  // when since_checked began
    SecondaryInfo info;
    uint32_t failures = 0;  // in a row
    bool wanted = false;    // again, as soon as what is under way is over
    bool expiry_told = false;
  };
  static Duration RetryAfter(const Zone& zone);

  std::map<dns::Name, Zone> zones_;
};

}  // namespace quorate::api::xfr
