// Waiting in tests: for a condition, with a deadline; never for a length of time.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace quorate::testing {

// True as soon as `condition` is; false if it is not within `limit`.
inline bool Await(const std::function<bool()>& condition,
                  std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace quorate::testing
