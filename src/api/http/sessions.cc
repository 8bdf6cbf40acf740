// Client sessions: opening and closing them. A write in one has `Idempotency-Key: session <id>:<sequence>`.
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds kDefaultLifetime{600};

Result<rsm::Command, HttpResponse> OpenCommand(const HttpRequest& request) {
  auto command = CommandFor(request);
  if (!command.ok()) return command;
  if (command->session) return ErrorResponse(400, "malformed", "a session is not opened in a session");
  rsm::SessionOpen open{kDefaultLifetime};
  if (!request.body.empty()) {
    const json body = json::parse(request.body, nullptr, false);
    const auto lifetime = body.is_object() ? body.find("lifetime") : body.end();
    if (!body.is_object() || (lifetime != body.end() && !lifetime->is_number_unsigned()))
      return ErrorResponse(400, "malformed", "the body must be {\"lifetime\": seconds}, or nothing");
    if (lifetime != body.end()) {
      constexpr uint64_t kMost = std::chrono::duration_cast<seconds>(rsm::kClientSessionLifetimeMax).count();
      open.lifetime = seconds(std::min(lifetime->get<uint64_t>(), kMost));
    }
  }
  command->body = open;
  return command;
}

HttpResponse Opened(const rsm::CommandResult& result) {
  const rsm::SessionGrant grant = result.session.value_or(rsm::SessionGrant());
  const auto whole = std::chrono::duration_cast<seconds>(grant.lifetime).count();
  return {.status = 201,
          .body = Dump({{"id", grant.id}, {"lifetime", whole}}),
          .headers = {{"Location", "/api/v1/sessions/" + std::to_string(grant.id)}}};
}

void HandleOpen(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  auto command = OpenCommand(request);
  if (!command.ok()) return respond(command.error());
  context->Propose(*std::move(command), [respond](const Result<rsm::CommandResult, HttpResponse>& outcome) {
    respond(outcome.ok() ? Opened(*outcome) : outcome.error());
  });
}

void HandleClose(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  auto command = CommandFor(request);
  if (!command.ok()) return respond(command.error());
  if (command->session)
    return respond(ErrorResponse(400, "malformed", "a session is not closed in a session"));
  const std::string& text = request.params.at("session");
  rsm::SessionClose close;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), close.id);
  if (error != std::errc() || end != text.data() + text.size())
    return respond(ErrorResponse(400, "malformed", "the id of a session is a number"));
  command->body = close;
  context->Propose(*std::move(command), [respond](const Result<rsm::CommandResult, HttpResponse>& outcome) {
    respond(outcome.ok() ? HttpResponse{.status = 204} : outcome.error());
  });
}

}  // namespace

void AddSessionRoutes(const ContextPtr& context, Router& router) {
  router.Add({.method = "POST",
              .pattern = "/api/v1/sessions",
              .handler = [context](const HttpRequest& request,
                                   Respond respond) { HandleOpen(context, request, std::move(respond)); },
              .writes = true});
  router.Add({.method = "DELETE",
              .pattern = "/api/v1/sessions/{session}",
              .handler = [context](const HttpRequest& request,
                                   Respond respond) { HandleClose(context, request, std::move(respond)); },
              .writes = true});
}

}  // namespace quorate::api
