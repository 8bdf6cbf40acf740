// Placeholder until the branch that has it is merged.
#pragma once
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "zone/edit.h"
#include "zone/serial.h"

namespace quorate::zone {
struct UpdateRecord {
  dns::Name owner;
  dns::RRType type;
  dns::RRClass rr_class;
  uint32_t ttl;
  std::string rdata;
  bool operator==(const UpdateRecord&) const = default;
};
struct Update {
  std::vector<UpdateRecord> prerequisites, updates;
  bool operator==(const Update&) const = default;
};
struct UpdateRefusal {
  dns::Rcode rcode;
  std::string reason;
};
using UpdateOutcome = std::variant<EditResult, UpdateRefusal>;
UpdateOutcome ApplyUpdate(const ZonePtr& zone, const Update& update, const SerialRule& serial,
                          const std::function<bool(const UpdateRecord&)>& may);
}  // namespace quorate::zone
