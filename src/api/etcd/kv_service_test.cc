// gRPC clients against the door, over the real state machine.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>

#include "api/etcd/test_backend.h"
#include "etcd/rpc.grpc.pb.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::api::etcd {
namespace {

using namespace etcdserverpb;  // NOLINT: a test of exactly these
using grpc::StatusCode;

class EtcdKv : public testing::Test {
 protected:
  using Metadata = std::vector<std::pair<std::string, std::string>>;
  template <class Request, class Response>
  grpc::Status Do(grpc::Status (KV::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response& response, const Metadata& metadata = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    const grpc::Status status = (*kv_.*method)(&context, request, &response);
    const auto& trailing = context.GetServerTrailingMetadata();
    const auto found = trailing.find("quorate-outcome");
    outcome_ = found == trailing.end() ? "" : std::string(found->second.data(), found->second.size());
    return status;
  }
  PutResponse Put(const std::string& key, const std::string& value, const Metadata& metadata = {}) {
    PutRequest request;
    request.set_key(key);
    request.set_value(value);
    PutResponse response;
    const grpc::Status status = Do(&KV::Stub::Put, request, response, metadata);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  RangeResponse Get(const std::string& key, const std::string& end = "") {
    RangeRequest request;
    request.set_key(key);
    request.set_range_end(end);
    RangeResponse response;
    EXPECT_TRUE(Do(&KV::Stub::Range, request, response).ok());
    return response;
  }
  void ExpectError(const grpc::Status& status, StatusCode code, const std::string& text) {
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), text);
  }
  grpc::Status PutStatus(const PutRequest& request) {
    PutResponse response;
    return Do(&KV::Stub::Put, request, response);
  }
  grpc::Status GetStatus(int64_t revision) {
    RangeRequest request;
    request.set_key("a");
    request.set_revision(revision);
    RangeResponse response;
    return Do(&KV::Stub::Range, request, response);
  }

  std::string outcome_;  // of the last call, by its trailing metadata
  TestGroup<storage::MemoryStateStore> group_;
  std::shared_ptr<grpc::Channel> channel_ =
      grpc::CreateChannel(group_.address, grpc::InsecureChannelCredentials());
  std::unique_ptr<KV::Stub> kv_ = KV::NewStub(channel_);
};

TEST_F(EtcdKv, WhatIsPutCanBeGot) {
  const PutResponse put = Put("a", "1");
  EXPECT_EQ(put.header().revision(), 2);
  EXPECT_EQ(put.header().cluster_id(), 77u);
  EXPECT_EQ(put.header().member_id(), 3u);
  EXPECT_EQ(put.header().raft_term(), 5u);
  Put("b", "2");
  Put("a", "3");
  const RangeResponse got = Get("a");
  EXPECT_EQ(got.header().revision(), 4);
  ASSERT_EQ(got.kvs_size(), 1);
  EXPECT_EQ(got.kvs(0).value(), "3");
  EXPECT_EQ(got.kvs(0).create_revision(), 2);
  EXPECT_EQ(got.kvs(0).mod_revision(), 4);
  EXPECT_EQ(got.kvs(0).version(), 2);
  EXPECT_EQ(Get(std::string(1, '\0'), std::string(1, '\0')).count(), 2);
}

TEST_F(EtcdKv, OnlyALinearizableReadWaitsForABarrier) {
  Put("a", "1");
  Get("a");
  EXPECT_EQ(group_.client.barriers, 1);
  RangeRequest request;
  request.set_key("a");
  request.set_serializable(true);
  RangeResponse response;
  EXPECT_TRUE(Do(&KV::Stub::Range, request, response).ok());
  EXPECT_EQ(response.kvs(0).value(), "1");
  EXPECT_EQ(group_.client.barriers, 1);
}

TEST_F(EtcdKv, DeletesAndTellsWhatWasThere) {
  Put("a", "1");
  Put("b", "1");
  DeleteRangeRequest request;
  request.set_key("a");
  request.set_range_end("z");
  request.set_prev_kv(true);
  DeleteRangeResponse response;
  ASSERT_TRUE(Do(&KV::Stub::DeleteRange, request, response).ok());
  EXPECT_EQ(response.deleted(), 2);
  EXPECT_EQ(response.prev_kvs(1).key(), "b");
  EXPECT_EQ(response.header().revision(), 4);
  PutRequest put;
  put.set_key("a");
  put.set_prev_kv(true);
  PutResponse none;
  ASSERT_TRUE(Do(&KV::Stub::Put, put, none).ok());
  EXPECT_FALSE(none.has_prev_kv());
}

TEST_F(EtcdKv, ATxnComparesAndChooses) {
  TxnRequest txn;
  Compare& compare = *txn.add_compare();
  compare.set_key("a");
  compare.set_target(Compare::CREATE);
  compare.set_create_revision(0);
  PutRequest& put = *txn.add_success()->mutable_request_put();
  put.set_key("a");
  put.set_value("1");
  txn.add_failure()->mutable_request_range()->set_key("a");
  TxnResponse first, second;
  ASSERT_TRUE(Do(&KV::Stub::Txn, txn, first).ok());
  EXPECT_TRUE(first.succeeded());
  EXPECT_EQ(first.responses(0).response_put().header().revision(), 2);
  ASSERT_TRUE(Do(&KV::Stub::Txn, txn, second).ok());
  EXPECT_FALSE(second.succeeded());
  EXPECT_EQ(second.responses(0).response_range().kvs(0).value(), "1");
  EXPECT_EQ(second.header().revision(), 2);
}

TEST_F(EtcdKv, ATxnThatOnlyReadsTakesNoPlaceInTheLog) {
  Put("a", "1");
  const LogIndex before = group_.machine.applied_index();
  TxnRequest txn;
  txn.add_success()->mutable_request_txn()->add_success()->mutable_request_range()->set_key("a");
  TxnResponse response;
  ASSERT_TRUE(Do(&KV::Stub::Txn, txn, response).ok());
  EXPECT_EQ(response.responses(0).response_txn().responses(0).response_range().kvs(0).value(), "1");
  EXPECT_EQ(group_.machine.applied_index(), before);
  EXPECT_EQ(group_.client.barriers, 1);
}

TEST_F(EtcdKv, OldRevisionsCanBeReadUntilTheyAreCompacted) {
  Put("a", "1");
  Put("a", "2");
  EXPECT_TRUE(GetStatus(2).ok());
  ExpectError(GetStatus(9), StatusCode::OUT_OF_RANGE,
              "etcdserver: mvcc: required revision is a future revision");
  CompactionRequest request;
  request.set_revision(3);
  CompactionResponse response;
  ASSERT_TRUE(Do(&KV::Stub::Compact, request, response).ok());
  EXPECT_EQ(response.header().revision(), 3);
  const std::string compacted = "etcdserver: mvcc: required revision has been compacted";
  ExpectError(GetStatus(2), StatusCode::OUT_OF_RANGE, compacted);
  ExpectError(Do(&KV::Stub::Compact, request, response), StatusCode::OUT_OF_RANGE, compacted);
}

TEST_F(EtcdKv, MalformedRequestsGetEtcdsErrors) {
  PutRequest put;
  ExpectError(PutStatus(put), StatusCode::INVALID_ARGUMENT, "etcdserver: key is not provided");
  put.set_key("a");
  put.set_ignore_value(true);
  ExpectError(PutStatus(put), StatusCode::INVALID_ARGUMENT, "etcdserver: key not found");
  put.set_value("x");
  ExpectError(PutStatus(put), StatusCode::INVALID_ARGUMENT, "etcdserver: value is provided");
  put.set_ignore_value(false);
  put.set_lease(7);
  ExpectError(PutStatus(put), StatusCode::NOT_FOUND, "etcdserver: requested lease not found");
  put.set_ignore_lease(true);
  ExpectError(PutStatus(put), StatusCode::INVALID_ARGUMENT, "etcdserver: lease is provided");

  TxnRequest txn;
  TxnResponse response;
  for (int i = 0; i < 2; ++i) txn.add_success()->mutable_request_put()->set_key("a");
  ExpectError(Do(&KV::Stub::Txn, txn, response), StatusCode::INVALID_ARGUMENT,
              "etcdserver: duplicate key given in txn request");
  txn.clear_success();
  for (int i = 0; i < 129; ++i) txn.add_success()->mutable_request_range()->set_key("a");
  ExpectError(Do(&KV::Stub::Txn, txn, response), StatusCode::INVALID_ARGUMENT,
              "etcdserver: too many operations in txn request");
  txn.clear_success();
  txn.add_success();
  ExpectError(Do(&KV::Stub::Txn, txn, response), StatusCode::INVALID_ARGUMENT, "etcdserver: key not found");
  RangeRequest range;
  RangeResponse ranged;
  ExpectError(Do(&KV::Stub::Range, range, ranged), StatusCode::INVALID_ARGUMENT,
              "etcdserver: key is not provided");
  range.set_key("a");
  range.set_sort_order(static_cast<RangeRequest::SortOrder>(9));
  ExpectError(Do(&KV::Stub::Range, range, ranged), StatusCode::INVALID_ARGUMENT,
              "etcdserver: invalid sort option");
}

TEST_F(EtcdKv, WhatTheLogRefusesHasEtcdsErrors) {
  PutRequest put;
  put.set_key("a");
  using replica::Refusal;
  group_.client.refuse = Refusal::kNoLeader;
  ExpectError(PutStatus(put), StatusCode::UNAVAILABLE, "etcdserver: no leader");
  EXPECT_EQ(outcome_, "refused");
  group_.client.refuse = Refusal::kQueueFull;
  ExpectError(PutStatus(put), StatusCode::RESOURCE_EXHAUSTED, "etcdserver: too many requests");
  group_.client.refuse = Refusal::kStopping;
  ExpectError(PutStatus(put), StatusCode::UNAVAILABLE, "etcdserver: server stopped");
  group_.client.refuse.reset();
  group_.client.lose = true;
  ExpectError(PutStatus(put), StatusCode::UNAVAILABLE, "etcdserver: request timed out");
  EXPECT_EQ(outcome_, "unknown");
  group_.client.read_status = absl::UnavailableError("");
  ExpectError(GetStatus(0), StatusCode::UNAVAILABLE, "etcdserver: no leader");
  group_.client.read_status = absl::DeadlineExceededError("");
  ExpectError(GetStatus(0), StatusCode::UNAVAILABLE, "etcdserver: request timed out");
}

TEST_F(EtcdKv, ARequestOverOneAndAHalfMebibytesIsTooLarge) {
  PutRequest put;
  put.set_key("a");
  put.set_value(std::string(1600 << 10, 'x'));
  ExpectError(PutStatus(put), StatusCode::INVALID_ARGUMENT, "etcdserver: request is too large");
  put.set_value(std::string(1500 << 10, 'x'));
  EXPECT_TRUE(PutStatus(put).ok());
  put.set_value(std::string(4 << 20, 'x'));
  EXPECT_EQ(PutStatus(put).error_code(), StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(EtcdKv, DnsRecordsAreNotWrittenHere) {
  PutRequest put;
  put.set_key("/dns/x");
  EXPECT_EQ(PutStatus(put).error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(PutStatus(put).error_message(), testing::StartsWith("etcdserver: permission denied"));
}

TEST_F(EtcdKv, AWriteWithAnIdempotencyKeyIsAppliedOnce) {
  const Metadata key = {{"quorate-idempotency-key", "client-1/1"}};
  const int64_t revision = Put("a", "1", key).header().revision();
  EXPECT_EQ(Put("a", "1", key).header().revision(), revision);
  EXPECT_EQ(outcome_, "applied");
  EXPECT_EQ(Get("a").kvs(0).version(), 1);
  PutRequest put;
  put.set_key("a");
  PutResponse response;
  EXPECT_EQ(Do(&KV::Stub::Put, put, response, key).error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(outcome_, "refused");
  const Metadata too_long = {{"quorate-idempotency-key", std::string(65, 'x')}};
  EXPECT_EQ(Do(&KV::Stub::Put, put, response, too_long).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(outcome_, "refused");
}

TEST_F(EtcdKv, ARequestOfASessionIsAppliedOnceAndIsUnknownWhereThereIsNone) {
  std::promise<uint64_t> opened;
  group_.client.Propose(rsm::EncodeCommand({.body = rsm::SessionOpen{std::chrono::minutes(1)}}),
                        std::chrono::seconds(1), [&](const replica::ProposeOutcome& outcome) {
                          const auto result = rsm::DecodeResult(std::get<replica::Decided>(outcome).outcome);
                          opened.set_value(result->session->id);
                        });
  const std::string id = std::to_string(opened.get_future().get());
  const int64_t revision = Put("a", "1", {{"quorate-session", id + ":1"}}).header().revision();
  EXPECT_EQ(Put("a", "1", {{"quorate-session", id + ":1"}}).header().revision(), revision);
  Put("a", "2", {{"quorate-session", id + ":2;oldest=2"}});
  EXPECT_EQ(Get("a").kvs(0).version(), 2);
  PutRequest put;
  put.set_key("a");
  PutResponse response;
  for (const std::string& request : {id + ":1", std::string("999:1")}) {
    EXPECT_EQ(Do(&KV::Stub::Put, put, response, {{"quorate-session", request}}).error_code(),
              StatusCode::UNKNOWN);
    EXPECT_EQ(outcome_, "unknown");
  }
  EXPECT_EQ(Do(&KV::Stub::Put, put, response, {{"quorate-session", "client-1"}}).error_code(),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Get("a").kvs(0).version(), 2);
}

TEST_F(EtcdKv, AReadMayAskForLessThanLinearizable) {
  Put("a", "1");
  RangeRequest request;
  request.set_key("a");
  RangeResponse response;
  const int barriers = group_.client.barriers;
  EXPECT_TRUE(Do(&KV::Stub::Range, request, response, {{"quorate-consistency", "local"}}).ok());
  EXPECT_EQ(group_.client.barriers, barriers);
  EXPECT_TRUE(Do(&KV::Stub::Range, request, response, {{"quorate-consistency", "bounded=5s"}}).ok());
  EXPECT_EQ(group_.client.last_consistency.bound, std::chrono::seconds(5));
  EXPECT_EQ(Do(&KV::Stub::Range, request, response, {{"quorate-consistency", "x"}}).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(EtcdKv, StatusAndMembersAreTold) {
  grpc::ClientContext c1, c2;
  StatusResponse status;
  ASSERT_TRUE(Maintenance::NewStub(channel_)->Status(&c1, {}, &status).ok());
  EXPECT_EQ(status.leader(), status.header().member_id());
  EXPECT_EQ(status.raftterm(), 5u);
  EXPECT_EQ(status.version(), "3.4.0+quorate.test");
  EXPECT_EQ(status.errors_size(), 0);
  MemberListResponse members;
  ASSERT_TRUE(Cluster::NewStub(channel_)->MemberList(&c2, {}, &members).ok());
  ASSERT_EQ(members.members_size(), 2);
  EXPECT_EQ(members.members(0).peerurls(0), "http://127.0.0.1:1");
  EXPECT_EQ(members.members(0).clienturls_size(), 1);
  EXPECT_TRUE(members.members(1).islearner());
}

TEST_F(EtcdKv, WhatIsNotServedSaysSo) {
  grpc::TemplatedGenericStub<StatusRequest, StatusResponse> stub(channel_);
  grpc::ClientContext context;
  StatusRequest request;
  StatusResponse response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/etcdserverpb.Lease/LeaseGrant", {}, &request, &response,
                 [&](grpc::Status s) { done.set_value(std::move(s)); });
  const grpc::Status status = done.get_future().get();
  ExpectError(status, StatusCode::UNIMPLEMENTED,
              "etcdserver: /etcdserverpb.Lease/LeaseGrant is not part of Quorate's etcd API");
}

TEST_F(EtcdKv, ManyCallsAtOnceAreAllAnswered) {
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([this, c] {
      for (int i = 0; i < 50; ++i) Put("k" + std::to_string(c), std::to_string(i));
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(Get("k0").header().revision(), 401);
}

TEST_F(EtcdKv, APortInUseIsAnError) {
  WatchHub hub(group_.store.map(), std::chrono::seconds(1));
  const auto second = EtcdServer::Start({.client = &group_.client, .map = &group_.store.map()},
                                        {.listen = {group_.address}}, hub);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), testing::HasSubstr(group_.address));
}

TEST_F(EtcdKv, AfterStopNothingIsServed) {
  Put("a", "1");
  group_.server->Stop();
  PutRequest put;
  put.set_key("a");
  EXPECT_EQ(PutStatus(put).error_code(), StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace quorate::api::etcd
