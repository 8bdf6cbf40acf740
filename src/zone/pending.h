// Which answers a change that is in the log, but not yet applied here, may touch (read-leases: "DNS: which
// answers does a pending change touch?"). Pure; immutable once made; any thread.
#pragma once

#include <compare>
#include <memory>
#include <span>
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
  bool operator==(const Touches&) const = default;
  bool empty() const { return !everything && subtrees.empty() && serials.empty(); }
};

// What a change at `owner` in the zone `apex` touches: the whole subtree of its label just below the apex
// (new and vanished empty non-terminals, wildcards, cuts and DNAMEs are all inside it); a change at the apex
// itself, or at or below `*` directly below it (names below make it an empty non-terminal, which covers names
// as well), or of NSEC, NSEC3 or NSEC3PARAM data: the zone. More than kTouchesPerEntryMax: the zone.
inline constexpr size_t kTouchesPerEntryMax = 64;
void AddRecordTouch(const dns::Name& apex, const dns::Name& owner, dns::RRType type, Touches& touches);

class PendingChanges;
using PendingPtr = std::shared_ptr<const PendingChanges>;  // null: nothing is pending that touches DNS

// What one entry touches, and where it is in the log.
struct IndexedTouches {
  LogIndex index;
  Touches touches;
};

inline constexpr LogIndex kWholeLog{~uint64_t{0}};

// Everything pending that touches any answer, by the hashes of names: false positives only make an answer
// wait, and there are no false negatives. A look-up costs one hash and one search for each label of the name.
class PendingChanges {
 public:
  // The last pending index, of those up to `through`, that touches a look-up which visited `name` (absent
  // names, CNAME and DNAME targets, names of additional data and names outside our zones too); 0: none. Does
  // not allocate.
  LogIndex LastTouching(dns::NameView name, LogIndex through = kWholeLog) const;
  // The same for SOA or ANY asked of `name`: LastTouching, and the automatic serial of a zone with that apex.
  LogIndex LastTouchingSerial(dns::NameView name, LogIndex through = kWholeLog) const;
  // The last index that is pending and touches anything.
  LogIndex last() const;

  // `before` (may be null) and these entries more, whose indices grow and are above all others; before itself
  // if they touch nothing. Above limits::kPendingTouchesMax touches the set collapses: what was in it then
  // counts as touching everything, until all of it is applied.
  static PendingPtr With(const PendingPtr& before, std::span<const IndexedTouches> entries);
  static PendingPtr With(const PendingPtr& before, LogIndex index, const Touches& touches);
  // Everything up to `through` touches everything.
  static PendingPtr WithEverything(const PendingPtr& before, LogIndex through);
  // Without what is at or below `applied`; before itself if that is nothing.
  static PendingPtr Without(const PendingPtr& before, LogIndex applied);
  // Without what is at or above `from` (cut off the log); before itself if that is nothing.
  static PendingPtr Truncated(const PendingPtr& before, LogIndex from);

 private:
  struct Touch {
    uint64_t hash;  // of the name, in any case
    LogIndex index;
    friend auto operator<=>(const Touch&, const Touch&) = default;
  };
  using TouchList = std::vector<Touch>;  // sorted, without duplicates

  static void Add(TouchList& list, const std::vector<dns::Name>& names, LogIndex index);
  static void Sort(TouchList& list, size_t sorted);
  static LogIndex LastOf(const TouchList& list, uint64_t hash, LogIndex through);
  LogIndex LastOfEverything(LogIndex through) const;
  void Collapse();
  bool empty() const { return everything_last_ == LogIndex{} && subtrees_.empty() && serials_.empty(); }
  template <class Keep>
  std::shared_ptr<PendingChanges> Filtered(Keep keep) const;

  TouchList subtrees_, serials_;
  LogIndex everything_first_, everything_last_;  // 0: nothing touches everything
};

}  // namespace quorate::zone
