// Client sessions (dissertation 6.3): the outcomes of a session's requests are kept in the replicated map
// until the client says that it has them, or the session ends: closed, or idle for its lifetime by group
// time. A request of a session that is not known is never run. Pure.
//   'c' id:u64be                 -> lifetime:u64 deadline:u64 queued:u64 forgotten_below:u64 outcomes:u32
//   'd' deadline:u64be id:u64be  -> (empty), in order of expiry; `queued` is the deadline that it stands
//   under 'o' id:u64be sequence:u64be  -> digest:u64 outcome
#pragma once

#include <optional>

#include "rsm/command.h"
#include "rsm/once.h"

namespace quorate::rsm::sessions {

// nullopt: the table is full.
std::optional<SessionGrant> Open(once::Table& table, uint64_t id, Duration lifetime);
// False: it was not there.
bool Close(once::Table& table, uint64_t id);

// Moves the session's deadline and forgets what the client does not need any more, whatever is found.
once::Known Find(once::Table& table, const SessionRequest& request, uint64_t digest);
// After Find said MayRun.
void Keep(once::Table& table, const SessionRequest& request, const once::Kept& kept);

// Removes sessions that are over, a few. That one is over does not wait for this. `in_use` is left alone: the
// command that is being applied writes it.
void Expire(once::Table& table, uint64_t in_use);

}  // namespace quorate::rsm::sessions
