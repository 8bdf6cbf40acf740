// A small replicated state machine for tests: a map of strings.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kv/ordered_map.h"
#include "rsm/api.h"

namespace quorate::testing {

// Commands: "key=value" sets the key. The outcome is the value before. The applied mark lives in the map,
// written in one batch with the change, as the product's does. Apply may be slowed down by tests through
// `before_apply`.
class KvMachine final : public rsm::StateMachine {
 public:
  explicit KvMachine(kv::OrderedMap& map) : map_(map) {}

  rsm::Outcome Apply(const rsm::Entry& entry) override;
  LogIndex applied_index() const override { return index_; }
  Term applied_term() const override { return term_; }
  Duration group_time() const override { return group_time_; }
  void Reload() override;
  uint64_t state_hash() const override { return hash_; }
  std::optional<rsm::AppliedAt> AppliedIn(const kv::MapReader& map) const override;

  std::string Get(std::string_view key) const;  // empty: not there

  std::function<void()> before_apply;  // apply thread

 private:
  kv::OrderedMap& map_;
  LogIndex index_;
  Term term_;
  Duration group_time_{0};
  uint64_t hash_ = 0;
};

}  // namespace quorate::testing
