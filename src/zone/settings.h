// What is set for a zone beside its records.
#pragma once

#include "base/consistency.h"

namespace quorate::zone {

struct Settings {
  Consistency consistency;  // of answers, when the right to read cannot be had
  bool operator==(const Settings&) const = default;
};

}  // namespace quorate::zone
