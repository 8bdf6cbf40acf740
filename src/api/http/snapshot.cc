// The whole state as a file, sent while it is read: for backups.
#include "api/http/context.h"
#include "api/http/errors.h"
#include "base/limits.h"

namespace quorate::api {
namespace {

// One snapshot on its way to a client; pins a version of the state as long as it lives.
class Sending {
 public:
  explicit Sending(ContextPtr context) : context_(std::move(context)) {}
  ~Sending() { context_->snapshots_open.fetch_sub(1); }
  Sending(const Sending&) = delete;

  absl::Status Open() {
    auto opened = context_->backend.open_snapshot();
    if (!opened.ok()) return opened.status();
    parts_ = *std::move(opened);
    return absl::OkStatus();
  }
  // One at a time, on the worker.
  static void Give(const std::shared_ptr<Sending>& self, const GivePart& give) {
    if (!self->context_->worker.TryPost([self, give] { give(self->parts_()); }))
      give(absl::ResourceExhaustedError("too many requests are waiting"));
  }

 private:
  const ContextPtr context_;
  HttpBackend::FileParts parts_;
};

std::shared_ptr<Sending> TryBegin(const ContextPtr& context) {
  if (context->snapshots_open.fetch_add(1) >= limits::kSnapshotFilesMax) {
    context->snapshots_open.fetch_sub(1);
    return nullptr;
  }
  return std::make_shared<Sending>(context);
}

void HandleSnapshot(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  if (!context->backend.open_snapshot) {
    return respond(ErrorResponse(404, "no_snapshots", "this replica gives no snapshots"));
  }
  const std::shared_ptr<Sending> sending = TryBegin(context);
  if (!sending) {
    HttpResponse busy = ErrorResponse(503, "busy", "other snapshots are being saved from this replica",
                                      "try again later, or ask another replica");
    busy.headers.emplace_back("Retry-After", "5");
    return respond(std::move(busy));
  }
  context->WorkAfterRead(request, std::move(respond), [sending] {
    if (const absl::Status status = sending->Open(); !status.ok()) return StatusResponse(status);
    HttpResponse response{.content_type = "application/octet-stream"};
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"quorate.snapshot\"");
    response.parts = [sending](const GivePart& give) { Sending::Give(sending, give); };
    return response;
  });
}

}  // namespace

void AddSnapshotRoute(const ContextPtr& context, Router& router) {
  router.Add({"GET", "/api/v1/snapshot", [context](const HttpRequest& request, Respond respond) {
                HandleSnapshot(context, request, std::move(respond));
              }});
}

}  // namespace quorate::api
