// Which answers a change that is in the log, but not yet applied here, may touch (read-leases: "DNS: which
// answers does a pending change touch?"). Pure; immutable once made; any thread.
#pragma once

#include <memory>
#include <vector>

#include "base/types.h"
#include "dns/name.h"
#include "dns/rr.h"

namespace quorate::zone {

// Of one log entry. Both directions of time count: what was there before it, and what will be.
struct Touches {
  bool everything = false;          // every question
  std::vector<dns::Name> subtrees;  // every look-up that visits a name at or below one of these
  std::vector<dns::Name> serials;   // SOA and ANY at these apexes; the serial in negative answers may lag
  bool empty() const { return !everything && subtrees.empty() && serials.empty(); }
};

// What a change at `owner` in the zone `apex` touches: the whole subtree of its label just below the apex
// (new and vanished empty non-terminals, wildcards, cuts and DNAMEs are all inside it); a change at the apex
// itself, or of an owner that begins with `*` directly below it, or of NSEC, NSEC3 or NSEC3PARAM data: the
// zone.
void AddRecordTouch(const dns::Name& apex, const dns::Name& owner, dns::RRType type, Touches& touches);

class PendingChanges;
using PendingPtr = std::shared_ptr<const PendingChanges>;  // null: nothing is pending that touches DNS

// Everything pending that touches any answer. False positives only make an answer wait; there are no false
// negatives.
class PendingChanges {
 public:
  // The last pending index that touches a look-up which visited `name` (absent names, CNAME and DNAME
  // targets, names of additional data and names outside our zones too); 0: none. Does not allocate.
  LogIndex LastTouching(dns::NameView name) const;
  // The same for SOA or ANY asked of `name`: LastTouching, and the automatic serial of a zone with that apex.
  LogIndex LastTouchingSerial(dns::NameView name) const;

  // `before` (may be null) and one entry more, whose index is above all others; before itself if it touches
  // nothing. Above limits::kPendingTouchesMax touches the set collapses to "everything", until all of it is
  // applied.
  static PendingPtr With(const PendingPtr& before, LogIndex index, const Touches& touches);
  // Without what is at or below `applied`.
  static PendingPtr Without(const PendingPtr& before, LogIndex applied);
  // Without what is at or above `from` (cut off the log).
  static PendingPtr Truncated(const PendingPtr& before, LogIndex from);
};

}  // namespace quorate::zone
