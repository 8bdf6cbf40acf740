// Looks at the data directory's disk once a second: whether it is nearly full, and the reserve.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace quorate::app {

struct DiskWatchOptions {
  std::string data_dir;
  uint64_t reserve_bytes = 0;                      // 0: none
  uint64_t low_bytes = 0;                          // with less than that it is nearly full; 0: it never is
  std::function<void(const std::string&)> notice;  // for the operator
  std::function<void(bool low)> each_second;       // after each look, on the watch's thread
};

// Nearly full below the mark, and no longer from a quarter above it on, so that it does not flicker. Room
// that cannot be read is not taken for none: the last answer stays.
class DiskWatch {
 public:
  // Looks for the first time before it returns; then on a thread of its own.
  explicit DiskWatch(DiskWatchOptions options);

  // Any thread.
  bool low() const { return low_.load(std::memory_order_relaxed); }
  uint64_t free_bytes() const { return free_.load(std::memory_order_relaxed); }

 private:
  void Look();
  void KeepReserve(uint64_t free);

  const DiskWatchOptions options_;
  std::atomic<bool> low_{false};
  std::atomic<uint64_t> free_{0};
  bool readable_ = true;  // at the last look
  std::jthread thread_;
};

}  // namespace quorate::app
