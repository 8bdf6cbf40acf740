// Hooks of the simulator in code that the product shares. They exist only in the `_sim` libraries (built with
// QUORATE_SIM); in the product each is a constant, and the compiler drops what hangs on it.
//
//   if (SIM_MUTANT("no-gate")) return majority;          a deliberate bug, switched on by name (sim --mutant)
//   SIM_PROBE("leases.commit-waits-for-holder", held);   a rare path: counted whenever the condition holds
//
// Names are unique; every mutant and probe is listed in docs/testing.md.
#pragma once

#ifdef QUORATE_SIM

#include <string_view>

namespace quorate::sim_hooks {
bool MutantIs(std::string_view name);
void Probe(std::string_view name);
// The one mutant of this process (simulations run one at a time on one thread); empty: none.
void SetMutant(std::string_view name);
// Calls `visit(name, count)` for each probe seen so far, in order of their names.
void ForEachProbe(void (*visit)(std::string_view name, unsigned long long count, void* context),
                  void* context);
void ForgetProbes();
}  // namespace quorate::sim_hooks

#define SIM_MUTANT(name) (::quorate::sim_hooks::MutantIs(name))
#define SIM_PROBE(name, condition)                    \
  do {                                                \
    if (condition) ::quorate::sim_hooks::Probe(name); \
  } while (0)

#else

#define SIM_MUTANT(name) false
#define SIM_PROBE(name, condition) \
  do {                             \
    (void)sizeof(condition);       \
  } while (0)

#endif
