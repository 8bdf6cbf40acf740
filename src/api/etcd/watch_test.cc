// Watches through gRPC, over the real state machine; the hub by itself where a slow client must be slow
// exactly so.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>

#include "api/etcd/test_backend.h"
#include "base/limits.h"
#include "etcd/rpc.grpc.pb.h"
#include "rsm/command.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::api::etcd {
namespace {

using namespace etcdserverpb;  // NOLINT: a test of exactly these

class EtcdWatch : public testing::Test {
 protected:
  class Stream {
   public:
    explicit Stream(const std::string& address)
        : stub_(etcdserverpb::Watch::NewStub(
              grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {
      context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      stream_ = stub_->Watch(&context_);
    }
    ~Stream() { context_.TryCancel(); }
    void Send(const WatchRequest& request) { ASSERT_TRUE(stream_->Write(request)); }
    WatchResponse Read() {
      WatchResponse response;
      EXPECT_TRUE(stream_->Read(&response));
      return response;
    }
    WatchResponse Create(const WatchCreateRequest& create) {
      WatchRequest request;
      *request.mutable_create_request() = create;
      Send(request);
      return Read();
    }
    // Reads until there are `n` events.
    std::vector<mvccpb::Event> Events(size_t n) {
      std::vector<mvccpb::Event> events;
      while (events.size() < n) {
        WatchResponse response;
        if (!stream_->Read(&response)) break;
        last_revision = response.header().revision();
        for (const auto& event : response.events()) events.push_back(event);
      }
      EXPECT_EQ(events.size(), n);
      return events;
    }
    void HalfClose() { stream_->WritesDone(); }
    grpc::Status Finish() { return stream_->Finish(); }
    int64_t last_revision = 0;

   private:
    std::unique_ptr<etcdserverpb::Watch::Stub> stub_;
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReaderWriter<WatchRequest, WatchResponse>> stream_;
  };

  static WatchCreateRequest On(const std::string& key, const std::string& end = "", int64_t start = 0) {
    WatchCreateRequest create;
    create.set_key(key);
    create.set_range_end(end);
    create.set_start_revision(start);
    return create;
  }
  // As the log would have it; returns the revision.
  uint64_t Do(kv::TxnRequest txn) { return Apply(rsm::KvTxn{std::move(txn)}); }
  uint64_t Apply(decltype(rsm::Command::body) body) {
    std::promise<uint64_t> revision;
    group_.client.Propose(
        rsm::EncodeCommand({.body = std::move(body)}), {}, [&](const replica::ProposeOutcome& o) {
          revision.set_value(rsm::DecodeResult(std::get<replica::Decided>(o).outcome)->revision.value);
        });
    return revision.get_future().get();
  }
  uint64_t Put(const std::string& key, const std::string& value) {
    return Do(kv::SingleOp(kv::PutRequest{.key = key, .value = value}));
  }
  uint64_t Delete(const std::string& key) {
    return Do(kv::SingleOp(kv::DeleteRangeRequest{.range = {key, ""}}));
  }

  TestGroup<storage::MemoryStateStore> group_{std::chrono::milliseconds(100)};
};

TEST_F(EtcdWatch, TellsOfChangesAsTheyCome) {
  Stream stream(group_.address);
  const WatchResponse created = stream.Create(On("a"));
  EXPECT_TRUE(created.created());
  EXPECT_EQ(created.watch_id(), 0);
  EXPECT_EQ(created.header().revision(), 1);
  Put("b", "no");
  Put("a", "1");
  Delete("a");
  const auto events = stream.Events(2);
  EXPECT_EQ(events[0].type(), mvccpb::Event::PUT);
  EXPECT_EQ(events[0].kv().value(), "1");
  EXPECT_EQ(events[0].kv().mod_revision(), 3);
  EXPECT_FALSE(events[1].has_prev_kv());
  EXPECT_EQ(events[1].type(), mvccpb::Event::DELETE);
  EXPECT_EQ(events[1].kv().mod_revision(), 4);
}

TEST_F(EtcdWatch, StartsInThePastAndGoesOnIntoThePresent) {
  for (int i = 0; i < 2500; ++i) Put("a" + std::to_string(i % 7), std::to_string(i));
  Stream stream(group_.address);
  WatchCreateRequest create = On("a", "b", 2);
  create.set_prev_kv(true);
  stream.Create(create);
  for (int i = 2500; i < 2600; ++i) Put("a" + std::to_string(i % 7), std::to_string(i));
  const auto events = stream.Events(2600);
  for (int i = 0; i < 2600; ++i) {
    ASSERT_EQ(events[i].kv().value(), std::to_string(i));
    ASSERT_EQ(events[i].prev_kv().value(), i < 7 ? "" : std::to_string(i - 7));
  }
}

TEST_F(EtcdWatch, StartsInTheFuture) {
  Stream stream(group_.address);
  stream.Create(On("a", "", 4));
  for (const char* value : {"2", "3", "4"}) Put("a", value);
  EXPECT_EQ(stream.Events(1)[0].kv().value(), "4");
}

TEST_F(EtcdWatch, ATxnComesInOnePiece) {
  Stream stream(group_.address);
  stream.Create(On(std::string(1, '\0'), std::string(1, '\0')));
  kv::TxnRequest txn;
  txn.success = {kv::PutRequest{.key = "a"}, kv::PutRequest{.key = "b"}, kv::PutRequest{.key = "c"}};
  Do(txn);
  EXPECT_EQ(stream.Read().events_size(), 3);
}

TEST_F(EtcdWatch, FiltersKeepChangesAway) {
  Stream stream(group_.address);
  WatchCreateRequest no_puts = On("a");
  no_puts.add_filters(WatchCreateRequest::NOPUT);
  stream.Create(no_puts);
  Put("a", "1");
  Delete("a");
  EXPECT_EQ(stream.Events(1)[0].type(), mvccpb::Event::DELETE);
  Stream past(group_.address);
  WatchCreateRequest no_deletes = On("a", "", 1);
  no_deletes.add_filters(WatchCreateRequest::NODELETE);
  past.Create(no_deletes);
  Put("a", "2");
  const auto events = past.Events(2);
  EXPECT_EQ(events[1].kv().value(), "2");
}

TEST_F(EtcdWatch, ACompactedStartEndsTheWatchAndSaysWhere) {
  for (int i = 0; i < 5; ++i) Put("a", "x");
  Apply(rsm::KvCompact{Revision{5}});
  Stream stream(group_.address);
  EXPECT_TRUE(stream.Create(On("a", "", 2)).created());
  const WatchResponse gone = stream.Read();
  EXPECT_TRUE(gone.canceled());
  EXPECT_EQ(gone.compact_revision(), 5);
  stream.Create(On("a", "", 5));
  EXPECT_EQ(stream.Events(2)[0].kv().mod_revision(), 5);
}

TEST_F(EtcdWatch, SeveralWatchesShareAStreamAndAreCanceledOneByOne) {
  Stream stream(group_.address);
  EXPECT_EQ(stream.Create(On("a")).watch_id(), 0);
  EXPECT_EQ(stream.Create(On("b")).watch_id(), 1);
  WatchCreateRequest named = On("c");
  named.set_watch_id(9);
  EXPECT_EQ(stream.Create(named).watch_id(), 9);
  const WatchResponse twice = stream.Create(named);
  EXPECT_TRUE(twice.canceled());
  EXPECT_EQ(twice.watch_id(), -1);
  EXPECT_EQ(stream.Create(On("x", "a")).cancel_reason(), "mvcc: watcher range is empty");

  WatchRequest cancel;
  cancel.mutable_cancel_request()->set_watch_id(0);
  stream.Send(cancel);
  const WatchResponse canceled = stream.Read();
  EXPECT_TRUE(canceled.canceled());
  EXPECT_EQ(canceled.watch_id(), 0);
  Put("a", "unseen");
  Put("b", "seen");
  const WatchResponse seen = stream.Read();
  EXPECT_EQ(seen.watch_id(), 1);
  EXPECT_EQ(seen.events(0).kv().value(), "seen");
}

TEST_F(EtcdWatch, ProgressIsToldWhenAskedAndToIdleWatches) {
  Put("other", "1");
  Stream stream(group_.address);
  stream.Create(On("a", "", 1));
  Put("other", "2");
  WatchRequest request;
  request.mutable_progress_request();
  stream.Send(request);
  const WatchResponse told = stream.Read();
  EXPECT_EQ(told.watch_id(), -1);
  EXPECT_EQ(told.header().revision(), 3);

  Stream idle(group_.address);
  WatchCreateRequest notify = On("a");
  notify.set_progress_notify(true);
  idle.Create(notify);
  const WatchResponse notice = idle.Read();
  EXPECT_EQ(notice.events_size(), 0);
  EXPECT_EQ(notice.header().revision(), 3);
}

TEST_F(EtcdWatch, AHalfClosedStreamEndsWell) {
  Stream stream(group_.address);
  stream.Create(On("a"));
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(EtcdWatch, StoppingTheServerEndsStreams) {
  Stream stream(group_.address);
  stream.Create(On("a"));
  group_.server->Stop();
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(EtcdWatch, AStreamThatIsNotReadGetsEverythingOnceItIs) {
  Stream stream(group_.address);
  stream.Create(On("a"));
  const std::string big(100 << 10, 'x');
  for (int i = 0; i < 300; ++i)
    Put("a", std::to_string(i) + " " + big);  // 30 MB: far over every buffer on the way
  const auto events = stream.Events(300);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(events[i].kv().value().starts_with(std::to_string(i) + " "));
}

// The hub alone.

class SlowSink final : public WatchSink {
 public:
  void Send(std::unique_ptr<WatchResponse> response) override {
    std::lock_guard lock(mu_);
    responses_.push_back(std::move(response));
    changed_.notify_all();
  }
  bool Full() const override {
    std::lock_guard lock(mu_);
    return full_;
  }
  void ReadNext() override {}
  void Stop() override {}

  void SetFull(bool full) {
    std::lock_guard lock(mu_);
    full_ = full;
  }
  size_t Sent() const {
    std::lock_guard lock(mu_);
    return responses_.size();
  }
  // Waits until `n` responses came.
  void Await(size_t n) {
    std::unique_lock lock(mu_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return responses_.size() >= n; }));
  }
  // Waits until `n` events came.
  void AwaitValues(size_t n) {
    std::unique_lock lock(mu_);
    ASSERT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return ValuesLocked().size() >= n; }));
  }
  std::vector<std::string> Values() const {
    std::lock_guard lock(mu_);
    return ValuesLocked();
  }

 private:
  std::vector<std::string> ValuesLocked() const {
    std::vector<std::string> values;
    for (const auto& response : responses_) {
      for (const auto& event : response->events()) values.push_back(event.kv().value());
    }
    return values;
  }

  mutable std::mutex mu_;
  std::condition_variable changed_;
  bool full_ = false;
  std::vector<std::unique_ptr<WatchResponse>> responses_;
};

TEST(WatchHub, AFullStreamGetsNothingUntilItHasRoomThenAllInOrder) {
  TestGroup<storage::MemoryStateStore> group;
  auto slow = std::make_shared<SlowSink>();
  auto quick = std::make_shared<SlowSink>();
  WatchRequest request;
  request.mutable_create_request()->set_key("a");
  for (const auto& sink : {slow, quick}) group.hub.Request(group.hub.Open(sink), request);
  slow->Await(1);
  quick->Await(1);
  slow->SetFull(true);
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back(std::to_string(i));
    group.client.Propose(
        rsm::EncodeCommand(
            {.body = rsm::KvTxn{kv::SingleOp(kv::PutRequest{.key = "a", .value = expected.back()})}}),
        {}, [](const replica::ProposeOutcome&) {});
  }
  quick->AwaitValues(expected.size());
  EXPECT_EQ(slow->Sent(), 1u);
  slow->SetFull(false);
  group.hub.Wake();
  slow->AwaitValues(expected.size());
  EXPECT_EQ(slow->Values(), expected);
  EXPECT_EQ(quick->Values(), expected);
}

TEST(WatchHub, AReplacedStateGoesOnFromTheHistory) {
  TestGroup<storage::MemoryStateStore> group;
  auto sink = std::make_shared<SlowSink>();
  WatchRequest request;
  request.mutable_create_request()->set_key("a");
  group.hub.Request(group.hub.Open(sink), request);
  sink->Await(1);
  // As a snapshot would: the change is in the map, and nobody told of it.
  kv::Transaction transaction(group.store.map());
  transaction.Put("a", "from elsewhere");
  group.store.map().Write(transaction.Commit().batch);
  group.hub.Reset();
  sink->Await(2);
  EXPECT_THAT(sink->Values(), testing::ElementsAre("from elsewhere"));
}

}  // namespace
}  // namespace quorate::api::etcd
