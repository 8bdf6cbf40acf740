// What all handlers of the HTTP door share, and the two ways of answering later: after a read barrier, after
// a write.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "api/http/backend.h"
#include "api/http/http_server.h"
#include "api/http/message.h"
#include "api/http/router.h"
#include "base/bounded_queue.h"
#include "base/result.h"
#include "rsm/command.h"
#include "rsm/outcome.h"

namespace quorate::api {

// One thread for work that takes longer than the sockets may wait: whole zones, JSON.
class Worker {
 public:
  Worker();
  ~Worker();
  // False: too much is waiting.
  [[nodiscard]] bool TryPost(std::function<void()> job) { return jobs_.TryPush(std::move(job)); }
  // What runs ends, what waits is dropped.
  void Stop();

 private:
  void Run();
  BoundedQueue<std::function<void()>> jobs_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class Context : public std::enable_shared_from_this<Context> {
 public:
  Context(const HttpServerOptions& options, HttpBackend backend)
      : backend(std::move(backend)),
        write_timeout(options.write_timeout),
        read_timeout(options.read_timeout),
        import_piece_bytes(options.import_piece_bytes) {}

  // Runs `job` on the worker and answers with what it gives.
  void Work(Respond respond, std::function<HttpResponse()> job);
  // The same after a read as ?consistency= asks: linearizable (default), bounded=5s or local.
  void WorkAfterRead(const HttpRequest& request, Respond respond, std::function<HttpResponse()> job);
  // Proposes. `done` gets the result of a command that was applied, or the reply that says why it was not, or
  // that nobody knows. It is called on a thread of the client's: it must not block. `more` is how much longer
  // than others this one may take.
  void Propose(rsm::Command command, std::function<void(Result<rsm::CommandResult, HttpResponse>)> done,
               Duration more = Duration::zero());

  const HttpBackend backend;
  const Duration write_timeout, read_timeout;
  const size_t import_piece_bytes;
  Worker worker;
  std::atomic<int64_t> ready_until{0};  // BOOTTIME in ns: a barrier that succeeded answers /readyz until then

  std::atomic<size_t> snapshots_open{0};  // being sent

  // For /metrics.
  std::atomic<uint64_t> writes_applied{0}, writes_refused{0}, writes_not_proposed{0}, writes_unknown{0};
};
using ContextPtr = std::shared_ptr<Context>;

// Origin, Idempotency-Key (a key, or "session <id>:<sequence>[;oldest=<n>]") and If-Match of a write; the
// error is the reply.
Result<rsm::Command, HttpResponse> CommandFor(const HttpRequest& request);

// Puts X-Quorate-Revision, X-Quorate-Serial and ETag on the reply of a write that was applied.
HttpResponse Stamped(HttpResponse response, const rsm::CommandResult& result);

void AddZoneRoutes(const ContextPtr& context, Router& router);
void AddZoneWriteRoutes(const ContextPtr& context, Router& router);
void AddZoneTransferRoutes(const ContextPtr& context, Router& router);
void AddZoneImportRoute(const ContextPtr& context, Router& router);
void AddZoneSettingsRoutes(const ContextPtr& context, Router& router);
void AddMetadataRoutes(const ContextPtr& context, Router& router);
void AddTsigKeyRoutes(const ContextPtr& context, Router& router);
void AddSessionRoutes(const ContextPtr& context, Router& router);
void AddGroupRoutes(const ContextPtr& context, Router& router);
void AddMemberRoutes(const ContextPtr& context, Router& router);
void AddSnapshotRoute(const ContextPtr& context, Router& router);
void AddHealthRoutes(const ContextPtr& context, Router& router);
// `door` counts connections.
void AddMetricsRoute(const ContextPtr& context, std::function<Listener::Counters()> door, Router& router);

}  // namespace quorate::api
