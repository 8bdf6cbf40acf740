// /api/v1/servers/localhost/tsigkeys, as PowerDNS has it, with "grants". A secret is told by GET of one key
// and in the reply to the POST that made it; in no list, log or error.
#include <fmt/format.h>
#include <openssl/rand.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"
#include "api/http/zone_names.h"
#include "base/check.h"
#include "base/limits.h"
#include "rsm/keyring.h"

namespace quorate::api {
namespace {

using nlohmann::json;

constexpr const char* kTsigKeys = "/api/v1/servers/localhost/tsigkeys/";

HttpResponse Invalid(const std::string& what) {
  return ErrorResponse(422, "invalid", what, "nothing was changed");
}

HttpResponse NoSuchKey(const dns::Name& name) {
  return ErrorResponse(404, "no_such_key", "there is no TSIG key " + name.ToText(),
                       "GET /api/v1/servers/localhost/tsigkeys lists the keys of this group");
}

json ToJson(const zone::TsigKey& key, bool with_secret) {
  std::string name = key.name.ToText();
  if (name.size() > 1) name.pop_back();
  json grants = json::array();
  for (const zone::UpdateGrant& grant : key.grants) grants.push_back(ToText(grant));
  return {{"type", "TSIGKey"},
          {"id", ZoneIdOf(key.name)},
          {"name", name},
          {"algorithm", dns::TsigAlgorithmToText(key.algorithm)},
          {"key", with_secret ? absl::Base64Escape(key.secret) : ""},
          {"grants", std::move(grants)}};
}

HttpResponse WithSecret(HttpResponse response) {
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse List(const kv::MapReader& map) {
  json keys = json::array();
  const auto keyring = rsm::LoadKeyring(map);
  for (const auto& [name, key] : keyring->keys) keys.push_back(ToJson(key, false));
  return {.body = Dump(keys)};
}

HttpResponse GetOne(const kv::MapReader& map, const dns::Name& name) {
  const auto keyring = rsm::LoadKeyring(map);
  const zone::TsigKey* key = keyring->Find(name);
  if (key == nullptr) return NoSuchKey(name);
  return WithSecret({.body = Dump(ToJson(*key, true))});
}

// As many octets as the algorithm's output has (RFC 8945 6).
std::string RandomSecret(dns::TsigAlgorithm algorithm) {
  std::string secret(dns::TsigMacBytes(algorithm), '\0');
  CHECK_EQ(RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()), static_cast<int>(secret.size())), 1);
  return secret;
}

std::string TextAt(const json& body, const char* name) {
  return body.contains(name) && body[name].is_string() ? body[name].get<std::string>() : std::string();
}

// What of `body` is given goes into `key`. The reply says what is wrong, and never what was sent as secret.
std::optional<HttpResponse> Fill(const json& body, zone::TsigKey& key) {
  if (const std::string text = TextAt(body, "algorithm"); !text.empty()) {
    const auto algorithm = dns::TsigAlgorithmFromText(text);
    if (!algorithm) {
      return Invalid(
          "\"algorithm\" must be hmac-sha256, or hmac-sha1, -sha224, -sha384, -sha512 or hmac-md5");
    }
    key.algorithm = *algorithm;
  }
  if (const std::string text = TextAt(body, "key"); !text.empty()) {
    if (!absl::Base64Unescape(text, &key.secret) || key.secret.empty() ||
        key.secret.size() > limits::kTsigSecretBytesMax) {
      return Invalid(fmt::format("\"key\" must be base64 of 1 to {} octets", limits::kTsigSecretBytesMax));
    }
  }
  const auto grants = body.find("grants");
  if (grants == body.end() || grants->is_null()) return std::nullopt;
  if (!grants->is_array()) return Invalid("\"grants\" must be an array of strings");
  key.grants.clear();
  for (const json& each : *grants) {
    auto grant =
        each.is_string()
            ? zone::GrantFromText(each.get<std::string>())
            : Result<zone::UpdateGrant, std::string>(std::string("\"grants\" must be an array of strings"));
    if (!grant.ok()) return Invalid(grant.error());
    key.grants.push_back(*std::move(grant));
  }
  return std::nullopt;
}

Result<zone::TsigKey, HttpResponse> NewKey(const json& body) {
  const std::string text = TextAt(body, "name");
  const auto name = dns::Name::FromText(text);
  if (text.empty() || !name.ok() || name->IsRoot())
    return Invalid("a TSIG key needs a \"name\", which is a domain name");
  zone::TsigKey key{.name = name->Folded(), .secret = {}, .grants = {}};
  if (auto refusal = Fill(body, key)) return *std::move(refusal);
  if (key.secret.empty()) key.secret = RandomSecret(key.algorithm);
  return key;
}

// One that is there, with what `body` says otherwise.
Result<zone::TsigKey, HttpResponse> ChangedKey(const kv::MapReader& map, const json& body,
                                               const dns::Name& name) {
  const auto keyring = rsm::LoadKeyring(map);
  const zone::TsigKey* there = keyring->Find(name);
  if (there == nullptr) return NoSuchKey(name);
  zone::TsigKey key = *there;
  if (auto refusal = Fill(body, key)) return *std::move(refusal);
  const auto other = dns::Name::FromText(TextAt(body, "name"));
  if (!TextAt(body, "name").empty() && (!other.ok() || !(*other == name)))
    return Invalid("a TSIG key is not renamed: make another one");
  return key;
}

void Put(const ContextPtr& context, const HttpRequest& request, const Respond& respond,
         const std::optional<dns::Name>& replaces) {
  auto command = CommandFor(request);
  if (!command.ok()) return respond(command.error());
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return respond(ErrorResponse(400, "malformed", "the body is not a JSON object"));
  auto key = replaces ? ChangedKey(*context->backend.map, body, *replaces) : NewKey(body);
  if (!key.ok()) return respond(key.error());
  command->body = rsm::TsigKeyPut{.key = *key, .replace = replaces.has_value()};
  context->Propose(*std::move(command), [respond, key = *key, is_new = !replaces](
                                            const Result<rsm::CommandResult, HttpResponse>& outcome) {
    if (!outcome.ok()) return respond(outcome.error());
    HttpResponse response = WithSecret({.status = is_new ? 201 : 200, .body = Dump(ToJson(key, true))});
    if (is_new) response.headers.emplace_back("Location", kTsigKeys + ZoneIdOf(key.name));
    respond(Stamped(std::move(response), *outcome));
  });
}

Result<dns::Name, HttpResponse> KeyOf(const HttpRequest& request) {
  if (auto refusal = CheckServer(request)) return *std::move(refusal);
  const auto name = ZoneOfId(request.params.at("key"));
  if (!name.ok()) return ErrorResponse(404, "no_such_key", name.error());
  return name->Folded();
}

using OfKey = std::function<void(const HttpRequest&, const Respond&, const dns::Name&)>;
HttpHandler OneKey(OfKey handle) {
  return [handle = std::move(handle)](const HttpRequest& request, const Respond& respond) {
    const auto name = KeyOf(request);
    if (!name.ok()) return respond(name.error());
    handle(request, respond, *name);
  };
}

void Delete(const ContextPtr& context, const HttpRequest& request, const Respond& respond,
            const dns::Name& name) {
  auto command = CommandFor(request);
  if (!command.ok()) return respond(command.error());
  command->body = rsm::TsigKeyDelete{name};
  context->Propose(*std::move(command), [respond](const Result<rsm::CommandResult, HttpResponse>& outcome) {
    respond(outcome.ok() ? Stamped({.status = 204}, *outcome) : outcome.error());
  });
}

}  // namespace

void AddTsigKeyRoutes(const ContextPtr& context, Router& router) {
  const std::string all = "/api/v1/servers/{server}/tsigkeys", one = all + "/{key}";
  router.Add({"GET", all, [context](const HttpRequest& request, Respond respond) {
                if (auto refusal = CheckServer(request)) return respond(*std::move(refusal));
                context->WorkAfterRead(request, std::move(respond),
                                       [context] { return List(*context->backend.map); });
              }});
  router.Add({.method = "POST",
              .pattern = all,
              .handler =
                  [context](const HttpRequest& request, const Respond& respond) {
                    if (auto refusal = CheckServer(request)) return respond(*std::move(refusal));
                    Put(context, request, respond, std::nullopt);
                  },
              .writes = true});
  router.Add({"GET", one,
              OneKey([context](const HttpRequest& request, const Respond& respond, const dns::Name& name) {
                context->WorkAfterRead(request, respond,
                                       [context, name] { return GetOne(*context->backend.map, name); });
              })});
  router.Add({.method = "PUT",
              .pattern = one,
              .handler = OneKey([context](const HttpRequest& request, const Respond& respond,
                                          const dns::Name& name) { Put(context, request, respond, name); }),
              .writes = true});
  router.Add(
      {.method = "DELETE",
       .pattern = one,
       .handler = OneKey([context](const HttpRequest& request, const Respond& respond,
                                   const dns::Name& name) { Delete(context, request, respond, name); }),
       .writes = true});
}

}  // namespace quorate::api
