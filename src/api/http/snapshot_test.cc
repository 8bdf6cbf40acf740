// The door's way of giving a body that is too large for memory.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/http/test_group.h"
#include "base/limits.h"

namespace quorate::api {
namespace {

constexpr size_t kPart = 100'000;

class SnapshotDoor : public testing::Test {
 protected:
  // Parts of 'a', 'b', ...; an error after the last if it is `cut`.
  void Start(int parts, bool cut = false) {
    HttpBackend backend = group.Backend();
    backend.open_snapshot = [this, parts, cut]() -> absl::StatusOr<HttpBackend::FileParts> {
      if (!open_status.ok()) return open_status;
      auto given = std::make_shared<int>(0);
      auto alive = std::shared_ptr<void>(nullptr, [this](void*) { ++closed; });
      ++opened;
      return [=]() -> absl::StatusOr<std::string> {
        (void)alive;
        if (*given < parts) return std::string(kPart, static_cast<char>('a' + (*given)++ % 26));
        if (cut) return absl::DataLossError("the disk");
        return std::string();
      };
    };
    auto started = HttpServer::Start({.address = "127.0.0.1:0"}, std::move(backend));
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    url = "http://127.0.0.1:" + std::to_string(server->port()) + "/api/v1/snapshot";
  }

  TestGroup group;
  absl::Status open_status;
  std::atomic<int> opened{0}, closed{0};
  std::unique_ptr<HttpServer> server;
  std::string url;
};

TEST_F(SnapshotDoor, GivesAllPartsInOrderAfterALinearizableRead) {
  Start(50);
  const Reply reply = Ask("GET", url);
  ASSERT_EQ(reply.status, 200);
  std::string expected;
  for (int i = 0; i < 50; ++i) expected.append(kPart, static_cast<char>('a' + i % 26));
  EXPECT_TRUE(reply.body == expected);
  EXPECT_EQ(reply.headers.at("content-type"), "application/octet-stream");
  EXPECT_EQ(group.client.reads, 1);
  server->Stop();
  EXPECT_EQ(closed, 1);
}

TEST_F(SnapshotDoor, AnErrorOnTheWayCutsTheConnectionSoThatTheClientSees) {
  Start(3, /*cut=*/true);
  const Reply reply = Ask("GET", url);
  EXPECT_EQ(reply.status, 0) << "libcurl takes it for whole";
}

TEST_F(SnapshotDoor, NoSnapshotOfAReplicaThatCannotReadNow) {
  Start(1);
  group.client.read_status = absl::UnavailableError("no leader");
  EXPECT_EQ(Ask("GET", url).status, 503);
  EXPECT_EQ(opened, 0);
  EXPECT_EQ(Ask("GET", url + "?consistency=local").status, 200);
  EXPECT_EQ(Ask("GET", url + "?consistency=nonsense").status, 400);
  open_status = absl::UnavailableError("nothing is applied here yet");
  EXPECT_EQ(Ask("GET", url + "?consistency=local").status, 503);
}

TEST_F(SnapshotDoor, AHeadRequestOpensNoStream) {
  Start(3);
  EXPECT_EQ(Ask("HEAD", url).status, 200);
  EXPECT_EQ(Ask("GET", url).status, 200) << "and leaves room for others";
}

// A reader that takes nothing holds one of the places; what it holds is given back when it goes.
TEST_F(SnapshotDoor, OnlySoManyAtATime) {
  Start(500);
  struct Slow {
    CURL* easy = curl_easy_init();
    CURLM* multi = curl_multi_init();
    bool began = false;
  };
  std::vector<Slow> slow(limits::kSnapshotFilesMax);
  for (Slow& each : slow) {
    curl_easy_setopt(each.easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(each.easy, CURLOPT_NOPROXY, "*");
    curl_write_callback pause = [](char*, size_t, size_t, void* user) {
      *static_cast<bool*>(user) = true;
      return static_cast<size_t>(CURL_WRITEFUNC_PAUSE);
    };
    curl_easy_setopt(each.easy, CURLOPT_WRITEFUNCTION, pause);
    curl_easy_setopt(each.easy, CURLOPT_WRITEDATA, &each.began);
    curl_multi_add_handle(each.multi, each.easy);
    for (int running = 1; running != 0 && !each.began;) {
      curl_multi_perform(each.multi, &running);
      curl_multi_poll(each.multi, nullptr, 0, 100, nullptr);
    }
    EXPECT_TRUE(each.began);
  }
  const Reply busy = Ask("GET", url);
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.at("retry-after"), "5");
  for (Slow& each : slow) {
    curl_multi_remove_handle(each.multi, each.easy);
    curl_easy_cleanup(each.easy);
    curl_multi_cleanup(each.multi);
  }
  long status = 503;
  for (int i = 0; i < 3000 && status == 503; ++i) {
    status = Ask("GET", url).status;
    if (status == 503) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace quorate::api
