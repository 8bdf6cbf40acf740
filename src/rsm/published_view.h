// Fills the published view from both sides: what is pending (the raft thread, through PendingView) and what
// is applied (the apply thread, through the state machine's Observer).
#pragma once

#include <memory>

#include "base/read_view.h"
#include "rsm/api.h"
#include "zone/view.h"

namespace quorate::rsm {

class PublishedView final : public PendingView {
 public:
  // `hub` outlives this.
  explicit PublishedView(ViewHub<zone::View>& hub) : hub_(hub) {}

  void Append(std::span<const Entry> entries) override;
  void TruncateFrom(LogIndex from) override;
  void Installing(LogIndex through) override;

  // The apply thread. `zones` contains everything up to `applied`. Publishes nothing when neither the zones
  // nor what is pending changed by it: view.applied then lags behind, and nobody waits for it, since who
  // waits does so for an index that was pending.
  void Applied(LogIndex applied, std::shared_ptr<const zone::ZoneSet> zones);

 private:
  ViewHub<zone::View>& hub_;
};

}  // namespace quorate::rsm
