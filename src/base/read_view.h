// What a reader needs from consensus, without knowing of it: the newest published version of the data, and
// the right to answer from it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/types.h"

namespace quorate {

// Publishes immutable versions of `Data`. One publisher thread; any number of readers, each of which keeps a
// Reader of its own. A reader's cost per batch is one atomic load; it takes the lock only after a change.
// Versions that readers have let go are freed by the publisher, never on a reader's thread.
template <class Data>
class ViewHub {
 public:
  using Ptr = std::shared_ptr<const Data>;

  explicit ViewHub(Ptr first) : current_(std::move(first)) {}

  // Publisher thread only. On return every later Refresh() sees `next` or newer.
  void Publish(Ptr next) {
    std::vector<Ptr> garbage;
    {
      std::lock_guard lock(mu_);
      retired_.push_back(std::exchange(current_, std::move(next)));
      std::erase_if(retired_, [&](Ptr& old) {
        if (old.use_count() > 1) return false;
        garbage.push_back(std::move(old));
        return true;
      });
      version_.fetch_add(1, std::memory_order_release);
    }
  }

  Ptr Get() const {
    std::lock_guard lock(mu_);
    return current_;
  }

  class Reader {
   public:
    explicit Reader(const ViewHub& hub) : hub_(hub) { Load(); }
    // The newest version. Valid until the next call on this Reader.
    const Data& Refresh() {
      if (hub_.version_.load(std::memory_order_acquire) != version_) Load();
      return *held_;
    }
    uint64_t version() const { return version_; }

   private:
    void Load() {
      std::lock_guard lock(hub_.mu_);
      version_ = hub_.version_.load(std::memory_order_relaxed);
      held_ = hub_.current_;
    }
    const ViewHub& hub_;
    Ptr held_;
    uint64_t version_ = 0;
  };

 private:
  mutable std::mutex mu_;
  std::atomic<uint64_t> version_{1};
  Ptr current_;
  std::vector<Ptr> retired_;
};

// The right to answer linearizably.
class ReadGate {
 public:
  virtual ~ReadGate() = default;

  // True: a view loaded after this call returned may be answered from. One clock reading; no lock, no
  // message. Any thread. Call it after the requests were received, once per batch.
  virtual bool MayReadLocally() const = 0;

  // Otherwise: asks for a read barrier (ReadIndex) and returns its ticket at once. Once completed() >=
  // ticket, a view loaded afterwards may be answered from. Tickets grow; many callers share one round. A
  // barrier that cannot be had (no leader, no quorum) never completes: the caller keeps its own deadline. Any
  // thread.
  virtual uint64_t BeginBarrier() = 0;
  virtual uint64_t completed() const = 0;

  // `wake` is called, from any thread, whenever completed() has grown. Register before the first barrier;
  // Unsubscribe returns once no call is under way.
  virtual uint64_t Subscribe(std::function<void()> wake) = 0;
  virtual void Unsubscribe(uint64_t id) = 0;
};

}  // namespace quorate
