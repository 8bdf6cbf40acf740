// Breadth-first exploration of a model, so that a counterexample is one of the shortest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "model/visited.h"

namespace quorate::model {

struct TraceLine {
  std::string action;
  std::string state;
};

struct Exploration {
  bool complete = false;  // every reachable state was seen, or a violation was found
  uint64_t states = 0;    // distinct ones, after the model's own reduction
  uint64_t transitions = 0;
  int depth = 0;                        // of the deepest state seen; the first has 0
  size_t bytes = 0;                     // the most held: the set of states and two levels of whole states
  std::optional<std::string> violated;  // the property
  std::vector<TraceLine> trace;         // from the first state to the one that violates it
};

// A model M has
//   State: plain bytes without padding, a multiple of eight; Action
//   State Initial() const
//   void Successors(const State&, std::vector<std::pair<Action, State>>& out) const   appends
//   void Canonicalize(State&) const          the one that stands for all states like it
//   std::optional<std::string> Violated(const State&) const
//   std::string Describe(const State& before, const Action&) const; std::string Describe(const State&) const
// Single-threaded. Stops, incomplete, rather than hold more than `states_max`.
template <class M>
class Explorer {
 public:
  using State = typename M::State;
  using Steps = std::vector<std::pair<typename M::Action, State>>;
  static_assert(std::has_unique_object_representations_v<State> && std::is_trivially_copyable_v<State>);
  static_assert(sizeof(State) % 8 == 0);

  Explorer(const M& model, size_t states_max) : model_(model), states_max_(states_max) {}

  Exploration Run() {
    State first = model_.Initial();
    Visit(first, Visited::kNone);
    std::vector<State> level;
    uint32_t level_begin = 0;
    while (!next_.empty() && !found_ && visited_.size() < states_max_) {
      level.swap(next_);
      next_.clear();
      const uint32_t next_begin = level_begin + static_cast<uint32_t>(level.size());
      for (size_t i = 0; i < level.size() && !found_ && visited_.size() < states_max_; ++i)
        Expand(level[i], level_begin + static_cast<uint32_t>(i));
      level_begin = next_begin;
      if (!next_.empty()) ++result_.depth;
      result_.bytes =
          std::max(result_.bytes, visited_.bytes() + (level.capacity() + next_.capacity()) * sizeof(State));
    }
    result_.states = visited_.size();
    result_.complete = found_ || visited_.size() < states_max_;
    if (found_) result_.trace = Trace(*found_);
    return std::move(result_);
  }

 private:
  Fingerprint Canonical(State& state) const {
    model_.Canonicalize(state);
    return FingerprintOf(&state, sizeof state);
  }

  void Visit(State& state, uint32_t parent) {
    if (!visited_.Insert(Canonical(state), parent)) return;
    next_.push_back(state);
    if (auto violated = model_.Violated(state)) {
      result_.violated = std::move(violated);
      found_ = static_cast<uint32_t>(visited_.size() - 1);
    }
  }

  void Expand(const State& state, uint32_t id) {
    steps_.clear();
    model_.Successors(state, steps_);
    result_.transitions += steps_.size();
    for (auto& [action, successor] : steps_) {
      Visit(successor, id);
      if (found_) return;
    }
  }

  // Plays the way again from the first state without renaming anything, so that a member keeps its name.
  std::vector<TraceLine> Trace(uint32_t id) const {
    std::vector<Fingerprint> way;
    for (; id != Visited::kNone; id = visited_.parent(id)) way.push_back(visited_.fingerprint(id));
    std::reverse(way.begin(), way.end());
    State state = model_.Initial();
    std::vector<TraceLine> lines = {{"the first state", model_.Describe(state)}};
    Steps steps;
    for (size_t i = 1; i < way.size(); ++i) {
      steps.clear();
      model_.Successors(state, steps);
      const auto step = std::find_if(steps.begin(), steps.end(), [&](const auto& candidate) {
        State canonical = candidate.second;
        return Canonical(canonical) == way[i];
      });
      CHECK(step != steps.end());
      lines.push_back({model_.Describe(state, step->first), model_.Describe(step->second)});
      state = step->second;
    }
    return lines;
  }

  const M& model_;
  const size_t states_max_;
  Visited visited_;
  std::vector<State> next_;
  Steps steps_;
  std::optional<uint32_t> found_;
  Exploration result_;
};

}  // namespace quorate::model
