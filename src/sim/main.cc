// quorate-sim: runs the simulated group from many seeds; a failing seed replays exactly.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "sim/simulation.h"

namespace quorate::sim {
namespace {

char g_seed_text[64];  // for a CHECK that fails in the middle of a run

void OnAbort(int) { [[maybe_unused]] auto n = write(STDERR_FILENO, g_seed_text, strlen(g_seed_text)); }

void PrintFailure(const Options& options, const Report& report) {
  std::printf("seed %llu FAILED: %s\n  %s\n", static_cast<unsigned long long>(options.seed),
              report.violation->property.c_str(), report.violation->detail.c_str());
  for (const std::string& line : report.last_lines) std::printf("  %s\n", line.c_str());
  std::printf("replay: quorate-sim --seed %llu\n", static_cast<unsigned long long>(options.seed));
}

struct Seeds {
  std::optional<uint64_t> first;
  uint64_t count = 0;
};

// "200" or "1:1000".
std::optional<Seeds> ParseSeeds(const std::string& text) {
  const auto parse = [](std::string_view part) -> std::optional<uint64_t> {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    return value;
  };
  const size_t colon = text.find(':');
  const auto first = parse(text.substr(0, colon));
  if (!first) return std::nullopt;
  if (colon == std::string::npos) return Seeds{std::nullopt, *first};
  const auto last = parse(text.substr(colon + 1));
  if (!last || *last < *first) return std::nullopt;
  return Seeds{first, *last - *first + 1};
}

struct Totals {
  size_t acknowledged = 0, reads = 0, leaders = 0, crashes = 0, snapshots = 0;
  double simulated = 0;
  void Add(const Report& report) {
    acknowledged += report.acknowledged;
    reads += report.reads;
    leaders += report.leaders;
    crashes += report.crashes;
    snapshots += report.snapshots;
    simulated += std::chrono::duration<double>(report.simulated).count();
  }
};

int RunSeeds(Options options, uint64_t count, bool twice, double seconds_max) {
  signal(SIGABRT, OnAbort);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Totals totals;
  uint64_t done = 0;
  for (; done < count && (seconds_max == 0 || elapsed() < seconds_max); ++done, ++options.seed) {
    std::snprintf(g_seed_text, sizeof g_seed_text, "in seed %llu\n",
                  static_cast<unsigned long long>(options.seed));
    const Report report = Simulate(options);
    if (report.violation) {
      PrintFailure(options, report);
      return 1;
    }
    if (twice && Simulate(options).trace_hash != report.trace_hash) {
      std::printf("seed %llu FAILED: two runs differ\n", static_cast<unsigned long long>(options.seed));
      return 1;
    }
    if (count == 1)
      std::printf("seed %llu: trace %016llx, %llu steps\n", static_cast<unsigned long long>(options.seed),
                  static_cast<unsigned long long>(report.trace_hash),
                  static_cast<unsigned long long>(report.steps));
    totals.Add(report);
  }
  std::printf(
      "%llu seeds passed in %.1f s: %.0f s simulated, %zu writes acknowledged, %zu reads, %zu terms led, "
      "%zu crashes, %zu snapshots installed\n",
      static_cast<unsigned long long>(done), elapsed(), totals.simulated, totals.acknowledged, totals.reads,
      totals.leaders, totals.crashes, totals.snapshots);
  return 0;
}

}  // namespace
}  // namespace quorate::sim

int main(int argc, char** argv) {
  CLI::App app("Simulates a group of three replicas from a seed and checks Raft's properties at every step.");
  std::string seeds = "200";
  uint64_t from = 1, seed = 0;
  bool twice = false;
  double chaos_seconds = 10, seconds_max = 0;
  quorate::sim::Options options;
  app.add_option("--seeds", seeds, "How many seeds, or from which to which, as 1:1000")
      ->capture_default_str()
      ->check(CLI::Validator(
          [](const std::string& text) { return quorate::sim::ParseSeeds(text) ? "" : "not N, nor FROM:TO"; },
          "N|FROM:TO"));
  app.add_option("--from", from, "The first seed")->capture_default_str();
  app.add_option("--seed", seed, "Only this seed");
  app.add_option("--chaos", chaos_seconds, "Simulated seconds of faults in each run")->capture_default_str();
  app.add_option("--steps", options.steps_max, "At most so many steps in each run; 0: no bound");
  app.add_option("--seconds", seconds_max, "Begin no new seed after so many seconds; 0: no bound");
  app.add_flag("--twice", twice, "Run each seed twice and compare the traces");
  app.add_flag("-v,--verbose", options.verbose, "Print the trace");
  CLI11_PARSE(app, argc, argv);
  const auto range = *quorate::sim::ParseSeeds(seeds);
  options.seed = seed != 0 ? seed : range.first.value_or(from);
  options.chaos = std::chrono::duration_cast<quorate::Duration>(std::chrono::duration<double>(chaos_seconds));
  return quorate::sim::RunSeeds(options, seed != 0 ? 1 : range.count, twice, seconds_max);
}
