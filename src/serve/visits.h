// What the look-ups for one answer visited, and what follows from it (read-leases: "DNS: which answers does a
// pending change touch?").
#pragma once

#include <algorithm>
#include <optional>

#include "base/consistency.h"
#include "serve/respond.h"
#include "zone/view.h"

namespace quorate::serve {

// No allocation, no lock. Every name that was looked for is noted: absent ones, targets of aliases, hosts of
// additional data, and names outside our zones too.
class Visits {
 public:
  // Only pending entries up to `through` count.
  Visits(const zone::PendingChanges* pending, LogIndex through, const Asker& asker)
      : pending_(pending), through_(through), asker_(asker) {}

  void Note(dns::NameView name) {
    if (pending_ != nullptr) [[unlikely]]
      touched_ = std::max(touched_, pending_->LastTouching(name, through_));
  }
  // A question for the SOA of `name`, or for all it has.
  void NoteWithSerial(dns::NameView name) {
    if (pending_ != nullptr) [[unlikely]]
      touched_ = std::max(touched_, pending_->LastTouchingSerial(name, through_));
  }
  void NoteZone(const zone::ZoneSet& zones, const zone::Zone& zone) {
    if (consistency_ && consistency_->kind == Consistency::Kind::kLinearizable) return;
    const Consistency& here = zones.SettingsOf(zone).consistency;
    consistency_ = consistency_ ? Strictest(*consistency_, here) : here;
  }

  struct Admission {
    dns::Rcode rcode = dns::Rcode::kNoError;  // else there is no answer from the zone
    ExtendedError error = ExtendedError::kNone;
  };
  // Whether the asker may be answered from `zone`, and whether there is anything to answer from.
  Admission Admit(const zone::ZoneSet& zones, const zone::Zone& zone) const {
    const zone::Settings& settings = zones.SettingsOf(zone);
    if (!settings.query.IsAny() && !settings.query.Allows({asker_.address, asker_.key})) [[unlikely]]
      return {dns::Rcode::kRefused, ExtendedError::kProhibited};
    if (settings.is_servable()) [[likely]]
      return {};
    const bool expired = settings.state == zone::SecondaryState::kExpired;
    return {dns::Rcode::kServFail, expired ? ExtendedError::kInvalidData : ExtendedError::kNotReady};
  }
  // Of the question itself: its zone, and what gave the answer.
  void NoteQuestion(const zone::Zone& zone, dns::NameView rate_name) {
    zone_ = &zone, rate_name_ = rate_name;
  }

  const zone::Zone* zone() const { return zone_; }  // nullptr: none, or it does not answer
  dns::NameView rate_name() const { return rate_name_; }
  // The last pending entry that touches the answer; 0: none.
  LogIndex touched() const { return touched_; }
  // The strictest of the zones that were visited; linearizable if there was none.
  Consistency consistency() const { return consistency_.value_or(Consistency()); }

 private:
  const zone::PendingChanges* const pending_;
  const LogIndex through_;
  const Asker& asker_;
  const zone::Zone* zone_ = nullptr;
  dns::NameView rate_name_;
  LogIndex touched_;
  std::optional<Consistency> consistency_;
};

}  // namespace quorate::serve
