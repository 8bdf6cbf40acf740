#include "serve/held_queries.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "base/rng.h"
#include "wire/test_util.h"

namespace quorate::serve {
namespace {

TEST(HeldQueries, GivesBackWhatWasPushedInOrderWhateverTheSizes) {
  Rng rng(11);
  HeldQueries held(50, 1000);
  std::deque<std::string> model;
  uint64_t pushed = 0, refused = 0;
  for (int i = 0; i < 200000; ++i) {
    if (rng.Chance(11, 20)) {
      const std::string bytes(1 + rng.Below(rng.Chance(1, 10) ? 900 : 60),
                              static_cast<char>('a' + rng.Below(26)));
      if (held.TryPush({.wait = {.ticket = pushed}}, wire::AsBytes(bytes))) {
        ++pushed;
        model.push_back(bytes);
      } else {
        ++refused;
        ASSERT_FALSE(model.empty());
      }
    } else if (!model.empty()) {
      const auto front = held.bytes(held.front());
      ASSERT_EQ(std::string(front.begin(), front.end()), model.front());
      ASSERT_EQ(held.front().wait.ticket, pushed - model.size());
      held.at(0).done = true;
      held.PopDone();
      model.pop_front();
    }
    ASSERT_EQ(held.size(), model.size());
  }
  EXPECT_GT(refused, 100u);
}

TEST(HeldQueries, WhenEmptyItTakesAnythingUpToItsSize) {
  HeldQueries held(2, 100);
  EXPECT_TRUE(held.TryPush({}, wire::AsBytes(std::string(60, 'x'))));
  EXPECT_FALSE(held.TryPush({}, wire::AsBytes(std::string(60, 'x'))));
  held.at(0).done = true;
  held.PopDone();
  EXPECT_TRUE(held.TryPush({}, wire::AsBytes(std::string(100, 'x'))));
  held.at(0).done = true;
  held.PopDone();
  EXPECT_FALSE(held.TryPush({}, wire::AsBytes(std::string(101, 'x'))));
  EXPECT_TRUE(held.TryPush({}, wire::AsBytes("a")));
  EXPECT_TRUE(held.TryPush({}, wire::AsBytes("b")));
  EXPECT_FALSE(held.TryPush({}, wire::AsBytes("c")));
}

}  // namespace
}  // namespace quorate::serve
