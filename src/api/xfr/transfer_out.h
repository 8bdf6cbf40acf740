// Zones out: decides what a request for a transfer gets, and makes it.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "api/xfr/transfer_door.h"
#include "api/xfr/transfer_source.h"
#include "base/bounded_queue.h"
#include "base/read_view.h"
#include "kv/ordered_map.h"
#include "replica/client.h"
#include "zone/view.h"

namespace quorate::api::xfr {

// All of it outlives the door.
struct TransferBackend {
  replica::Client* client = nullptr;
  const kv::MapReader* map = nullptr;
  const ViewHub<zone::View>* views = nullptr;
  const Clock* clock = nullptr;
};

struct TransferOutCounters {
  std::atomic<uint64_t> full{0}, incremental{0}, current{0};  // begun, begun, the client has the newest
  std::atomic<uint64_t> refused{0};                           // by the zone's `transfer`
  std::atomic<uint64_t> failed{0};                            // no right to read, too many, not loaded
};

// Exactly what is sent. Pure: any thread; the history is read through one iterator at a time.
// A reply that is an error has no feed.
struct TransferAnswer {
  dns::Rcode rcode = dns::Rcode::kNoError;
  enum class Kind : uint8_t { kNone, kFull, kIncremental, kCurrent } kind = Kind::kNone;
  zone::ZonePtr zone;
  std::unique_ptr<RecordFeed> feed;
};
TransferAnswer AnswerTransfer(const kv::MapReader& map, const zone::ZoneSet& zones,
                              const TransferRequest& request);

// Begins with a linearizable read, so that a secondary that was told of a change gets it at any replica. One
// thread; limits::kTransfersMax at a time, the others get SERVFAIL.
class TransferOut final : public TransferDoor {
 public:
  explicit TransferOut(const TransferBackend& backend);
  ~TransferOut() override;

  void Transfer(TransferRequest request, serve::SlowDoor::Deliver deliver) override;
  const TransferOutCounters& counters() const { return *counters_; }

 private:
  struct Job {
    TransferRequest request;
    serve::SlowDoor::Deliver deliver;
    bool may_read = false;
  };

  void Run();
  void Serve(Job& job);

  const TransferBackend backend_;
  const std::shared_ptr<TransferOutCounters> counters_;
  const std::shared_ptr<std::atomic<size_t>> open_;
  const std::shared_ptr<BoundedQueue<std::shared_ptr<Job>>> jobs_;
  std::thread thread_;
};

}  // namespace quorate::api::xfr
