// quorate-sim: runs the simulated group from many seeds; a failing seed replays exactly.
#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "base/sim_hooks.h"
#include "sim/jobs.h"
#include "sim/mutants.h"
#include "sim/probes.h"
#include "sim/shape.h"
#include "testing/history.h"

namespace quorate::sim {
namespace {

using ull = unsigned long long;

struct CommandLine {
  std::string seeds = "200", shape, history, mutant, profile;
  uint64_t from = 1, seed = 0;
  unsigned jobs = 1;
  double chaos_seconds = 0, seconds_max = 0;
  uint64_t steps_max = 0;
  bool twice = false, verbose = false, mutants = false, probes = false, require_probes = false;
};

struct SeedRange {
  std::optional<uint64_t> first;
  uint64_t count = 0;
};

// "200" or "1:1000".
std::optional<SeedRange> ParseSeeds(const std::string& text) {
  const auto parse = [](std::string_view part) -> std::optional<uint64_t> {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    return value;
  };
  const size_t colon = text.find(':');
  const auto first = parse(text.substr(0, colon));
  if (!first) return std::nullopt;
  if (colon == std::string::npos) return SeedRange{std::nullopt, *first};
  const auto last = parse(text.substr(colon + 1));
  if (!last || *last < *first) return std::nullopt;
  return SeedRange{first, *last - *first + 1};
}

std::string Replay(const Options& options, uint64_t seed) {
  std::string command = "quorate-sim --seed " + std::to_string(seed);
  if (options.shape) command += " --shape " + std::string(ShapeName(*options.shape));
  if (!options.mutant.empty()) command += " --mutant " + options.mutant;
  if (options.chaos)
    command += " --chaos " + std::to_string(std::chrono::duration<double>(*options.chaos).count());
  return command;
}

void PrintFailure(const Options& options, const Failure& failure) {
  std::printf("seed %llu FAILED: %s\n%s\nreplay: %s\n", static_cast<ull>(failure.seed),
              failure.property.c_str(), failure.text.c_str(), Replay(options, failure.seed).c_str());
}

void PrintTotals(const RunResult& result, double seconds) {
  std::printf(
      "%llu seeds passed in %.1f s: %.0f s simulated, %llu writes acknowledged, %llu reads, %llu terms led, "
      "%llu crashes, %llu snapshots installed\n",
      static_cast<ull>(result.seeds), seconds, std::chrono::duration<double>(result.simulated).count(),
      static_cast<ull>(result.acknowledged), static_cast<ull>(result.reads), static_cast<ull>(result.leaders),
      static_cast<ull>(result.crashes), static_cast<ull>(result.snapshots));
}

void PrintProbes(const RunResult& result) {
  for (const auto& [name, count] : result.probes)
    std::printf("probe %-60s %llu\n", name.c_str(), static_cast<ull>(count));
}

bool RequireProbes(const RunResult& result) {
  bool all = true;
  for (const std::string_view name : RequiredProbes()) {
    if (result.probes.contains(std::string(name))) continue;
    std::printf("FAILED: the probe %s was never hit\n", std::string(name).c_str());
    all = false;
  }
  return all;
}

// In this process, so that a debugger sees it.
int RunOne(const Options& options, const CommandLine& line) {
  const Report report = Simulate(options);
  if (!line.history.empty()) std::ofstream(line.history) << testing::ToJsonLines(report.history);
  if (line.probes)
    sim_hooks::ForEachProbe(
        [](std::string_view name, ull count, void*) {
          std::printf("probe %-60s %llu\n", std::string(name).c_str(), count);
        },
        nullptr);
  if (report.violation) {
    std::string text = "  " + report.violation->detail;
    for (const std::string& last : report.last_lines) text += "\n  " + last;
    PrintFailure(options, {options.seed, report.violation->property, text});
    return 1;
  }
  if (line.twice && Simulate(options).trace_hash != report.trace_hash) {
    std::printf("seed %llu FAILED: two runs differ\n", static_cast<ull>(options.seed));
    return 1;
  }
  std::printf("seed %llu: trace %016llx, %llu steps, %zu operations checked\n",
              static_cast<ull>(options.seed), static_cast<ull>(report.trace_hash),
              static_cast<ull>(report.steps), report.history.size());
  return 0;
}

int RunMany(const Options& options, const CommandLine& line, const SeedsToRun& seeds) {
  const auto start = std::chrono::steady_clock::now();
  const RunResult result = RunSeeds(options, seeds);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (line.probes || line.require_probes) PrintProbes(result);
  if (result.failure) {
    PrintFailure(options, *result.failure);
    return 1;
  }
  PrintTotals(result, elapsed.count());
  return line.require_probes && !RequireProbes(result) ? 1 : 0;
}

// A row of the table in docs/testing.md.
bool RunMutant(Options options, const Mutant& mutant, SeedsToRun seeds) {
  options.mutant = mutant.name;
  options.profile = mutant.profile;
  seeds.properties = mutant.properties;
  const RunResult result = RunSeeds(options, seeds);
  const std::string name(mutant.name), what(mutant.what);
  if (result.failure) {
    std::printf("| `%s` | %s | %llu | %s |\n", name.c_str(), what.c_str(),
                static_cast<ull>(result.failure->seed), result.failure->property.c_str());
  } else {
    std::printf("| `%s` | %s | **not caught in %llu seeds** |", name.c_str(), what.c_str(),
                static_cast<ull>(seeds.count));
    for (const auto& [property, count] : result.other_violations)
      std::printf(" %s x%llu", property.c_str(), static_cast<ull>(count));
    std::printf(" |\n");
  }
  std::fflush(stdout);
  return result.failure.has_value();
}

int RunMutants(const Options& options, SeedsToRun seeds) {
  seeds.first = 1;
  seeds.count = kMutantSeeds;
  size_t missed = 0;
  std::printf("| mutant | what is broken | caught by seed | as a violation of |\n|---|---|---|---|\n");
  for (const Mutant& mutant : Mutants()) missed += !RunMutant(options, mutant, seeds);
  std::printf("\n%zu mutants, %zu caught\n", Mutants().size(), Mutants().size() - missed);
  return missed == 0 ? 0 : 1;
}

void AddOptions(CLI::App& app, CommandLine& line) {
  app.add_option("--seeds", line.seeds, "How many seeds, or from which to which, as 1:1000")
      ->capture_default_str()
      ->check(CLI::Validator(
          [](const std::string& text) { return ParseSeeds(text) ? "" : "not N, nor FROM:TO"; }, "N|FROM:TO"));
  app.add_option("--from", line.from, "The first seed")->capture_default_str();
  app.add_option("--seed", line.seed, "Only this seed");
  app.add_option("--jobs", line.jobs, "So many processes")->capture_default_str()->check(CLI::Range(1, 256));
  app.add_option("--shape", line.shape, "lan3, lan5, lan3+1 (a learner) or wan5; else each seed draws one")
      ->check(CLI::IsMember({"lan3", "lan5", "lan3+1", "wan5"}));
  app.add_option("--chaos", line.chaos_seconds,
                 "Simulated seconds of faults in each run; 0: as the shape has it");
  app.add_option("--steps", line.steps_max, "At most so many steps in each run; 0: no bound");
  app.add_option("--seconds", line.seconds_max, "Begin no new seed after so many seconds; 0: no bound");
  app.add_option("--history", line.history,
                 "With --seed: write what clients saw to this file, as JSON lines");
  app.add_option("--mutant", line.mutant, "With this deliberate bug, and its profile");
  app.add_option("--profile", line.profile, "The profile of this mutant, without its bug");
  app.add_flag("--mutants", line.mutants, "Every deliberate bug in turn: each must be caught");
  app.add_flag("--probes", line.probes, "Print how often each rare path was taken");
  app.add_flag("--require-probes", line.require_probes, "Fail if a listed one was never");
  app.add_flag("--twice", line.twice, "Run each seed twice and compare the traces");
  app.add_flag("-v,--verbose", line.verbose, "Print the trace");
}

int Main(const CommandLine& line) {
  Options options{.steps_max = line.steps_max, .mutant = line.mutant, .verbose = line.verbose};
  if (!line.shape.empty()) options.shape = ParseShape(line.shape);
  if (line.chaos_seconds > 0)
    options.chaos = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(line.chaos_seconds));
  if (const std::string& name = line.mutant.empty() ? line.profile : line.mutant; !name.empty()) {
    const Mutant* mutant = FindMutant(name);
    if (!mutant) return std::fprintf(stderr, "there is no mutant %s\n", name.c_str()), 2;
    options.profile = mutant->profile;
  }
  const SeedRange range = *ParseSeeds(line.seeds);
  const SeedsToRun seeds{.first = range.first.value_or(line.from),
                         .count = range.count,
                         .jobs = line.jobs,
                         .twice = line.twice,
                         .seconds_max = line.seconds_max};
  if (line.mutants) return RunMutants(options, seeds);
  options.seed = line.seed;
  return line.seed != 0 ? RunOne(options, line) : RunMany(options, line, seeds);
}

}  // namespace
}  // namespace quorate::sim

int main(int argc, char** argv) {
  CLI::App app("Simulates a group of replicas from a seed and checks Raft's and the clients' properties.");
  quorate::sim::CommandLine line;
  quorate::sim::AddOptions(app, line);
  CLI11_PARSE(app, argc, argv);
  return quorate::sim::Main(line);
}
