#include "zone/serial.h"

#include <chrono>

namespace quorate::zone {
namespace {

uint32_t UnixTime(WallTime now) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(now.since_epoch).count());
}

uint32_t DateSerial(WallTime now) {
  const std::chrono::sys_days day{std::chrono::floor<std::chrono::days>(now.since_epoch)};
  const std::chrono::year_month_day date{day};
  const auto number = static_cast<int64_t>(static_cast<int>(date.year())) * 10000 +
                      static_cast<unsigned>(date.month()) * 100 + static_cast<unsigned>(date.day());
  return static_cast<uint32_t>(number * 100);
}

}  // namespace

dns::Serial NextSerial(dns::Serial old, const SerialRule& rule) {
  dns::Serial wanted{old.value + 1};
  if (rule.policy == SerialPolicy::kUnixTime) wanted.value = UnixTime(rule.now);
  if (rule.policy == SerialPolicy::kDateSerial) wanted.value = DateSerial(rule.now);
  return dns::IsNewer(wanted, old) ? wanted : dns::Serial{old.value + 1};
}

}  // namespace quorate::zone
