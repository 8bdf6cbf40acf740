// RFC 2136 3.2 and 3.4.1: what is checked before anything is changed.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "zone/update.h"

namespace quorate::zone {

// 3.2: whether all that the update asks of the zone is so.
std::optional<UpdateRefusal> CheckPrerequisites(const Zone& zone,
                                                std::span<const UpdateRecord> prerequisites);
// 3.3: whether the requestor may do it, and whether it may be done by UPDATE at all.
std::optional<UpdateRefusal> CheckPermission(const Zone& zone, std::span<const UpdateRecord> updates,
                                             const std::function<bool(const UpdateRecord&)>& may);
// 3.4.1.3: whether the update section is well-formed and within the zone.
std::optional<UpdateRefusal> Prescan(const Zone& zone, std::span<const UpdateRecord> updates);

UpdateRefusal RefuseUpdate(dns::Rcode rcode, const UpdateRecord& record, std::string_view why);

}  // namespace quorate::zone
