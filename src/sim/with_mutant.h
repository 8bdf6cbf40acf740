// For tests: a deliberate bug as long as this lives.
#pragma once

#include "base/sim_hooks.h"

namespace quorate::sim {

class WithMutant {
 public:
  explicit WithMutant(const char* name) { sim_hooks::SetMutant(name); }
  ~WithMutant() { sim_hooks::SetMutant(""); }
  WithMutant(const WithMutant&) = delete;
};

}  // namespace quorate::sim
