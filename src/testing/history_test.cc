#include "testing/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quorate::testing {
namespace {

constexpr const char* kWrite =
    R"({"process":1,"op":"write","key":"k","value":"a","call_ns":10,"return_ns":20,"outcome":"ok"})"
    "\n";

TEST(History, EveryKindAndOutcomeComesBackAsItWasWritten) {
  const std::vector<Operation> history = {
      {.process = 1,
       .kind = OperationKind::kWrite,
       .key = "k\n\"",
       .value = "\xC3\xA4",
       .call_ns = -5,
       .return_ns = 20},
      {.process = 2, .kind = OperationKind::kRead, .key = "k", .call_ns = 1, .return_ns = 1},
      {.process = 3, .kind = OperationKind::kDelete, .key = "", .call_ns = 1, .outcome = Outcome::kUnknown},
      {.process = 4,
       .kind = OperationKind::kCas,
       .key = "k",
       .value = "",
       .expected = "x",
       .call_ns = 1,
       .return_ns = 9223372036854775807,
       .outcome = Outcome::kFail},
      {.process = 5, .kind = OperationKind::kCas, .key = "k", .value = "y", .call_ns = 1, .return_ns = 2},
  };
  const auto parsed = ParseHistory(ToJsonLines(history));
  ASSERT_TRUE(parsed.ok()) << parsed.error().line << ": " << parsed.error().reason;
  EXPECT_EQ(*parsed, history);
}

TEST(History, ALineHasExactlyTheFieldsOfTheFormat) {
  Operation operation{
      .process = 1, .kind = OperationKind::kCas, .key = "k", .value = "b", .expected = "a", .call_ns = 3};
  operation.outcome = Outcome::kUnknown;
  EXPECT_EQ(ToJsonLine(operation),
            R"({"process":1,"op":"cas","key":"k","value":"b","expected":"a","call_ns":3,"return_ns":null,)"
            R"("outcome":"unknown"})"
            "\n");
  operation = {.process = 2, .key = "k", .call_ns = 3, .return_ns = 4};
  EXPECT_EQ(ToJsonLine(operation),
            R"({"process":2,"op":"read","key":"k","value":null,"call_ns":3,"return_ns":4,"outcome":"ok"})"
            "\n");
}

TEST(History, OctetsThatAreNotTextDoNotBreakALine) {
  const auto parsed = ParseHistory(ToJsonLine({.key = "\xFF", .call_ns = 1, .return_ns = 2}));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->front().key, "\xEF\xBF\xBD");
}

TEST(History, EmptyLinesOtherOrdersAndFieldsOfOthersAreAccepted) {
  const auto parsed = ParseHistory(
      "\r\n\n"
      R"({"outcome":"unknown","node":[1],"op":"delete","key":"k","return_ns":7,"call_ns":3,"process":0})"
      "\r\n  ");
  ASSERT_TRUE(parsed.ok()) << parsed.error().reason;
  ASSERT_EQ(parsed->size(), 1u);
  EXPECT_EQ(parsed->front().return_ns, std::nullopt);
  EXPECT_EQ(parsed->front().outcome, Outcome::kUnknown);
}

TEST(History, AnErrorNamesTheLineAndTheReason) {
  const struct {
    std::string line, reason;
  } cases[] = {
      {"{", "is not JSON"},
      {"[1]", "is not a JSON object"},
      {"{}", "`process` is missing"},
      {R"({"process":1.5})", "`process` is not an integer"},
      {R"({"process":9999999999})", "`process` is out of range"},
      {R"({"process":1,"op":"swap"})", "`op` is none of read, write, delete, cas"},
      {R"({"process":1,"op":"read"})", "`key` is missing"},
      {R"({"process":1,"op":"read","key":3})", "`key` is not a string"},
      {R"({"process":1,"op":"read","key":"k","value":3})", "`value` is not a string"},
      {R"({"process":1,"op":"read","key":"k"})", "`call_ns` is missing"},
      {R"({"process":1,"op":"read","key":"k","call_ns":18446744073709551615})", "`call_ns` is out of range"},
      {R"({"process":1,"op":"read","key":"k","call_ns":1,"outcome":"?"})",
       "`outcome` is none of ok, fail, unknown"},
      {R"({"process":1,"op":"read","key":"k","call_ns":1,"outcome":"ok"})",
       "`return_ns` is missing, and the outcome is not unknown"},
      {R"({"process":1,"op":"read","key":"k","call_ns":2,"return_ns":1,"outcome":"ok"})",
       "`return_ns` is before `call_ns`"},
      {R"({"process":1,"op":"write","key":"k","call_ns":1,"return_ns":1,"outcome":"ok"})",
       "`value` is missing"},
      {R"({"process":1,"op":"delete","key":"k","value":"a","call_ns":1,"return_ns":1,"outcome":"ok"})",
       "`value` of a delete is not null"},
      {R"({"process":1,"op":"cas","key":"k","value":"a","call_ns":1,"return_ns":1,"outcome":"ok"})",
       "`expected` is missing"},
      {R"({"process":1,"op":"read","key":"k","expected":"a","call_ns":1,"return_ns":1,"outcome":"ok"})",
       "`expected` belongs to a cas only"},
  };
  for (const auto& [line, reason] : cases) {
    const auto parsed = ParseHistory(std::string(kWrite) + "\n" + line + "\n" + kWrite);
    ASSERT_FALSE(parsed.ok()) << line;
    EXPECT_EQ(parsed.error().line, 3u) << line;
    EXPECT_EQ(parsed.error().reason, reason) << line;
  }
}

}  // namespace
}  // namespace quorate::testing
