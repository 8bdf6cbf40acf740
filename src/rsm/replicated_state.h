// The state machine of a nameserver group: the versioned store, and the DNS zones that are a view of it.
// Apply: keys and sessions, then the command on the store, then one batch into the map together with the
// applied index, then the new zone versions are published.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "kv/ordered_map.h"
#include "kv/store.h"
#include "rsm/api.h"
#include "rsm/command.h"
#include "rsm/once.h"
#include "rsm/outcome.h"
#include "zone/builder.h"
#include "zone/edit.h"
#include "zone/zone_set.h"

namespace quorate::rsm {

// Hears of what was applied, on the apply thread, after it is in the map; before Apply returns.
struct Observer {
  // Once for each entry, and after a Reload: the zones as of that index, the same pointer if they did not
  // change.
  std::function<void(LogIndex applied, const std::shared_ptr<const zone::ZoneSet>&)> published;
  std::function<void(Revision, const std::vector<kv::Event>&)>
      store_changed;               // the events of one revision, in order
  std::function<void()> reloaded;  // everything may have changed; history too
};

class ReplicatedState final : public StateMachine {
 public:
  // `map` outlives this. Nothing is read before Reload(), which stops the process (FailStop) if the map holds
  // a zone that cannot be rebuilt: everything in it was valid when it was applied. `bounds`: the same at
  // every replica.
  ReplicatedState(kv::OrderedMap& map, Observer observer, once::Bounds bounds = {});

  Outcome Apply(const Entry& entry) override;
  LogIndex applied_index() const override { return applied_.index; }
  Term applied_term() const override { return applied_.term; }
  Duration group_time() const override { return applied_.group_time; }
  void Reload() override;
  uint64_t state_hash() const override { return applied_.hash; }
  std::optional<AppliedAt> AppliedIn(const kv::MapReader& map) const override {
    return StateIn(*map.NewIterator());
  }

  // The same without a state of one's own, and as the iterator sees it.
  static std::optional<AppliedAt> StateIn(kv::MapIterator& map);
  static std::optional<AppliedAt> ParseApplied(std::string_view value);  // of the key that says so
  static constexpr std::string_view kAppliedKey = "mapplied";

  std::shared_ptr<const zone::ZoneSet> zones() const { return zones_; }

 private:
  struct AppliedMark {
    LogIndex index;
    Term term;
    Duration group_time{0};
    uint64_t hash = 0;
    once::Counts once;
    bool bytes_unknown = false;  // it was written by version 1, which did not count them
    bool compacting = false;     // superseded versions are still being deleted

    std::string Encode() const;
    static Result<AppliedMark, std::string> Decode(std::string_view bytes);
  };
  struct Work;  // of one command: its transaction, what it changed, its result

  static std::string NoSuchZone(const dns::Name& apex);
  Outcome RunOnce(const Command& command, std::string_view encoded, Work& work);
  Outcome RunUpdateOnce(const Command& command, const ZoneUpdate& update, Work& work);
  void Run(const Command& command, Work& work);
  void Do(const KvTxn& command, Work& work);
  void Do(const KvCompact& command, Work& work);
  void Do(const ZoneCreate& command, Work& work);
  void Do(const ZoneReplace& command, Work& work);
  void Do(const ZoneDelete& command, Work& work);
  void Do(const ZoneChange& command, Work& work);
  void Do(const Seed& command, Work& work);
  void Do(const ZoneSettings& command, Work& work);
  void Do(const SessionOpen& command, Work& work);
  void Do(const SessionClose& command, Work& work);
  void Do(const ZoneUpdate& command, Work& work);
  void Do(const SecondaryCreate& command, Work& work);
  void Do(const ZoneTransferIn& command, Work& work);
  void Do(const ZoneChecked& command, Work& work);
  void Do(const TsigKeyPut& command, Work& work);
  void Do(const TsigKeyDelete& command, Work& work);
  void Do(const CookieSecretRoll& command, Work& work);
  void Do(const ZoneStage& command, Work& work);
  void Do(const ZoneReplaceStaged& command, Work& work);
  // Both: nullptr, and the command is refused, if there is none such.
  zone::ZonePtr PrimaryZone(const dns::Name& apex, Work& work) const;
  zone::ZonePtr SecondaryZone(const dns::Name& apex, Work& work) const;
  zone::SerialRule SerialRuleOf(const zone::Zone& zone, const Work& work) const;
  void ReplaceZone(const dns::Name& apex, const std::vector<dns::RRset>& rrsets, Work& work);
  void BuildAndReplace(zone::ZoneBuilder builder, const dns::Name& apex, bool transferred, Work& work);
  void Adopt(zone::EditOutcome outcome, Work& work);
  void AdoptTransferred(zone::EditOutcome outcome, const dns::Name& apex, Work& work);
  void SetSettings(const dns::Name& apex, const zone::Settings& settings, Work& work);
  void FollowCatalogs(const Command& command, Work& work);
  void EditCatalog(const dns::Name& catalog, Work& work,
                   const std::function<zone::ZoneEdit(const zone::Zone&)>& edit);
  void SetKeyring(zone::Keyring keyring, Work& work);
  void PutChanges(const zone::Changeset& changeset, Work& work);
  void Write(const Entry& entry, Work& work);
  void PublishChanges(const Work& work);

  kv::OrderedMap& map_;
  const Observer observer_;
  const once::Bounds bounds_;
  AppliedMark applied_;
  std::shared_ptr<const zone::ZoneSet> zones_;
};

}  // namespace quorate::rsm
