// Who is to be told of which change, and when (RFC 1996 3). Pure: time is an argument.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/types.h"
#include "dns/rr.h"
#include "zone/remote.h"

namespace quorate::api::xfr {

// One thread. A line for each zone and server that is told; as many as the settings name.
class NotifyPlan {
 public:
  // The zone is at `serial` now, and these servers are told of it. Again with the same serial: nothing, but
  // for servers that are new. A change while one is being told of the last is told at once after it.
  void Set(const dns::Name& apex, dns::Serial serial, const std::vector<zone::Remote>& remotes, BootTime now);
  void Remove(const dns::Name& apex);
  // Everything is told again: after this replica became the leader.
  void Forget() { lines_.clear(), due_.clear(), under_way_ = 0; }

  struct Send {
    dns::Name apex;
    zone::Remote remote;
    dns::Serial serial;
    uint32_t attempt = 0;  // from 1
  };
  // What is to be sent now. Each is sent again later, with doubled waits, until it is answered or kAttempts
  // were made; at most limits::kNotifiesUnderWayMax are waited for at a time.
  std::vector<Send> Due(BootTime now);
  // An answer came: whatever it says, the server knows (RFC 1996 4.8). False: nobody waits for it.
  bool Answered(const dns::Name& apex, const zone::Remote& remote, BootTime now);
  // When Due has more to say; nullopt: nothing is waiting.
  std::optional<BootTime> next() const;

  size_t under_way() const { return under_way_; }
  uint64_t given_up() const { return given_up_; }

  // RFC 1996 3.6: 60 s and 5 retries are suggested; on today's networks sooner and no longer.
  static constexpr uint32_t kAttempts = 7;
  static constexpr Duration kFirstWait = std::chrono::seconds(1);  // then 2, 4, ... 64 s

 private:
  struct Key {
    dns::Name apex;
    zone::Address address;
    uint16_t port;
    auto operator<=>(const Key&) const = default;
  };
  struct Line {
    zone::Remote remote;
    dns::Serial wanted;   // to be told
    dns::Serial telling;  // is being told, if `attempts` is not 0
    uint32_t attempts = 0;
    std::optional<dns::Serial> told;  // answered, or given up
    std::optional<BootTime> due;      // nothing to do: nullopt
  };
  static Key KeyOf(const dns::Name& apex, const zone::Remote& remote);
  void Schedule(const Key& key, Line& line, std::optional<BootTime> at);
  void Finish(const Key& key, Line& line, BootTime now);

  std::map<Key, Line> lines_;
  std::multimap<BootTime, Key> due_;
  size_t under_way_ = 0;
  uint64_t given_up_ = 0;
};

}  // namespace quorate::api::xfr
