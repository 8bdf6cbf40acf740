#include "raft/lease_book.h"

#include <algorithm>

#include "base/sim_hooks.h"

namespace quorate::raft {
namespace {

// Rounds of reads may come one upon the other; those beyond keep no echoes, so nothing is granted from them.
constexpr size_t kRoundsMax = 64;
constexpr Duration kDriftWindow = std::chrono::seconds(10);

}  // namespace

LeaseBook::LeaseBook(BootTime wait_until, const std::set<MemberId>& potential_holders)
    : wait_until_(wait_until) {
  for (MemberId id : potential_holders) holders_[id].potential = true;
}

void LeaseBook::StartRound(uint64_t round, BootTime now, LogIndex commit) {
  if (rounds_.size() >= kRoundsMax) return;
  Base next{round, now, commit, {}};
  for (const auto& [id, holder] : holders_)
    if (holder.echo) next.echoes.emplace(id, *holder.echo);
  rounds_.push_back(std::move(next));
}

bool LeaseBook::Confirm(uint64_t round) {
  bool moved = false;
  for (; !rounds_.empty() && rounds_.front().round <= round; rounds_.pop_front(), moved = true)
    base_ = std::move(rounds_.front());
  return moved;
}

LeaseBook::Life LeaseBook::OnAnswer(MemberId from, uint64_t incarnation) {
  Holder& h = holders_[from];
  if (incarnation < h.incarnation) return Life::kDead;
  if (incarnation == h.incarnation) return Life::kSame;
  const bool first = h.incarnation == 0;
  h.incarnation = incarnation;
  if (first) return Life::kSame;  // it may be the very process that holds a lease of our predecessor's
  if (SIM_MUTANT("no-incarnation-check")) return Life::kSame;
  SIM_PROBE("leases.holder-restarted", h.granted_until > kLongAgo || h.potential);
  h.granted_until = kLongAgo;
  h.potential = false;
  h.received = {};
  h.echo.reset();
  h.drift_from.reset();
  h.drift_ppm = 0;
  h.revoking = h.gone = h.alarm = false;
  ++h.seq;  // a Revoke still under way to the old process may reach the new one
  return Life::kNew;
}

void LeaseBook::OnEcho(MemberId from, BootTime echo, BootTime now) {
  Holder& h = holders_[from];
  // An older answer, come late. Its echo would do no harm, but no good either.
  if (h.echo && h.echo->incarnation == h.incarnation && echo <= h.echo->at) return;
  h.echo = Echo{echo, h.incarnation, now};
  if (!h.drift_from) h.drift_from = h.echo;
  const Duration ours = now - h.drift_from->received;
  if (ours < kDriftWindow) return;
  const Duration theirs = echo - h.drift_from->at;
  h.drift_ppm = (theirs - ours).count() / std::max<int64_t>(1, ours.count() / 1'000'000);
  h.drift_from = h.echo;
}

void LeaseBook::OnReceived(MemberId from, LogIndex received) {
  Holder& h = holders_[from];
  h.received = std::max(h.received, received);
}

void LeaseBook::OnRevoked(MemberId from, const RevokeReply& reply) {
  const auto at = holders_.find(from);
  if (at == holders_.end()) return;
  Holder& h = at->second;
  if (reply.incarnation != h.incarnation || reply.seq != h.seq) return;
  SIM_PROBE("leases.revoked", h.revoking);
  h.granted_until = kLongAgo;
  h.potential = false;
  h.revoking = false;
  ++h.seq;
}

// Only of the incarnation that this very leadership has heard: an older goodbye, come late, says nothing of a
// lease that a later life got from a leader before us.
void LeaseBook::OnGoodbye(MemberId from, uint64_t incarnation) {
  const auto at = holders_.find(from);
  if (at == holders_.end()) return;
  Holder& h = at->second;
  if (incarnation != h.incarnation || incarnation == 0) return;
  SIM_PROBE("leases.goodbye", true);
  h.granted_until = kLongAgo;
  h.potential = false;
  h.gone = true;
}

void LeaseBook::Granted(MemberId to, BootTime until) {
  Holder& h = holders_[to];
  h.granted_until = std::max(h.granted_until, until);
}

BootTime LeaseBook::DeadlineOf(MemberId id) const {
  const Holder* h = Find(id);
  if (!h) return kLongAgo;
  return h->potential ? std::max(h->granted_until, wait_until_) : h->granted_until;
}

LeaseBook::Gate LeaseBook::GateFor(LogIndex wanted, MemberId self, BootTime now) {
  Gate gate{wanted};
  for (auto& [id, holder] : holders_) {
    const bool blocks = id != self && holder.received < wanted && !LeaseIsDead(id, now);
    if (!blocks) {
      holder.blocks_since.reset();
      continue;
    }
    if (!holder.blocks_since || holder.received >= holder.blocks_at) {
      holder.blocks_since = now;
      holder.blocks_at = wanted;
    }
    gate.open = std::min(gate.open, holder.received);
    gate.changes_at = std::min(gate.changes_at, DeadlineOf(id) + Duration(1));
  }
  return gate;
}

void LeaseBook::NothingWaits() {
  for (auto& [id, holder] : holders_) holder.blocks_since.reset();
}

const LeaseBook::Holder* LeaseBook::Find(MemberId id) const {
  const auto at = holders_.find(id);
  return at == holders_.end() ? nullptr : &at->second;
}

}  // namespace quorate::raft
