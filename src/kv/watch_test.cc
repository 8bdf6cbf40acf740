#include "kv/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quorate::kv {
namespace {

std::vector<uint64_t> Matches(const WatchIndex& index, std::string_view key) {
  std::vector<uint64_t> ids;
  index.Match(key, [&](uint64_t id) { ids.push_back(id); });
  return ids;
}

TEST(WatchIndex, FindsWatchersOfKeysAndOfRanges) {
  WatchIndex index;
  index.Add(1, {"a", ""});
  index.Add(2, {"a", ""});
  index.Add(3, PrefixRange("a"));
  index.Add(4, {"b", std::string(1, '\0')});
  EXPECT_THAT(Matches(index, "a"), testing::UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(Matches(index, "ab"), testing::UnorderedElementsAre(3));
  EXPECT_THAT(Matches(index, "zzz"), testing::UnorderedElementsAre(4));
  EXPECT_THAT(Matches(index, "A"), testing::IsEmpty());
}

TEST(WatchIndex, ForgetsWhoIsRemoved) {
  WatchIndex index;
  index.Add(1, {"a", ""});
  index.Add(2, {"a", "c"});
  index.Remove(1);
  index.Remove(1);
  EXPECT_THAT(Matches(index, "a"), testing::UnorderedElementsAre(2));
  index.Remove(2);
  EXPECT_THAT(Matches(index, "a"), testing::IsEmpty());
  EXPECT_EQ(index.size(), 0u);
}

}  // namespace
}  // namespace quorate::kv
