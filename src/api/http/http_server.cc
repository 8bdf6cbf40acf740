#include "api/http/http_server.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"

namespace quorate::api {
namespace {

using nlohmann::json;

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("[::1]:") || address.starts_with("::1:");
}

// In constant time for tokens of one length.
bool SameToken(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string TokenOf(const HttpRequest& request) {
  static constexpr std::string_view kBearer = "Bearer ";
  const std::string authorization = request.Header("authorization");
  if (authorization.starts_with(kBearer)) return authorization.substr(kBearer.size());
  return request.Header("x-api-key");
}

absl::Status CheckOptions(const HttpServerOptions& options) {
  if (IsLoopback(options.address)) return absl::OkStatus();
  if (options.tls_cert.empty() || options.tls_key.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("the HTTP door does not listen on {} without TLS: give a certificate and a key, or "
                    "listen on loopback",
                    options.address));
  }
  if (options.tokens.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "the HTTP door does not listen on {} without a token: give a token file, or listen on loopback",
        options.address));
  }
  return absl::OkStatus();
}

json ServerToJson(const std::string& version) {
  const std::string url = "/api/v1/servers/localhost";
  return {{"type", "Server"},
          {"id", "localhost"},
          {"daemon_type", "authoritative"},
          {"version", version},
          {"url", url},
          {"config_url", url + "/config{/config_setting}"},
          {"zones_url", url + "/zones{/zone}"}};
}

void AddServerRoutes(const ContextPtr& context, Router& router) {
  const auto add = [&](const char* path, const json& body) {
    router.Add({"GET", path, [text = Dump(body)](const HttpRequest&, const Respond& respond) {
                  respond({.body = text});
                }});
  };
  const json server = ServerToJson(context->backend.version);
  add("/api", json::array({{{"url", "/api/v1"}, {"version", 1}}}));
  add("/api/v1", {{"server_url", "/api/v1/servers{/server}"}, {"api_features", json::array()}});
  add("/api/v1/servers", json::array({server}));
  add("/api/v1/servers/localhost", server);
}

}  // namespace

struct HttpServer::Impl {
  Impl(const HttpServerOptions& options, HttpBackend backend)
      : tokens(options.tokens), context(std::make_shared<Context>(options, std::move(backend))) {}

  std::variant<size_t, HttpResponse> Admit(const HttpRequest& head) const {
    auto admitted = Judge(head);
    auto* refusal = std::get_if<HttpResponse>(&admitted);
    if (refusal && head.method != "GET" && head.method != "HEAD") return WithOutcome(std::move(*refusal));
    return admitted;
  }

  std::variant<size_t, HttpResponse> Judge(const HttpRequest& head) const {
    const auto found = router.Find(head.method, head.path);
    if (std::holds_alternative<Router::NoSuchPath>(found)) {
      return ErrorResponse(404, "no_such_path", "there is nothing at " + head.path,
                           "GET /api/v1 is the beginning");
    }
    if (const auto* other = std::get_if<Router::NoSuchMethod>(&found)) {
      HttpResponse response = ErrorResponse(
          405, "no_such_method", head.path + " does not take " + head.method, "it takes " + other->allow);
      response.headers.emplace_back("Allow", other->allow);
      return response;
    }
    const Route& route = *std::get<Router::Match>(found).route;
    if (route.access == Access::kToken && !MayEnter(head)) {
      HttpResponse response = ErrorResponse(401, "unauthorized", "this needs a token",
                                            "send it as X-API-Key, or as Authorization: Bearer");
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      return response;
    }
    return route.body_bytes_max;
  }

  bool TakesParts(const HttpRequest& head) const {
    const auto found = router.Find(head.method, head.path);
    const auto* match = std::get_if<Router::Match>(&found);
    return match != nullptr && match->route->body_in_parts;
  }

  bool MayEnter(const HttpRequest& head) const {
    if (tokens.empty()) return true;
    const std::string given = TokenOf(head);
    bool found = false;
    for (const std::string& token : tokens) found |= SameToken(token, given);
    return found;
  }

  void Handle(HttpRequest request, Respond respond) const {
    auto found = router.Find(request.method, request.path);
    auto& match = std::get<Router::Match>(found);  // Admit let it in
    request.params = std::move(match.params);
    if (match.route->writes) {
      respond = [inner = std::move(respond)](HttpResponse r) { inner(WithOutcome(std::move(r))); };
    }
    match.route->handler(std::move(request), std::move(respond));
  }

  const std::vector<std::string> tokens;
  const ContextPtr context;
  Router router;
  std::unique_ptr<Listener> listener;  // last: nothing is called once it is gone
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { Stop(); }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options,
                                                              HttpBackend backend) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  auto impl = std::make_unique<Impl>(options, std::move(backend));
  Impl* self = impl.get();
  AddServerRoutes(self->context, self->router);
  AddZoneRoutes(self->context, self->router);
  AddZoneWriteRoutes(self->context, self->router);
  AddZoneTransferRoutes(self->context, self->router);
  AddZoneImportRoute(self->context, self->router);
  AddZoneSettingsRoutes(self->context, self->router);
  AddMetadataRoutes(self->context, self->router);
  AddTsigKeyRoutes(self->context, self->router);
  AddSessionRoutes(self->context, self->router);
  AddGroupRoutes(self->context, self->router);
  AddMemberRoutes(self->context, self->router);
  AddSnapshotRoute(self->context, self->router);
  AddHealthRoutes(self->context, self->router);
  AddMetricsRoute(
      self->context, [self] { return self->listener ? self->listener->counters() : Listener::Counters(); },
      self->router);
  auto listener = Listener::Start(
      {.address = options.address,
       .tls_cert = options.tls_cert,
       .tls_key = options.tls_key,
       .limits = options.limits,
       .admit = [self](const HttpRequest& head) { return self->Admit(head); },
       .in_parts = [self](const HttpRequest& head) { return self->TakesParts(head); },
       .handler = [self](HttpRequest request,
                         Respond respond) { self->Handle(std::move(request), std::move(respond)); }});
  if (!listener.ok()) return listener.status();
  self->listener = *std::move(listener);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Stop() {
  impl_->listener->Stop();
  impl_->context->worker.Stop();
}
uint16_t HttpServer::port() const { return impl_->listener->port(); }

absl::StatusOr<std::vector<std::string>> LoadTokens(const std::string& file) {
  std::ifstream in(file);
  if (!in) return absl::NotFoundError(fmt::format("cannot read the token file {}", file));
  std::vector<std::string> tokens;
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && line.front() != '#') tokens.push_back(line);
  }
  if (tokens.empty())
    return absl::InvalidArgumentError(fmt::format("the token file {} holds no token", file));
  return tokens;
}

}  // namespace quorate::api
