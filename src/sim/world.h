// The simulated world's time, chance and memory of what happened: one thread, one seed, no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/types.h"

namespace quorate::sim {

// A property that must hold and did not.
struct Violation {
  std::string property, detail;
};

class World {
 public:
  World(uint64_t seed, bool verbose) : rng_(seed), verbose_(verbose) {}

  Duration now() const { return now_; }
  Rng& rng() { return rng_; }
  // Uniform in [least, most].
  Duration Between(Duration least, Duration most) {
    return least +
           Duration(static_cast<int64_t>(rng_.Below(static_cast<uint64_t>((most - least).count()) + 1)));
  }

  // What is due at the same time happens in the order of the calls.
  void At(Duration when, std::function<void()> what);
  void After(Duration delay, std::function<void()> what) { At(now_ + delay, std::move(what)); }
  // The next thing happens. False: nothing is due before `until`; then it is `until`.
  bool Step(Duration until);

  // Everything noted goes into the hash: two runs with the same hash did the same.
  void Note(uint64_t member, std::string_view what, uint64_t a = 0, uint64_t b = 0);
  uint64_t trace_hash() const { return trace_hash_; }
  uint64_t steps() const { return steps_; }
  std::vector<std::string> LastLines() const;

  // The first one counts.
  void Fail(std::string property, std::string detail);
  const std::optional<Violation>& violation() const { return violation_; }

 private:
  struct Event {
    Duration when;
    uint64_t order;
    std::function<void()> what;
    bool operator>(const Event& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  struct Line {
    Duration when;
    uint64_t member;
    std::string what;
    uint64_t a, b;
  };
  static std::string Text(const Line& line);

  Duration now_{0};
  Rng rng_;
  const bool verbose_;
  uint64_t order_ = 0, steps_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t trace_hash_ = 0;
  std::deque<Line> lines_;
  std::optional<Violation> violation_;
};

}  // namespace quorate::sim
