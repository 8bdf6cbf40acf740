// All of zone transfer of one process: out, NOTIFY, in.
#pragma once

#include "api/xfr/notifier.h"
#include "api/xfr/secondaries.h"
#include "api/xfr/transfer_out.h"

namespace quorate::api::xfr {

// What is given outlives it.
class Transfers {
 public:
  struct Backend {
    replica::Client* client = nullptr;
    const kv::MapReader* map = nullptr;
    const ViewHub<zone::View>* views = nullptr;
    const Clock* clock = nullptr;
    SourceAddresses sources;
  };
  explicit Transfers(const Backend& backend)
      : out_({backend.client, backend.map, backend.views, backend.clock}),
        notifier_({backend.client, backend.views, backend.clock, backend.sources}),
        secondaries_({backend.client, backend.map, backend.views, backend.clock, backend.sources}) {}

  TransferOut& out() { return out_; }
  Notifier& notifier() { return notifier_; }
  Secondaries& secondaries() { return secondaries_; }

  // From the apply thread, as rsm::Observer says.
  void StoreChanged(const std::vector<kv::Event>& events) {
    notifier_.changed().Note(events);
    secondaries_.changed().Note(events);
  }
  void Reloaded() {
    notifier_.changed().NoteAll();
    secondaries_.changed().NoteAll();
  }

 private:
  TransferOut out_;
  Notifier notifier_;
  Secondaries secondaries_;
};

}  // namespace quorate::api::xfr
