#include "base/sim_hooks.h"

#ifdef QUORATE_SIM

#include <map>
#include <string>

namespace quorate::sim_hooks {
namespace {

std::string& Mutant() {
  static std::string name;
  return name;
}
std::map<std::string, unsigned long long, std::less<>>& Probes() {
  static std::map<std::string, unsigned long long, std::less<>> probes;
  return probes;
}

}  // namespace

bool MutantIs(std::string_view name) { return Mutant() == name; }
void SetMutant(std::string_view name) { Mutant() = name; }

void Probe(std::string_view name) {
  auto at = Probes().find(name);
  if (at == Probes().end()) at = Probes().emplace(std::string(name), 0).first;
  ++at->second;
}

void ForEachProbe(void (*visit)(std::string_view, unsigned long long, void*), void* context) {
  for (const auto& [name, count] : Probes()) visit(name, count, context);
}

void ForgetProbes() { Probes().clear(); }

}  // namespace quorate::sim_hooks

#endif
