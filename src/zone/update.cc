#include "zone/update.h"
namespace quorate::zone {
// Placeholder until the branch that has it is merged.
UpdateOutcome ApplyUpdate(const ZonePtr&, const Update&, const SerialRule&,
                          const std::function<bool(const UpdateRecord&)>&) {
  return UpdateRefusal{dns::Rcode::kNotImp, "not yet"};
}
}  // namespace quorate::zone
