// Runs the scenarios of tests/scenario/raft: blocks of commands, a line `----`, and what must happen. With
// QUORATE_REWRITE=1 the files are rewritten with what did happen: then read the diff.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "raft/scenario_world.h"

namespace quorate::raft {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(QUORATE_SOURCE_DIR) / "tests/scenario/raft";

std::vector<std::string> ScenarioNames() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

// The file as it would be if all its expectations were what happens.
std::string Play(std::istream& in) {
  scenario::World world;
  std::string out, happened;
  for (std::string line; std::getline(in, line);) {
    out += line + "\n";
    if (line == "----") {
      out += happened.empty() ? "  nothing\n" : happened;
      happened.clear();
      while (std::getline(in, line) && !line.empty()) {
      }
      out += in ? "\n" : "";
    } else if (!line.empty() && line[0] != '#') {
      try {
        happened += world.Run(line);
      } catch (const std::exception& e) {
        happened += "  error: " + std::string(e.what()) + "\n";
      }
    }
  }
  return out;
}

class Scenario : public ::testing::TestWithParam<std::string> {};

TEST_P(Scenario, HappensAsWritten) {
  const std::filesystem::path path = kFolder / (GetParam() + ".txt");
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  const std::string played = Play(written);
  if (std::getenv("QUORATE_REWRITE") != nullptr) {
    std::ofstream(path) << played;
    return;
  }
  EXPECT_EQ(played, written.str());
  EXPECT_EQ(played.find("  error: "), std::string::npos) << "a command was not understood";
}

INSTANTIATE_TEST_SUITE_P(Raft, Scenario, ::testing::ValuesIn(ScenarioNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace quorate::raft
