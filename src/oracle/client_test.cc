#include "oracle/client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "base/status_macros.h"
#include "oracle/oracle.h"

namespace quorate::oracle {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kInit =
    R"({"n_regions":1,"region_names":["here"],"instances_per_region":3,"replicas_per_ns":3,
        "groups":[{"name":"org","zones":["org."]}]})";

// A whole Oracle but for the process, on a free port.
class OracleClient : public testing::Test {
 protected:
  OracleClient() {
    std::string pattern = std::filesystem::temp_directory_path() / "oracle-test-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    service_ = *Service::Open(dir_);
    door_ = *Listen("127.0.0.1:0", *service_);
    url_ = fmt::format("http://127.0.0.1:{}", door_->port());
  }
  ~OracleClient() override {
    door_->Stop();
    std::filesystem::remove_all(dir_);
  }

  JoinRequest Request(int i) const {
    return {.oracle_url = url_,
            .region = "here",
            .inst_id = fmt::format("i-{}", i),
            .uuid = fmt::format("u-{}", i),
            .incarnation = 1,
            .addresses = {.peer = fmt::format("127.0.0.{}:2380", i), .dns = "", .http = "", .etcd = ""}};
  }
  std::future<absl::StatusOr<Assignment>> JoinLater(int i, std::stop_token stop = {}) const {
    return std::async(std::launch::async, [r = Request(i), stop] { return Join(r, 20s, stop); });
  }

  std::string dir_, url_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<api::Listener> door_;
};

TEST_F(OracleClient, WaitsForInitAndForTheOthersOfItsGroup) {
  auto first = JoinLater(1);
  ASSERT_EQ(service_->Handle("POST", "/init", kInit).status, 200);
  auto second = JoinLater(2), third = JoinLater(3);
  const auto a = first.get(), b = second.get(), c = third.get();
  ASSERT_TRUE(a.ok() && b.ok() && c.ok()) << a.status() << b.status() << c.status();
  EXPECT_EQ(a->replica_id.value + b->replica_id.value + c->replica_id.value, 6u);
  EXPECT_EQ(a->group, "org");
  EXPECT_EQ(a->zones, std::vector<std::string>{"org."});
  ASSERT_EQ(a->members.size(), 3u);
  const auto again = Join(Request(2), 5s);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->replica_id, b->replica_id);
}

TEST_F(OracleClient, TellsWhyTheOracleRefused) {
  service_->Handle("POST", "/init", kInit);
  JoinRequest lost = Request(1);
  lost.region = "elsewhere";
  const auto result = Join(lost, 5s);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(result.status()), HasSubstr("there is no region `elsewhere`"));
}

TEST_F(OracleClient, GivesUpAtItsDeadlineAndSaysWhatWasMissing) {
  service_->Handle("POST", "/init", kInit);
  const auto alone = Join(Request(1), 200ms);
  EXPECT_EQ(alone.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(MessageOf(alone.status()), HasSubstr("group is not complete"));
}

TEST_F(OracleClient, StopsWhenAsked) {
  std::stop_source stop;
  auto waiting = JoinLater(1, stop.get_token());
  stop.request_stop();
  EXPECT_EQ(waiting.get().status().code(), absl::StatusCode::kCancelled);
}

TEST(OracleUnreachable, IsAskedAgainUntilTheDeadline) {
  const auto result = Join({.oracle_url = "http://127.0.0.1:1", .region = "r", .inst_id = "i"}, 200ms);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(MessageOf(result.status()), HasSubstr("127.0.0.1:1"));
}

class OracleListen : public testing::Test {
 protected:
  OracleListen() {
    std::string pattern = std::filesystem::temp_directory_path() / "oracle-test-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    service_ = *Service::Open(dir_);
  }
  ~OracleListen() override { std::filesystem::remove_all(dir_); }

  std::string dir_;
  std::unique_ptr<Service> service_;
};

TEST_F(OracleListen, IsOnLoopbackOnly) {
  EXPECT_TRUE(Listen("127.4.0.1:0", *service_).ok());
  EXPECT_TRUE(Listen("[::1]:0", *service_).ok());
  EXPECT_THAT(MessageOf(Listen("0.0.0.0:8050", *service_).status()), HasSubstr("loopback"));
  for (const char* wrong : {"", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "host:80"}) {
    EXPECT_FALSE(Listen(wrong, *service_).ok()) << wrong;
  }
}

TEST_F(OracleListen, AnAddressInUseIsAClearError) {
  const auto first = *Listen("127.0.0.1:0", *service_);
  const std::string address = fmt::format("127.0.0.1:{}", first->port());
  EXPECT_THAT(MessageOf(Listen(address, *service_).status()), HasSubstr(address));
}

}  // namespace
}  // namespace quorate::oracle
