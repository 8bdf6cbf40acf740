#include "app/disk_watch.h"

#include <fmt/format.h>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/status_macros.h"
#include "storage/disk_reserve.h"

namespace quorate::app {
namespace {

constexpr auto kEvery = std::chrono::seconds(1);

uint64_t EnoughAbove(uint64_t low) { return low + low / 4; }

}  // namespace

DiskWatch::DiskWatch(DiskWatchOptions options) : options_(std::move(options)) {
  Look();
  thread_ = std::jthread([this](std::stop_token stop) {
    pthread_setname_np(pthread_self(), "disk-watch");
    std::mutex mu;
    std::condition_variable_any wake;
    std::unique_lock lock(mu);
    while (!wake.wait_for(lock, stop, kEvery, [&] { return stop.stop_requested(); })) {
      Look();
      if (options_.each_second) options_.each_second(low());
    }
  });
}

void DiskWatch::Look() {
  const auto free = storage::FreeBytes(options_.data_dir);
  if (!free.ok()) {
    if (std::exchange(readable_, false)) options_.notice(MessageOf(free.status()));
    return;
  }
  readable_ = true;
  free_ = *free;
  const bool was_low = low();
  low_ = *free < (was_low ? EnoughAbove(options_.low_bytes) : options_.low_bytes);
  if (low() && !was_low) {
    options_.notice(
        fmt::format("the disk of {} is nearly full: {} MiB are left; writes that need room are refused, "
                    "deletions are taken (docs/operations/full-disk.md)",
                    options_.data_dir, *free >> 20));
  } else if (was_low && !low()) {
    options_.notice(fmt::format("the disk of {} has room again: {} MiB", options_.data_dir, *free >> 20));
  }
  KeepReserve(*free);
}

// Only from what is there in plenty: the reserve must not be what fills the disk.
void DiskWatch::KeepReserve(uint64_t free) {
  const bool has = storage::HasReserve(options_.data_dir);
  if (!has && free < EnoughAbove(options_.low_bytes) + options_.reserve_bytes) return;
  storage::EnsureReserve(options_.data_dir, options_.reserve_bytes).IgnoreError();  // next time
}

}  // namespace quorate::app
