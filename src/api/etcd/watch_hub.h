// Who watches what, and what each is told: changes from the applier and, for who was not there or is slow,
// from the history. One thread of its own does all matching and reading; the applier only hands over its
// events, into a bounded queue.
//
// A watch is either synced (told of each change as it comes) or behind (its next page is read from the
// history when its stream has room). A full stream, or an overflowing queue, makes watches fall behind:
// memory never grows.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "etcd/rpc.pb.h"
#include "kv/ordered_map.h"
#include "kv/store.h"
#include "kv/watch.h"

namespace quorate::api {

namespace etcd {

// A client's stream, as the hub sees it. Called by the hub's thread only, but for Stop.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // Never blocks. Ids and term of the header are filled in by the sink.
  virtual void Send(std::unique_ptr<etcdserverpb::WatchResponse> response) = 0;
  virtual bool Full() const = 0;  // once it is not full any more it calls WatchHub::Wake
  virtual void ReadNext() = 0;    // the last request is done: take the next from the client
  virtual void Stop() = 0;        // the server stops
};

}  // namespace etcd

class WatchHub {
 public:
  // `map` outlives this. Nothing is read before Start().
  WatchHub(const kv::MapReader& map, Duration progress_interval);
  ~WatchHub() { Stop(); }

  // The apply thread: everything at `revision`, in the map already. Never blocks.
  void Publish(Revision revision, const std::vector<kv::Event>& events);
  // The state was replaced: what is watched goes on from the history, or ends if that is gone.
  void Reset();

  void Start();
  // Stops every stream. Later ones are refused.
  void Stop();

  // Streams; any thread. 0: too many, or stopped.
  uint64_t Open(std::shared_ptr<etcd::WatchSink> sink);
  // One at a time for a stream: the next after ReadNext().
  void Request(uint64_t stream, etcdserverpb::WatchRequest request);
  void Close(uint64_t stream);
  void Wake();

 private:
  struct Batch {
    Revision revision;
    std::shared_ptr<const std::vector<kv::Event>> events;
    size_t bytes = 0;
  };
  struct Stream {
    std::shared_ptr<etcd::WatchSink> sink;
    std::map<int64_t, uint64_t> watches;  // by the client's number
    int64_t next_auto = 0;
  };
  struct Watch {
    uint64_t stream = 0;
    int64_t number = 0;
    kv::KeyRange range;
    Revision next;  // what is older was sent, or is not wanted
    bool synced = false;
    bool prev_kv = false, puts = true, deletes = true, progress_notify = false;
    std::chrono::steady_clock::time_point sent_at;
  };
  struct Inbox {  // what other threads want
    std::vector<std::pair<uint64_t, std::shared_ptr<etcd::WatchSink>>> opened;
    std::vector<std::pair<uint64_t, etcdserverpb::WatchRequest>> requests;
    std::vector<uint64_t> closed;
    std::deque<Batch> batches;
    bool gap = false;  // some changes never came, or the state was replaced
    bool woken = false;
  };
  using Response = std::unique_ptr<etcdserverpb::WatchResponse>;
  struct Outgoing {
    Response response;
    size_t bytes = 0;
  };

  void Run();
  Inbox AwaitInbox();
  void OnRequest(uint64_t id, etcdserverpb::WatchRequest request);
  void OnCreate(uint64_t id, Stream& stream, const etcdserverpb::WatchCreateRequest& request);
  void OnCancel(Stream& stream, int64_t number);
  void OnClose(uint64_t id);
  void Remove(uint64_t watch);
  void FallBehind(uint64_t id, Watch& watch, Revision next);
  void Deliver(const std::deque<Batch>& batches);
  void DeliverBatch(const Batch& batch, std::map<uint64_t, Outgoing>& outgoing);
  void SendEvents(Watch& watch, Response response);
  void CatchUp();
  bool CatchUpOne(uint64_t id, Watch& watch);
  void SendProgress();
  // Everything up to here was handed to synced watches, or must be read from the history.
  Revision Floor();
  bool CanCatchUp() const;

  const kv::MapReader& map_;
  const Duration progress_interval_;

  mutable std::mutex mu_;
  std::condition_variable ready_;
  Inbox inbox_;
  size_t queued_events_ = 0, queued_bytes_ = 0;
  Revision latest_{1};
  Revision skipped_to_{1};  // what is not newer will never be in the queue
  bool watched_ = false;    // somebody watches: queue what comes
  bool running_ = false, stopped_ = false;
  uint64_t last_stream_ = 0;
  size_t open_streams_ = 0;

  // The hub's thread only.
  Revision dispatched_{1};
  std::map<uint64_t, Stream> streams_;
  std::map<uint64_t, Watch> watches_;
  std::set<uint64_t> behind_;
  kv::WatchIndex synced_;
  std::set<uint64_t> progress_wanted_;  // streams
  std::chrono::steady_clock::time_point progress_checked_at_;
  uint64_t last_watch_ = 0;

  std::thread thread_;
};

}  // namespace quorate::api
