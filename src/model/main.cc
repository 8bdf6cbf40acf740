// quorate-model: explores the lease model completely within bounds.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "model/explorer.h"
#include "model/lease_model.h"
#include "model/options.h"

namespace quorate::model {
namespace {

std::string BoundsText(const Options& options) {
  const Bounds& b = options.bounds;
  std::string text = std::to_string(b.members) + " members, " + std::to_string(b.terms) + " terms, " +
                     std::to_string(b.writes) + " writes, " + std::to_string(b.messages) +
                     " late messages, " + std::to_string(b.crashes) + " crashes, drift " +
                     std::to_string(b.drift) + ", T " + std::to_string(b.lease) + ", T_wait " +
                     std::to_string(options.Wait());
  if (!b.follower_leases) text += ", no follower leases";
  if (b.plain) text += ", plain";
  if (b.follower_commit) text += ", follower commit";
  if (b.paused_reads) text += ", paused reads";
  if (b.fast_failover) text += ", faster failover";
  return text;
}

Exploration Run(const std::string& name, const Options& options, size_t states_max) {
  std::printf("%s: %s\n", name.c_str(), BoundsText(options).c_str());
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  const LeaseModel model(options);
  Exploration result = Explorer(model, states_max).Run();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("  %llu states, %llu transitions, depth %d, %.1f s, %zu MiB: %s\n",
              static_cast<unsigned long long>(result.states),
              static_cast<unsigned long long>(result.transitions), result.depth, seconds, result.bytes >> 20,
              result.violated   ? ("VIOLATED " + *result.violated).c_str()
              : result.complete ? "complete, no property violated"
                                : "NOT complete: too many states");
  std::fflush(stdout);
  return result;
}

void PrintTrace(const Exploration& result) {
  for (size_t i = 0; i < result.trace.size(); ++i)
    std::printf("%3zu  %s\n%s", i, result.trace[i].action.c_str(), result.trace[i].state.c_str());
}

void List() {
  std::printf("Properties:\n");
  for (int i = 1; i < kProperties; ++i)
    std::printf("  %-24s %s\n", NameOf(static_cast<Property>(i)), MeaningOf(static_cast<Property>(i)));
  std::printf("Mutants:\n");
  for (const MutantInfo& info : Mutants())
    std::printf("  %-24s %s (violates %s)\n", info.name, info.fault, NameOf(info.expected));
  std::printf("Configurations:\n");
  for (const auto* set : {&DefaultConfigurations(), &FullConfigurations()}) {
    for (const Configuration& c : *set) std::printf("  %-24s %s\n", c.name, BoundsText({c.bounds}).c_str());
  }
}

bool RunClean(const std::vector<Configuration>& configurations, size_t states_max) {
  bool clean = true;
  for (const Configuration& c : configurations) {
    const Exploration result = Run(c.name, {c.bounds}, states_max);
    PrintTrace(result);
    clean &= result.complete && !result.violated;
  }
  return clean;
}

bool RunMutant(const MutantInfo& info, const Bounds& bounds, bool trace, size_t states_max) {
  const Exploration result = Run(info.name, {bounds, info.mutant, VisibleProperties()}, states_max);
  if (trace) PrintTrace(result);
  return result.violated == std::string(NameOf(info.expected));
}

bool RunMutants(size_t states_max) {
  bool caught = true;
  for (const MutantInfo& info : Mutants()) caught &= RunMutant(info, info.bounds, false, states_max);
  return caught;
}

struct Arguments {
  Bounds bounds;
  std::string mutant;
  bool list = false, full = false, no_mutants = false, own_bounds = false;
  size_t states_max = 400'000'000;
};

int Main(const Arguments& arguments) {
  if (arguments.list) return List(), 0;
  if (!arguments.mutant.empty()) {
    const MutantInfo* info = FindMutant(arguments.mutant);
    const Bounds& bounds = arguments.own_bounds ? arguments.bounds : info->bounds;
    return RunMutant(*info, bounds, true, arguments.states_max) ? 0 : 1;
  }
  bool good;
  if (arguments.own_bounds) {
    good = RunClean({{"as asked", arguments.bounds, 0}}, arguments.states_max);
  } else {
    good = RunClean(arguments.full ? FullConfigurations() : DefaultConfigurations(), arguments.states_max);
    if (!arguments.full) good &= RunMutants(arguments.states_max);
  }
  std::printf("%s\n", good ? "as expected" : "NOT as expected");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace quorate::model

int main(int argc, char** argv) {
  using quorate::model::FindMutant;
  CLI::App app(
      "Explores every state of the model of elections and read leases within bounds, and checks its "
      "properties.\n"
      "Without options: the default configurations, which must be clean, and every mutant, which must be "
      "caught.");
  app.footer(
      "Examples:\n"
      "  quorate-model                                  what CI runs\n"
      "  quorate-model --full                           larger bounds, some minutes\n"
      "  quorate-model --mutant no-floor                the shortest way to a stale read without the floor\n"
      "  quorate-model --terms 2 --writes 1 --crashes 1 bounds of one's own\n"
      "Exits with 0 if all is as expected: clean without a mutant, the named property violated with one.");
  quorate::model::Arguments arguments;
  auto& bounds = arguments.bounds;
  auto* own = app.add_option_group("bounds");
  own->add_option("--members", bounds.members, "Members; two are a quorum")
      ->check(CLI::Range(2, 3))
      ->capture_default_str();
  own->add_option("--terms", bounds.terms, "The highest term")
      ->check(CLI::Range(1, 3))
      ->capture_default_str();
  own->add_option("--writes", bounds.writes, "Writes proposed")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  own->add_option("--crashes", bounds.crashes, "Crashes in all, each with a restart")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  own->add_option("--messages", bounds.messages, "Messages late at once")
      ->check(CLI::Range(0, 4))
      ->capture_default_str();
  own->add_option("--lease", bounds.lease, "T in ticks")->check(CLI::Range(1, 8))->capture_default_str();
  own->add_option("--drift", bounds.drift, "Ticks each clock may skip or gain in all")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  own->add_flag("--no-follower-leases{false}", bounds.follower_leases, "Only leaders have leases");
  own->add_flag("--plain", bounds.plain, "Every message late, lost or at once, without dominance arguments");
  own->add_flag("--follower-commit", bounds.follower_commit,
                "Followers learn the commit index by messages only");
  own->add_flag("--paused-reads", bounds.paused_reads,
                "A reader that sleeps between check, capture and answer");
  own->add_flag("--fast-failover", bounds.fast_failover, "T_wait runs from the voters' last answers");
  app.add_option("--mutant", arguments.mutant, "Explore this fault and print the counterexample")
      ->check(CLI::Validator(
          [](const std::string& name) { return FindMutant(name) ? "" : "no such mutant: --list"; }, "NAME"));
  app.add_flag("--full", arguments.full, "The larger configurations");
  app.add_flag("--list", arguments.list, "Print the properties, the mutants and the configurations");
  app.add_option("--states-max", arguments.states_max, "Give up beyond so many states")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  arguments.own_bounds = own->count_all() > 0;
  return quorate::model::Main(arguments);
}
