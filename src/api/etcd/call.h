// What every unary method of the etcd door needs: a bounded number of calls, threads for work that must hold
// up neither gRPC nor Raft, and the ways to the log and to the state.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/etcd/backend.h"
#include "etcd/rpc.pb.h"
#include "rsm/command.h"
#include "rsm/outcome.h"

namespace quorate::api::etcd {

// A few threads and one queue. What waits is bounded by the number of calls, since each has at most one job.
class WorkPool {
 public:
  explicit WorkPool(size_t threads);
  ~WorkPool() { Stop(); }
  // Any thread, never blocks. After Stop() the job is dropped.
  void Post(std::function<void()> job);
  // Drops what waits, returns when nothing runs.
  void Stop();

 private:
  void Run();
  std::mutex mu_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> jobs_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

// What stands in every header, at most a tenth of a second old: asking Raft takes its lock.
class HeaderCache {
 public:
  struct Ids {
    uint64_t cluster = 0, member = 0, term = 0;
  };
  explicit HeaderCache(const replica::Client& client) : client_(client) {}
  Ids Get();

 private:
  const replica::Client& client_;
  std::mutex mu_;
  std::optional<std::chrono::steady_clock::time_point> read_at_;
  Ids ids_;
};

struct Door {
  Door(EtcdBackend b, EtcdOptions o);
  void FillHeader(etcdserverpb::ResponseHeader& out);  // all but the revision

  const EtcdBackend backend;
  const EtcdOptions options;
  HeaderCache header;
  std::atomic<size_t> calls{0};
  WorkPool pool;
};

// One unary call from its arrival to its answer. Shared by the closures that carry it on; the last of them to
// go without an answer answers that the server stopped.
class Call {
 public:
  // nullptr: too many are under way, and the call was answered so.
  static std::shared_ptr<Call> Begin(Door& door, grpc::CallbackServerContext* context,
                                     grpc::ServerUnaryReactor* reactor);
  Call(Door& door, grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor)
      : door_(door), context_(context), reactor_(reactor) {}
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Door& door() { return door_; }
  void Finish(const grpc::Status& status);  // once
  // Finishes a write; trailing metadata `quorate-outcome` says "applied", "refused" (certainly not applied)
  // or "unknown".
  void FinishWrite(const grpc::Status& status, const char* outcome);

 private:
  friend void Propose(std::shared_ptr<Call> call, decltype(rsm::Command::body) body,
                      std::function<void(rsm::CommandResult)> answer);
  friend void AfterRead(std::shared_ptr<Call> call, bool serializable, std::function<grpc::Status()> answer);
  Duration TimeLeft() const;
  std::string Metadata(const char* name) const;  // empty if there is none
  // By quorate-session or quorate-idempotency-key. Not OK: they are malformed.
  grpc::Status SetOnce(rsm::Command& command) const;

  Door& door_;
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  bool finished_ = false;
};

// Puts the command into the log. `answer` gets what came of it, if it was applied, on a thread of the pool,
// fills the response, and the call is finished OK; everything else finishes it with etcd's error.
void Propose(std::shared_ptr<Call> call, decltype(rsm::Command::body) body,
             std::function<void(rsm::CommandResult)> answer);

// Runs `answer` on a thread of the pool, after a read as metadata `quorate-consistency` asks (linearizable,
// bounded=5s, local), a local one if `serializable`, and finishes with what it gives.
void AfterRead(std::shared_ptr<Call> call, bool serializable, std::function<grpc::Status()> answer);

}  // namespace quorate::api::etcd
