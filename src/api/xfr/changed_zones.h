// Which zones changed since somebody last looked: from the store's events. Any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <vector>

#include "base/types.h"
#include "dns/name.h"
#include "kv/types.h"

namespace quorate::api::xfr {

class ChangedZones {
 public:
  // From the apply thread: short. A change of a zone's SOA (every change has one) or settings.
  void Note(const std::vector<kv::Event>& events);
  void NoteAll();
  // Wakes who waits.
  void Wake();

  struct Changes {
    bool all = false;  // any zone may have changed: more than limits::kChangedZonesMax did, or the state was
                       // replaced
    std::set<dns::Name> zones;
    bool empty() const { return !all && zones.empty(); }
  };
  // Waits until there is something, or a Wake, or `timeout` has passed.
  Changes Take(Duration timeout);

 private:
  std::mutex mu_;
  std::condition_variable ready_;
  Changes changes_{.all = true, .zones = {}};
  bool woken_ = false;
};

}  // namespace quorate::api::xfr
