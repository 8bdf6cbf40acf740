#include "app/join.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/http_server.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "oracle/http_post.h"

namespace quorate::app {
namespace {

using nlohmann::json;

constexpr auto kJoinTimeout = std::chrono::minutes(10);

std::string PeerAddress(const ServeOptions& options) {
  return options.advertise_peer.empty() ? options.listen_peer : options.advertise_peer;
}

std::string Body(const ServeOptions& options, uint64_t instance) {
  json body = {{"address", PeerAddress(options)},
               {"learner", options.as_learner},
               {"instance", fmt::format("{:016x}", instance)}};
  if (options.replaces != 0) {
    body.erase("learner");
    body["replaces"] = options.replaces;
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The group's doors take the tokens that this replica's own door does.
absl::StatusOr<std::string> FirstToken(const std::string& file) {
  if (file.empty()) return std::string();
  ASSIGN_OR_RETURN(const std::vector<std::string> tokens, api::LoadTokens(file));
  return tokens.front();
}

// One line of text, so that it can be kept in a file.
bool IsName(const std::string& name) {
  return name.size() <= limits::kAddressBytesMax &&
         std::none_of(name.begin(), name.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; });
}

absl::StatusOr<JoinedPlace> Parse(const json& place, const std::string& url) {
  const auto number = [](const json& object, const char* name) {
    return object.is_object() && object.contains(name) && object[name].is_number_unsigned()
               ? object[name].get<uint64_t>()
               : 0;
  };
  const json group = place.is_object() && place.contains("group") ? place["group"] : json();
  JoinedPlace out{.group = GroupId{number(group, "id")}, .member = MemberId{number(place, "id")}};
  const bool named = group.is_object() && group.contains("name") && group["name"].is_string();
  if (named) out.group_name = group["name"].get<std::string>();
  if (!out.group || !out.member || !named || !IsName(out.group_name))
    return absl::InvalidArgumentError(url + " gave no place; is it the HTTP door of a replica?");
  return out;
}

std::string Text(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string()
             ? object[name].get<std::string>()
             : std::string();
}

// The group has a member of this instance or address already. One that was added by hand for this address
// waits for whoever comes there.
absl::StatusOr<JoinedPlace> TakeExisting(const json& reply, const std::string& url, uint64_t instance,
                                         const std::string& address) {
  const json place = reply.is_object() && reply.contains("place") ? reply["place"] : json();
  const std::string theirs = Text(place, "instance");
  const bool mine = theirs == fmt::format("{:016x}", instance);
  if (mine || (theirs.empty() && Text(place, "address") == address)) return Parse(place, url);
  return absl::FailedPreconditionError(fmt::format(
      "{}: {}, with another data directory. Start that one; or, if it is lost, give this replica another "
      "--listen-peer and --replaces ID",
      url, oracle::PlainError(reply.dump(-1, ' ', false, json::error_handler_t::replace))));
}

}  // namespace

absl::StatusOr<JoinedPlace> PlaceFromReply(long status, std::string_view body, const std::string& url,
                                           uint64_t instance, const std::string& address) {
  const json reply = json::parse(body, nullptr, false);
  if (status == 201) return Parse(reply, url);
  if (status == 409 && Text(reply, "code") == "already") return TakeExisting(reply, url, instance, address);
  const std::string why = fmt::format("{}: {}", url, oracle::PlainError(body));
  // 421: another leads. 502 to 504, 409 of one removed meanwhile: sending it again does no harm.
  if (status >= 500 || status == 421 || status == 429 || status == 409) return absl::UnavailableError(why);
  if (status == 401) return absl::InvalidArgumentError(why + "; api.token_file must hold the group's token");
  return absl::FailedPreconditionError(why);
}

absl::StatusOr<JoinedPlace> JoinGroup(const ServeOptions& options, uint64_t instance, std::stop_token stop,
                                      const std::function<void(const std::string&)>& notice) {
  oracle::PostCall call{.url = "", .body = Body(options, instance), .token = "", .ca_file = options.tls_ca};
  ASSIGN_OR_RETURN(call.token, FirstToken(options.api_token_file));
  oracle::Backoff backoff(std::chrono::steady_clock::now() + kJoinTimeout, std::move(stop));
  for (std::string said;;) {
    std::string missing;
    for (std::string url : options.join) {
      while (url.ends_with('/')) url.pop_back();
      call.url = url + "/api/v1/members";
      auto reply = oracle::Post(call);
      absl::Status status = reply.status();
      if (reply.ok()) {
        auto place = PlaceFromReply(reply->status, reply->body, url, instance, PeerAddress(options));
        if (place.ok()) return place;
        status = place.status();
      }
      if (!absl::IsUnavailable(status)) return status;
      missing += (missing.empty() ? "the group did not take it in: " : "; ") + MessageOf(status);
    }
    if (missing != said) notice(missing);
    said = missing;
    RETURN_IF_ERROR(backoff.Pause(missing));
  }
}

}  // namespace quorate::app
