// One command as it is being applied. Internal to the state machine.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "kv/store.h"
#include "rsm/once.h"
#include "rsm/replicated_state.h"

namespace quorate::rsm {

struct ReplicatedState::Work {
  Work(const kv::MapReader& map, const once::Bounds& bounds, once::Counts kept, LogIndex at, Stamp stamped)
      : index(at),
        stamp(stamped),
        counts(kept),
        txn(map),
        table{map, bounds, stamp.group_time, counts, batch} {}
  Work(const Work&) = delete;

  const LogIndex index;
  const Stamp stamp;  // its group time never goes back
  once::Counts counts;
  kv::Transaction txn;
  kv::MapBatch batch;  // what is not of the store: sessions, keys, compaction, the applied mark
  CommandResult result;
  std::shared_ptr<const zone::ZoneSet> zones;  // null: as before
  kv::Committed committed;
  bool compacts = false;
  once::Table table;  // over `batch` and `counts`

  void Refuse(Refused why, std::string reason) {
    result.refused = why;
    result.reason = std::move(reason);
  }
  // Nothing of a refused command stays.
  void TakeBack() {
    zones = nullptr;
    committed = {.revision = txn.base_revision()};
    result.revision = committed.revision;
  }
};

}  // namespace quorate::rsm
