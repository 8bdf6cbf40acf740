// A group of one over the real state machine, in memory, for the tests of the door; and a client for its
// sockets.
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "api/http/http_server.h"
#include "base/clock.h"
#include "rsm/replicated_state.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::api {

// Applies at once, or fails as it is told.
class FakeClient final : public replica::Client {
 public:
  explicit FakeClient(rsm::ReplicatedState& state) : state_(state) {}

  void Propose(std::string command, Duration, std::function<void(replica::ProposeOutcome)> done) override {
    std::unique_lock lock(mu_);
    if (not_proposed) return done(replica::NotProposed{*not_proposed});
    const std::string payload = rsm::StampCommand({group_time, WallTime{}}, command);
    ++index_;
    const rsm::Outcome outcome = state_.Apply({LogIndex{index_}, Term{1}, true, payload});
    lock.unlock();
    if (lose_answers) return done(replica::OutcomeUnknown{});
    done(replica::Decided{LogIndex{index_}, outcome});
  }
  using Client::Read;
  void Read(Consistency consistency, Duration, std::function<void(absl::Status)> done) override {
    if (consistency.kind == Consistency::Kind::kLocal) return done(absl::OkStatus());
    last_consistency = consistency;
    ++reads;
    done(read_status);
  }
  void TransferLeadership(MemberId to, std::function<void(absl::Status)> done) override {
    transferred_to = to;
    done(absl::OkStatus());
  }
  void Configure(replica::ConfigurationChange change, Duration,
                 std::function<void(absl::Status)> done) override {
    configured = std::move(change);
    done(configure_status);
  }
  replica::GroupStatus Status() const override {
    replica::GroupStatus status;
    status.group = GroupId{7};
    status.group_time = group_time;
    status.raft.self = MemberId{1};
    status.raft.leader = MemberId{1};
    if (role != raft::Role::kLeader) status.raft.self = MemberId{2};
    status.raft.role = role;
    status.raft.configuration = {.members = {{.id = MemberId{1}, .address = "127.0.0.1:1"}},
                                 .timing = raft::LanTiming(),
                                 .leases_on = true,
                                 .feature_level = feature_level};
    status.raft.lease = raft::LeaseState::kHolder;
    status.raft.lease_left = std::chrono::milliseconds(500);
    status.read_rounds = 12;
    if (peer) {
      status.raft.configuration.members.push_back({.id = peer->id, .voter = false, .address = "127.0.0.1:4"});
      status.raft.last = peer->match + 3;
      if (role == raft::Role::kLeader) status.raft.peers.push_back(*peer);
    }
    return status;
  }

  std::optional<replica::Refusal> not_proposed;
  bool lose_answers = false;
  absl::Status read_status;
  std::atomic<int> reads{0};
  Consistency last_consistency;
  Duration group_time{1};
  uint64_t feature_level = raft::kFeatureLevel;
  raft::Role role = raft::Role::kLeader;
  MemberId transferred_to;
  std::optional<replica::ConfigurationChange> configured;
  absl::Status configure_status;
  std::optional<raft::PeerStatus> peer;  // beside this member, a learner

 private:
  rsm::ReplicatedState& state_;
  std::mutex mu_;
  uint64_t index_ = 0;
};

struct Reply {
  long status = 0;  // 0: no HTTP answer
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case
};
using RequestHeaders = std::vector<std::string>;

// By libcurl, so that the door is tried with a client that is not ours. Certificates are not checked.
inline Reply Ask(const std::string& method, const std::string& url, const std::string& body = "",
                 const RequestHeaders& headers = {}) {
  Reply reply;
  CURL* easy = curl_easy_init();
  curl_slist* list = nullptr;
  for (const std::string& header : headers) list = curl_slist_append(list, header.c_str());
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy, CURLOPT_NOBODY, method == "HEAD" ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  if (!body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  }
  curl_write_callback on_body = [](char* data, size_t, size_t n, void* user) {
    static_cast<std::string*>(user)->append(data, n);
    return n;
  };
  curl_write_callback on_header = [](char* data, size_t, size_t n, void* user) {
    const std::string_view line(data, n);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      std::string value(line.substr(colon + 1));
      absl::StripAsciiWhitespace(&value);
      static_cast<Reply*>(user)->headers[absl::AsciiStrToLower(std::string(line.substr(0, colon)))] = value;
    }
    return n;
  };
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply.body);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &reply);
  if (curl_easy_perform(easy) == CURLE_OK) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply.status);
  curl_slist_free_all(list);
  curl_easy_cleanup(easy);
  return reply;
}

class TestGroup {
 public:
  TestGroup() { state.Reload(); }

  HttpBackend Backend() {
    HttpBackend backend;
    backend.client = &client;
    backend.map = &store.map();
    backend.clock = &clock;
    backend.zones = [this] {
      std::vector<dns::Name> apexes;
      for (const zone::ZonePtr& zone : state.zones()->All()) apexes.push_back(zone->apex());
      return apexes;
    };
    backend.group = "org";
    backend.region = "eu";
    backend.version = "test";
    return backend;
  }

  storage::MemoryStateStore store;
  rsm::ReplicatedState state{store.map(), {}};
  FakeClient client{state};
  SystemClock clock;
};

}  // namespace quorate::api
