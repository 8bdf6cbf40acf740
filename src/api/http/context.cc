#include "api/http/context.h"

#include <charconv>

#include "api/http/errors.h"
#include "base/consistency.h"
#include "base/limits.h"
#include "base/overloaded.h"

namespace quorate::api {
namespace {

HttpResponse BusyResponse() {
  HttpResponse response =
      ErrorResponse(503, "busy", "too many requests are waiting", "try again a little later");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

// "12", "\"12\"" or W/"12". nullopt: none of these.
std::optional<Revision> RevisionOf(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Revision{value};
}

}  // namespace

Worker::Worker() : jobs_(limits::kHttpJobsMax), thread_([this] { Run(); }) {}

Worker::~Worker() { Stop(); }

void Worker::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  jobs_.Close();
  if (thread_.joinable()) thread_.join();
  jobs_.TakeAll(Duration::zero());  // what waited holds on to the context that owns this
}

void Worker::Run() {
  while (!jobs_.closed()) {
    for (auto& job : jobs_.TakeAll(std::chrono::seconds(10))) {
      if (stopping_.load(std::memory_order_relaxed)) return;
      job();
    }
  }
}

void Context::Work(Respond respond, std::function<HttpResponse()> job) {
  if (!worker.TryPost([respond, job = std::move(job)] { respond(job()); })) respond(BusyResponse());
}

void Context::WorkAfterRead(const HttpRequest& request, Respond respond, std::function<HttpResponse()> job) {
  const std::string text = request.Query("consistency");
  const auto consistency = text.empty() ? Consistency() : ParseConsistency(text);
  if (!consistency) {
    return respond(ErrorResponse(400, "malformed",
                                 "consistency must be `linearizable`, `bounded=<seconds>s` or `local`"));
  }
  backend.client->Read(*consistency, read_timeout,
                       [self = shared_from_this(), respond = std::move(respond),
                        job = std::move(job)](const absl::Status& status) mutable {
                         if (!status.ok()) return respond(StatusResponse(status));
                         self->Work(std::move(respond), std::move(job));
                       });
}

void Context::Propose(rsm::Command command,
                      std::function<void(Result<rsm::CommandResult, HttpResponse>)> done, Duration more) {
  std::string bytes = rsm::EncodeCommand(command);
  if (bytes.size() > limits::kCommandBytesMax) return done(NotProposedResponse(replica::Refusal::kTooLarge));
  using Outcome = Result<rsm::CommandResult, HttpResponse>;
  const auto count = [](std::atomic<uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); };
  const auto outcome_of = Overloaded{[=](Context& self, const replica::Decided& decided) -> Outcome {
                                       auto result = rsm::DecodeResult(decided.outcome);
                                       if (!result)
                                         return ErrorResponse(500, "internal", "the outcome does not decode");
                                       const bool refused = result->refused != rsm::Refused::kNot;
                                       count(refused ? self.writes_refused : self.writes_applied);
                                       if (refused) return RefusedResponse(*result);
                                       return *std::move(result);
                                     },
                                     [=](Context& self, const replica::NotProposed& refusal) -> Outcome {
                                       count(self.writes_not_proposed);
                                       return NotProposedResponse(refusal.why);
                                     },
                                     [=](Context& self, const replica::OutcomeUnknown&) -> Outcome {
                                       count(self.writes_unknown);
                                       return UnknownResponse();
                                     }};
  // A command of many records takes longer to send, sync and apply: at the worst 1 MiB/s.
  const Duration timeout = write_timeout + more + std::chrono::seconds(bytes.size() >> 20);
  backend.client->Propose(std::move(bytes), timeout,
                          [self = shared_from_this(), done = std::move(done),
                           outcome_of](const replica::ProposeOutcome& outcome) {
                            done(std::visit([&](const auto& o) { return outcome_of(*self, o); }, outcome));
                          });
}

HttpResponse Stamped(HttpResponse response, const rsm::CommandResult& result) {
  response.headers.emplace_back("ETag", "\"" + std::to_string(result.revision.value) + "\"");
  response.headers.emplace_back("X-Quorate-Revision", std::to_string(result.revision.value));
  response.headers.emplace_back("X-Quorate-Serial", std::to_string(result.serial.value));
  return response;
}

Result<rsm::Command, HttpResponse> CommandFor(const HttpRequest& request) {
  rsm::Command command;
  command.origin = "http " + request.client;
  static constexpr std::string_view kSession = "session ";
  command.idempotency_key = request.Header("idempotency-key");
  if (command.idempotency_key.starts_with(kSession)) {
    command.session = rsm::ParseSessionRequest(command.idempotency_key.substr(kSession.size()));
    if (!command.session)
      return ErrorResponse(400, "malformed",
                           "Idempotency-Key of a session must be `session <id>:<sequence>`, or that and "
                           "`;oldest=<the first sequence unanswered>`");
    command.idempotency_key.clear();
  } else if (command.idempotency_key.size() > rsm::kIdempotencyKeyMax ||
             (command.idempotency_key.empty() && request.headers.contains("idempotency-key"))) {
    return ErrorResponse(400, "malformed", "Idempotency-Key must have 1 to 64 bytes");
  }
  const std::string if_match = request.Header("if-match");
  if (!if_match.empty() && if_match != "*") {
    command.if_revision = RevisionOf(if_match);
    if (!command.if_revision) {
      return ErrorResponse(400, "malformed", "If-Match must be a revision, such as \"12\"",
                           "GET gives it as ETag, as \"revision\" and as \"mod_revision\"");
    }
  }
  return command;
}

}  // namespace quorate::api
