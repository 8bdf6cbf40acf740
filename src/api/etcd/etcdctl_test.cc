// Debian's etcdctl against the door; skipped where it is not installed. tests/cluster does the same with real
// replicas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "api/etcd/test_backend.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::api::etcd {
namespace {

using testing::HasSubstr;

class Etcdctl : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/etcdctl"))
      GTEST_SKIP() << "etcdctl (etcd-client) is not installed";
  }
  // Standard output and error together, and the exit status in status_.
  std::string Run(const std::string& arguments) {
    const std::string command =
        "ETCDCTL_API=3 timeout 20 /usr/bin/etcdctl --endpoints=" + group_.address + " " + arguments + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    std::string out;
    std::array<char, 4096> buffer;
    while (size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
    status_ = pclose(pipe);
    return out;
  }

  TestGroup<storage::MemoryStateStore> group_;
  int status_ = 0;
};

TEST_F(Etcdctl, WorksUnchanged) {
  EXPECT_EQ(Run("put a 1"), "OK\n");
  EXPECT_EQ(Run("put a 2 --prev-kv"), "OK\na\n1\n");
  EXPECT_EQ(Run("get a"), "a\n2\n");
  EXPECT_EQ(Run("get a --rev=2 --print-value-only"), "1\n");
  EXPECT_EQ(Run("put ab 3"), "OK\n");
  EXPECT_EQ(Run("get --prefix a --keys-only"), "a\n\nab\n\n");
  EXPECT_EQ(Run("get '' --from-key --order=DESCEND --limit=1 --keys-only"), "ab\n\n");
  EXPECT_EQ(Run("del --prefix a --prev-kv"), "2\na\n2\nab\n3\n");
  EXPECT_THAT(Run("endpoint status"), HasSubstr("3.4.0+quorate.test"));
  EXPECT_THAT(Run("endpoint health"), HasSubstr("is healthy"));
  EXPECT_THAT(Run("member list"), HasSubstr("replica-3"));
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(Run("lease grant 10"), HasSubstr("is not part of Quorate's etcd API"));
  EXPECT_NE(status_, 0);
}

TEST_F(Etcdctl, RunsTransactions) {
  Run("put lock free");
  const std::string take = "txn <<'END'\nvalue(\"lock\") = \"free\"\n\nput lock taken\n\nget lock\n\nEND\n";
  // The redirection of errors follows the here-document.
  EXPECT_THAT(Run(take), testing::StartsWith("SUCCESS"));
  EXPECT_THAT(Run(take), testing::AllOf(testing::StartsWith("FAILURE"), HasSubstr("taken")));
}

TEST_F(Etcdctl, CompactsAndSaysWhatIsGone) {
  Run("put a 1");
  Run("put a 2");
  EXPECT_EQ(Run("compaction 3"), "compacted revision 3\n");
  EXPECT_THAT(Run("get a --rev=2"), HasSubstr("etcdserver: mvcc: required revision has been compacted"));
  EXPECT_THAT(Run("watch a --rev=2"), HasSubstr("required revision has been compacted"));
}

TEST_F(Etcdctl, WatchesFromARevision) {
  Run("put w 1");
  Run("put wx 2");
  Run("del w");
  // Through a named pipe: a watch has no end of its own.
  const std::string pipe = testing::TempDir() + "quorate-etcdctl-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(
      Run("watch --prefix w --rev=2 --prev-kv >" + pipe + " & pid=$!; head -10 " + pipe + "; kill $pid"),
      "PUT\nw\n1\nPUT\nwx\n2\nDELETE\nw\n1\nw\n");
  std::filesystem::remove(pipe);
}

}  // namespace
}  // namespace quorate::api::etcd
