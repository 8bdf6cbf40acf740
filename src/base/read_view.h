// What a reader needs from consensus, without knowing of it: the newest published version of the data, and
// the right to answer from it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/types.h"

namespace quorate {

// Publishes immutable versions of `Data`. Publishers take turns under a lock; any number of readers, each of
// which keeps a Reader of its own. A reader's cost per batch is one atomic load; it takes the lock only after
// a change. Versions that readers have let go are freed by a publisher, never on a reader's thread.
template <class Data>
class ViewHub {
 public:
  using Ptr = std::shared_ptr<const Data>;

  explicit ViewHub(Ptr first) : current_(std::move(first)) {}

  // On return every later Refresh() sees `next` or newer. Any thread.
  void Publish(Ptr next) {
    Update([&](const Data&) { return std::move(next); });
  }

  // Publishes change(newest version), atomically among publishers; nothing if that is null. `change` runs
  // under the lock that readers take after a change: it must be short. Any thread.
  template <class Change>
  void Update(Change change) {
    std::vector<Ptr> garbage;
    {
      std::lock_guard lock(mu_);
      Ptr next = change(*current_);
      if (!next) return;
      retired_.push_back(std::exchange(current_, std::move(next)));
      std::erase_if(retired_, [&](Ptr& old) {
        if (old.use_count() > 1) return false;
        garbage.push_back(std::move(old));
        return true;
      });
      version_.fetch_add(1);
    }
    if (waiting_.load() > 0) WakeSubscribers();
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

  // For readers that wait for a later version. `wake` is called, from a publisher's thread, after each
  // publication while anybody is waiting. Unsubscribe returns once no call is under way. Any thread.
  uint64_t Subscribe(std::function<void()> wake) const {
    std::lock_guard lock(wake_mu_);
    subscribers_.emplace(++last_id_, std::move(wake));
    return last_id_;
  }
  void Unsubscribe(uint64_t id) const {
    std::lock_guard lock(wake_mu_);
    subscribers_.erase(id);
  }
  // Counts the caller among those who wait. Refresh() after BeginWait(): what was published before it will
  // not wake anybody.
  void BeginWait() const { waiting_.fetch_add(1); }
  void EndWait() const { waiting_.fetch_sub(1); }

 private:
  void WakeSubscribers() {
    std::lock_guard lock(wake_mu_);
    for (const auto& [id, wake] : subscribers_) wake();
  }

  mutable std::mutex mu_;
  std::atomic<uint64_t> version_{1};
  Ptr current_;
  std::vector<Ptr> retired_;
  mutable std::atomic<int> waiting_{0};
  mutable std::mutex wake_mu_;
  mutable uint64_t last_id_ = 0;                                   // guarded by wake_mu_
  mutable std::map<uint64_t, std::function<void()>> subscribers_;  // guarded by wake_mu_, held while calling
};

// The right to answer linearizably (read-leases, READ).
class ReadGate {
 public:
  virtual ~ReadGate() = default;

  // True: `now`, a reading of this machine's BOOTTIME taken after the requests were received, is within this
  // replica's read lease: a view loaded after this call returned may be answered from, except where it has
  // something pending that touches the answer. Once per batch; no lock, no message. Any thread.
  virtual bool HoldsLease(BootTime now) const = 0;

  // A reading of this machine's BOOTTIME such that a view loaded after this call contains everything that had
  // been committed anywhere by then; kNeverFresh if nothing is known. For `bounded` answers. Any thread.
  virtual BootTime FreshAsOf() const = 0;

  // Without a lease: asks for a read barrier (ReadIndex) and returns its ticket at once. Once completed() >=
  // ticket, a view loaded afterwards may be answered from, whatever is pending in it. Tickets grow; many
  // callers share one round. A barrier that cannot be had (no leader, no quorum) never completes: the caller
  // keeps its own deadline. Any thread.
  virtual uint64_t BeginBarrier() = 0;
  virtual uint64_t completed() const = 0;

  // `wake` is called, from any thread, whenever completed() has grown. Register before the first barrier;
  // Unsubscribe returns once no call is under way.
  virtual uint64_t Subscribe(std::function<void()> wake) = 0;
  virtual void Unsubscribe(uint64_t id) = 0;
};

inline constexpr BootTime kNeverFresh = kLongAgo;

}  // namespace quorate
