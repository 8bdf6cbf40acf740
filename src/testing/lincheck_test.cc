#include "testing/lincheck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "testing/history.h"

namespace quorate::testing {
namespace {

using ::testing::HasSubstr;

Operation Write(const std::string& value, int64_t call) {
  return {.kind = OperationKind::kWrite, .key = "k", .value = value, .call_ns = call, .return_ns = call + 5};
}
Operation Read(const std::string& value, int64_t call) {
  return {.process = 2, .key = "k", .value = value, .call_ns = call, .return_ns = call + 5};
}

TEST(Lincheck, AGoodHistoryTakesOneLine) {
  const FileReport report =
      CheckFile("run.jsonl", ToJsonLines(std::vector{Write("a", 0), Read("a", 10)}), {});
  EXPECT_EQ(report.exit, LincheckExit::kLinearizable);
  EXPECT_EQ(report.text, "run.jsonl: 2 operations on 1 key: linearizable\n");
}

TEST(Lincheck, ABadHistoryIsExplainedInTextAndInJson) {
  const FileReport report =
      CheckFile("run.jsonl", ToJsonLines(std::vector{Write("a", 0), Read("b", 10)}), {});
  EXPECT_EQ(report.exit, LincheckExit::kViolation);
  EXPECT_THAT(report.text, HasSubstr("run.jsonl: 2 operations on 1 key: not linearizable\nkey \"k\": "));
  const auto json = nlohmann::json::parse(report.json);
  EXPECT_EQ(json["verdict"], "not linearizable");
  EXPECT_EQ(json["faults"][0]["key"], "k");
  EXPECT_THAT(json["faults"][0]["explanation"].get<std::string>(), HasSubstr("process 2 read -> \"b\""));
}

TEST(Lincheck, WhatCannotBeReadOrDecidedHasNoVerdict) {
  const FileReport broken = CheckFile("run.jsonl", "{", {});
  EXPECT_EQ(broken.exit, LincheckExit::kNoVerdict);
  EXPECT_EQ(broken.text, "run.jsonl: line 1: is not JSON\n");
  const std::string text = ToJsonLine(Write("a", 0));
  EXPECT_EQ(CheckFile("run.jsonl", text, {.configurations_max = 0}).exit, LincheckExit::kNoVerdict);
}

TEST(Lincheck, OfSeveralFilesAViolationCountsBeforeAMissingVerdict) {
  EXPECT_EQ(Worse(LincheckExit::kNoVerdict, LincheckExit::kViolation), LincheckExit::kViolation);
  EXPECT_EQ(Worse(LincheckExit::kViolation, LincheckExit::kNoVerdict), LincheckExit::kViolation);
  EXPECT_EQ(Worse(LincheckExit::kLinearizable, LincheckExit::kNoVerdict), LincheckExit::kNoVerdict);
  EXPECT_EQ(Worse(LincheckExit::kNoVerdict, LincheckExit::kLinearizable), LincheckExit::kNoVerdict);
}

}  // namespace
}  // namespace quorate::testing
