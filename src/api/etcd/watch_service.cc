#include "api/etcd/watch_service.h"

#include <deque>

#include "api/etcd/errors.h"
#include "base/limits.h"

namespace quorate::api::etcd {
namespace {

using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

// One client's stream. Held by gRPC (through self_) until OnDone, and by the hub until Close. All that starts
// an operation does so under mu_ and only before Finish; gRPC calls back later, never from within.
class WatchStream final : public grpc::ServerBidiReactor<WatchRequest, WatchResponse>, public WatchSink {
 public:
  WatchStream(Door& door, WatchHub& hub) : door_(door), hub_(hub) {}

  void Begin(std::shared_ptr<WatchStream> self) {
    std::lock_guard lock(mu_);
    self_ = self;
    id_ = hub_.Open(std::move(self));
    if (id_ == 0) {
      status_ = TooManyRequests();
      return FinishLocked();
    }
    StartRead(&request_);
  }

  // gRPC
  void OnReadDone(bool ok) override {
    if (ok) {
      hub_.Request(id_, std::move(request_));
    } else {
      End(grpc::Status::OK);
    }
  }
  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mu_);
    out_bytes_ -= out_.front()->ByteSizeLong();
    out_.pop_front();
    writing_ = false;
    if (ending_ || !ok) {
      ending_ = true;
      FinishLocked();
      return;
    }
    WriteLocked();
    if (FullLocked()) return;
    if (std::exchange(read_wanted_, false)) StartRead(&request_);
    const bool wake = std::exchange(was_full_, false);
    lock.unlock();
    if (wake) hub_.Wake();
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override {
    if (id_ != 0) hub_.Close(id_);
    const std::shared_ptr<WatchStream> self = std::move(self_);
  }

  // WatchSink
  void Send(std::unique_ptr<WatchResponse> response) override {
    door_.FillHeader(*response->mutable_header());
    std::lock_guard lock(mu_);
    if (ending_) return;
    out_bytes_ += response->ByteSizeLong();
    out_.push_back(std::move(response));
    was_full_ |= FullLocked();
    if (!writing_) WriteLocked();
  }
  bool Full() const override {
    std::lock_guard lock(mu_);
    return FullLocked();
  }
  // A client that does not read its answers is not listened to either.
  void ReadNext() override {
    std::lock_guard lock(mu_);
    if (ending_) return;
    if (FullLocked()) {
      read_wanted_ = true;
    } else {
      StartRead(&request_);
    }
  }
  void Stop() override { End(Stopped()); }

 private:
  bool FullLocked() const { return out_bytes_ >= limits::kWatchStreamBytesMax; }

  void WriteLocked() {
    if (out_.empty()) return;
    writing_ = true;
    StartWrite(out_.front().get());
  }

  void End(const grpc::Status& status) {
    std::lock_guard lock(mu_);
    if (ending_) return;
    ending_ = true;
    status_ = status;
    if (!writing_) FinishLocked();  // else when the write is done
  }

  void FinishLocked() {
    ending_ = true;
    if (std::exchange(finished_, true)) return;
    Finish(status_);
  }

  Door& door_;
  WatchHub& hub_;
  uint64_t id_ = 0;
  WatchRequest request_;
  std::shared_ptr<WatchStream> self_;

  mutable std::mutex mu_;
  std::deque<std::unique_ptr<WatchResponse>> out_;  // the first is being written
  size_t out_bytes_ = 0;
  bool writing_ = false, read_wanted_ = false, was_full_ = false;
  bool ending_ = false, finished_ = false;
  grpc::Status status_;
};

}  // namespace

grpc::ServerBidiReactor<WatchRequest, WatchResponse>* WatchService::Watch(grpc::CallbackServerContext*) {
  auto stream = std::make_shared<WatchStream>(door_, hub_);
  WatchStream* reactor = stream.get();
  reactor->Begin(std::move(stream));
  return reactor;
}

}  // namespace quorate::api::etcd
