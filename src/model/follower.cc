// A follower on AppendEntries.
#include <algorithm>

#include "model/lease_model.h"

namespace quorate::model {

// accept iff term == currentTerm && matched && grant.inc == my inc && verified >= grant.floor (and eligible,
// as all are): lease_until = max(lease_until, grant.t_me + grant.T).
void LeaseModel::AcceptGrant(Member& holder, const Message& message, int verified) const {
  const bool mine = message.incarnation == holder.incarnation;
  if (!message.has_stamp || verified < message.floor) return;
  if (!mine && !Is(Mutant::kNoIncarnationCheck)) return;
  int left = options_.bounds.lease - message.age_holder;
  if (Is(Mutant::kLeaseFromReceipt)) left = options_.bounds.lease;
  // The stamp is a reading of a clock that has since begun anew: far in its future.
  if (!mine) left = wait_ + options_.bounds.lease;
  holder.lease_left = static_cast<uint8_t>(std::max<int>(holder.lease_left, left));
}

void LeaseModel::DeliverAppend(const Action& action, const State& state, const Message& message,
                               Steps& out) const {
  if (message.term < state.members[message.to].term) return;
  State next = state;
  if (message.term > next.members[message.to].term) AdoptTerm(next, message.to, message.term);
  Member& self = next.members[message.to];
  self.role = Role::kFollower;
  // The message has the whole log up to its last entry: what a match at prev implies (Log Matching). A suffix
  // is dropped only on a conflict.
  const int verified = Length(message.log);
  if (CommonPrefix(self.log, message.log) < verified) self.log = message.log;
  if (state.crashes == options_.bounds.crashes) self.durable = self.log;  // as Reduce does
  self.commit = std::max(self.commit, std::min(message.commit, static_cast<uint8_t>(verified)));
  AcceptGrant(self, message, verified);
  if (options_.bounds.fast_failover) self.answered_age = 0;

  Message reply{0, Message::Kind::kReply, message.term, message.to, message.from, message.newest_round};
  reply.recv = static_cast<uint8_t>(verified);
  reply.match = static_cast<uint8_t>(std::min(verified, CommonPrefix(self.log, self.durable)));
  if (Is(Mutant::kAckBeforeSync)) reply.match = reply.recv;
  reply.has_stamp = options_.bounds.follower_leases ? 1 : 0;  // the echo: BOOTTIME() at send
  reply.incarnation = self.incarnation;
  Action at_once = action;
  at_once.kind = Action::Kind::kExchange;
  at_once.answered = true;
  const bool arrives = DeliverReply(at_once, next, reply, out);
  if (Is(Mutant::kOldTermReplies)) {  // what it says beside that it answers has had its effect at once
    reply.recv = reply.match = reply.has_stamp = reply.newest_round = 0;
  }
  if (options_.bounds.plain || Is(Mutant::kOldTermReplies)) PushSending(out, action, next, reply);
  if (options_.bounds.plain || !arrives) Push(out, action, next);
}

}  // namespace quorate::model
