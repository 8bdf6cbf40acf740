// A queue with a bound, between threads. Full means TryPush says no; it never waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "base/types.h"

namespace quorate {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // False when full or closed: the caller answers with a retryable error.
  [[nodiscard]] bool TryPush(T item) {
    {
      std::lock_guard lock(mu_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  // Waits until there is something, `timeout` has passed or the queue is closed; then takes all there is.
  std::vector<T> TakeAll(Duration timeout) {
    std::unique_lock lock(mu_);
    ready_.wait_for(lock, timeout, [this] { return closed_ || !items_.empty(); });
    std::vector<T> out(std::make_move_iterator(items_.begin()), std::make_move_iterator(items_.end()));
    items_.clear();
    return out;
  }

  // The same, but takes one at most: where several threads share the work.
  std::vector<T> TakeOne(Duration timeout) {
    std::unique_lock lock(mu_);
    ready_.wait_for(lock, timeout, [this] { return closed_ || !items_.empty(); });
    std::vector<T> out;
    if (items_.empty()) return out;
    out.push_back(std::move(items_.front()));
    items_.pop_front();
    return out;
  }

  // No more pushes; waiters wake. What is queued can still be taken.
  void Close() {
    {
      std::lock_guard lock(mu_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  bool closed() const {
    std::lock_guard lock(mu_);
    return closed_;
  }
  size_t size() const {
    std::lock_guard lock(mu_);
    return items_.size();
  }

 private:
  const size_t capacity_;
  mutable std::mutex mu_;
  std::condition_variable ready_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace quorate
