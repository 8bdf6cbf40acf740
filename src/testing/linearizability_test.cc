#include "testing/linearizability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "testing/history.h"

namespace quorate::testing {
namespace {

using ::testing::HasSubstr;
using History = std::vector<Operation>;

// Files of tests/data/histories by name.
std::map<std::string, History> KnownHistories() {
  std::map<std::string, History> known;
  for (const auto& entry : std::filesystem::directory_iterator(QUORATE_SOURCE_DIR "/tests/data/histories")) {
    std::ifstream file(entry.path());
    const auto history = ParseHistory(std::string(std::istreambuf_iterator<char>(file), {}));
    EXPECT_TRUE(history.ok()) << entry.path();
    if (history.ok()) known[entry.path().stem().string()] = *history;
  }
  return known;
}

History Known(const std::string& name) { return KnownHistories().at(name); }

const KeyReport& Violation(const CheckReport& report) {
  for (const KeyReport& key : report.keys) {
    if (key.verdict == Verdict::kNotLinearizable) return key;
  }
  ADD_FAILURE() << "no key is in violation";
  return report.keys.front();
}

TEST(Linearizability, GoodHistoriesPassAndBadOnesDoNot) {
  size_t good = 0, bad = 0;
  for (const auto& [name, history] : KnownHistories()) {
    const bool is_good = name.starts_with("good-");
    ++(is_good ? good : bad);
    EXPECT_EQ(CheckLinearizable(history).verdict,
              is_good ? Verdict::kLinearizable : Verdict::kNotLinearizable)
        << name;
  }
  EXPECT_GE(good, 12u);
  EXPECT_GE(bad, 12u);
}

TEST(Linearizability, TheFirstOperationThatFitsIntoNoOrderIsNamed) {
  const std::map<std::string, size_t> lines = {
      {"bad-stale-read", 3},
      {"bad-new-old-inversion", 4},
      {"bad-lost-write", 4},
      {"bad-read-of-a-value-never-written", 2},
      {"bad-read-from-the-future", 1},
      {"bad-unknown-write-seen-then-gone", 4},
      {"bad-unknown-write-seen-before-its-call", 2},
      {"bad-two-winners-of-a-cas-race", 3},
      {"bad-no-winner-of-a-cas-race", 2},
      {"bad-cas-of-an-overwritten-value", 3},
      {"bad-concurrent-writes-seen-in-both-orders", 4},
      {"bad-value-comes-back-between-two-readers", 5},
      {"bad-one-key-of-two", 4},
  };
  for (const auto& [name, line] : lines) {
    const CheckReport report = CheckLinearizable(Known(name));
    EXPECT_EQ(Violation(report).blocked.value() + 1, line) << name;
  }
}

TEST(Linearizability, AStaleReadIsExplainedByWhatCameBeforeIt) {
  const History history = Known("bad-stale-read");
  EXPECT_EQ(Explain(history, Violation(CheckLinearizable(history))),
            "key \"k\": no order explains\n"
            "    process 2 read -> \"a\"  [40, 50]\n"
            "  \"a\" comes from\n"
            "    process 1 write \"a\"  [0, 10]\n"
            "  all 2 before it have one\n"
            "    process 1 write \"a\"  [0, 10]\n"
            "    process 1 write \"b\"  [20, 30]\n"
            "  after which the key holds \"b\"\n");
}

TEST(Linearizability, AnExplanationSaysThatAValueWasNeverWrittenAndWhatWasUnderWay) {
  History history = Known("bad-read-of-a-value-never-written");
  history.push_back({.process = 7,
                     .kind = OperationKind::kWrite,
                     .key = "k",
                     .value = "b",
                     .call_ns = 15,
                     .outcome = Outcome::kUnknown});
  const std::string text = Explain(history, Violation(CheckLinearizable(history)));
  EXPECT_THAT(text, HasSubstr("no operation writes \"z\"\n"));
  EXPECT_THAT(text, HasSubstr("of no use here:\n    process 7 write \"b\" -> unknown  [15, no return]\n"));
}

TEST(Linearizability, EachKeyHasItsOwnVerdict) {
  const CheckReport report = CheckLinearizable(Known("bad-one-key-of-two"));
  ASSERT_EQ(report.keys.size(), 2u);
  EXPECT_EQ(report.keys[0].key, "x");
  EXPECT_EQ(report.keys[0].verdict, Verdict::kLinearizable);
  EXPECT_EQ(report.keys[1].verdict, Verdict::kNotLinearizable);
}

TEST(Linearizability, NothingIsLinearizable) {
  const CheckReport report = CheckLinearizable({});
  EXPECT_EQ(report.verdict, Verdict::kLinearizable);
  EXPECT_TRUE(report.keys.empty());
}

TEST(Linearizability, ABoundGivesNoVerdictWhateverTheHistory) {
  for (const auto& [name, history] : KnownHistories()) {
    const CheckReport report = CheckLinearizable(history, {.configurations_max = 0});
    EXPECT_EQ(report.verdict, Verdict::kGaveUp) << name;
    EXPECT_THAT(Explain(history, report.keys.back()), HasSubstr("gave up")) << name;
  }
}

TEST(Linearizability, AViolationCountsMoreThanAKeyThatWasGivenUp) {
  History history = Known("bad-stale-read");
  for (int process = 0; process < 12; ++process) {
    for (const std::string value : {"1", "2"}) {
      const int64_t call = value == "1" ? 0 : 50;
      history.push_back({.process = process,
                         .kind = OperationKind::kCas,
                         .key = "busy",
                         .value = std::to_string((process + call) % 5),
                         .expected = std::to_string(process % 5),
                         .call_ns = call,
                         .return_ns = 100,
                         .outcome = Outcome::kOk});
      history.push_back({.process = process + 100,
                         .kind = OperationKind::kWrite,
                         .key = "busy",
                         .value = std::to_string(process % 5),
                         .call_ns = call,
                         .return_ns = 100,
                         .outcome = Outcome::kOk});
    }
  }
  const CheckReport report = CheckLinearizable(history, {.configurations_max = 20});
  ASSERT_EQ(report.keys.size(), 2u);
  EXPECT_EQ(report.keys[0].verdict, Verdict::kGaveUp);
  EXPECT_EQ(report.verdict, Verdict::kNotLinearizable);
}

}  // namespace
}  // namespace quorate::testing
