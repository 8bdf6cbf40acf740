#include "sim/jobs.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <new>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/sim_hooks.h"

namespace quorate::sim {
namespace {

using SteadyClock = std::chrono::steady_clock;

// What all workers know: no seed above a failing one is of interest.
class LowestFailure {
 public:
  LowestFailure() {
    void* page = mmap(nullptr, sizeof(std::atomic<uint64_t>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    seed_ = new (page) std::atomic<uint64_t>(UINT64_MAX);
  }
  ~LowestFailure() { munmap(seed_, sizeof *seed_); }
  LowestFailure(const LowestFailure&) = delete;

  void Note(uint64_t seed) {
    uint64_t lowest = seed_->load();
    while (seed < lowest && !seed_->compare_exchange_weak(lowest, seed)) {
    }
  }
  bool Before(uint64_t seed) const { return seed_->load() < seed; }

 private:
  std::atomic<uint64_t>* seed_;
};

// A worker tells in lines; a text has its length before it, since it may have lines of its own.
class Teller {
 public:
  explicit Teller(FILE* file) : file_(file) {}
  void Begin(uint64_t seed) { Line("begin ", seed); }
  void Done(const Report& report) {
    Line("done ", report.acknowledged, " ", report.reads, " ", report.leaders, " ", report.crashes, " ",
         report.snapshots, " ", report.simulated.count());
  }
  void Other(const std::string& property) { Line("other ", property); }
  void Fail(const Failure& failure) {
    Line("fail ", failure.seed, " ", failure.property.size(), " ", failure.text.size());
    Line(failure.property, failure.text);
  }
  void Probe(std::string_view name, uint64_t count) { Line("probe ", count, " ", std::string(name)); }

 private:
  template <class... Parts>
  void Line(const Parts&... parts) {
    const std::string line = absl::StrCat(parts..., "\n");
    std::fwrite(line.data(), 1, line.size(), file_);
    std::fflush(file_);
  }
  FILE* file_;
};

class Worker {
 public:
  Worker(const Options& options, const SeedsToRun& seeds, LowestFailure& lowest, FILE* out)
      : options_(options), seeds_(seeds), lowest_(lowest), out_(out) {}

  // Every seeds.jobs-th, from first + offset on.
  void Run(uint64_t offset) {
    sim_hooks::ForgetProbes();
    const auto start = SteadyClock::now();
    for (uint64_t i = offset; i < seeds_.count; i += seeds_.jobs) {
      const std::chrono::duration<double> elapsed = SteadyClock::now() - start;
      if (seeds_.seconds_max > 0 && elapsed.count() > seeds_.seconds_max) break;
      if (lowest_.Before(seeds_.first + i)) break;
      if (!RunOne(seeds_.first + i)) break;
    }
    sim_hooks::ForEachProbe([](std::string_view name, unsigned long long count,
                               void* self) { static_cast<Worker*>(self)->out_.Probe(name, count); },
                            this);
  }

 private:
  bool RunOne(uint64_t seed) {
    out_.Begin(seed);
    options_.seed = seed;
    const Report report = Simulate(options_);
    out_.Done(report);
    if (report.violation) return !Counts(report, *report.violation);
    if (!seeds_.twice || Simulate(options_).trace_hash == report.trace_hash) return true;
    return !Counts(report, {"determinism", "two runs differ"});
  }

  bool Counts(const Report& report, const Violation& violation) {
    const auto& wanted = seeds_.properties;
    if (!wanted.empty() && std::ranges::find(wanted, violation.property) == wanted.end()) {
      out_.Other(violation.property);
      return false;
    }
    lowest_.Note(options_.seed);
    out_.Fail({options_.seed, violation.property,
               absl::StrCat("  ", violation.detail, "\n  ", absl::StrJoin(report.last_lines, "\n  "))});
    return true;
  }

  Options options_;
  const SeedsToRun& seeds_;
  LowestFailure& lowest_;
  Teller out_;
};

std::string ReadAll(FILE* file) {
  std::string text;
  std::rewind(file);
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  return text;
}

// What a worker told, into the sums. `died`: with what it said before, if it ended in the middle of a seed.
class Listener {
 public:
  explicit Listener(RunResult& result) : result_(result) {}

  void Hear(const std::string& text, const std::optional<std::string>& died) {
    std::istringstream in(text);
    uint64_t under_way = 0;
    for (std::string word; in >> word;) {
      if (word == "begin") in >> under_way;
      if (word == "done") AddTotals(in), under_way = 0;
      if (word == "fail") Take(ReadFailure(in));
      if (word == "other") ++result_.other_violations[RestOfLine(in)];
      if (word == "probe") AddProbe(in);
    }
    if (died) Take({under_way, kCheckFailed, *died});
  }

 private:
  static std::string RestOfLine(std::istream& in) {
    std::string line;
    std::getline(in >> std::ws, line);
    return line;
  }
  void AddTotals(std::istream& in) {
    uint64_t acknowledged = 0, reads = 0, leaders = 0, crashes = 0, snapshots = 0;
    int64_t simulated = 0;
    in >> acknowledged >> reads >> leaders >> crashes >> snapshots >> simulated;
    ++result_.seeds;
    result_.acknowledged += acknowledged, result_.reads += reads, result_.leaders += leaders;
    result_.crashes += crashes, result_.snapshots += snapshots, result_.simulated += Duration(simulated);
  }
  static Failure ReadFailure(std::istream& in) {
    Failure failure;
    size_t property = 0, text = 0;
    in >> failure.seed >> property >> text;
    in.get();
    failure.property.resize(property);
    failure.text.resize(text);
    in.read(failure.property.data(), static_cast<std::streamsize>(property));
    in.read(failure.text.data(), static_cast<std::streamsize>(text));
    return failure;
  }
  void AddProbe(std::istream& in) {
    uint64_t count = 0;
    in >> count;
    result_.probes[RestOfLine(in)] += count;
  }
  void Take(Failure failure) {
    if (!result_.failure || failure.seed < result_.failure->seed) result_.failure = std::move(failure);
  }
  RunResult& result_;
};

struct Child {
  pid_t pid = 0;
  FILE *told = nullptr, *errors = nullptr;
};

Child StartWorker(const Options& options, const SeedsToRun& seeds, LowestFailure& lowest, uint64_t offset) {
  Child child{.told = std::tmpfile(), .errors = std::tmpfile()};
  CHECK(child.told && child.errors);
  std::fflush(nullptr);
  child.pid = fork();
  CHECK_GE(child.pid, 0);
  if (child.pid != 0) return child;
  dup2(fileno(child.errors), STDERR_FILENO);
  Worker(options, seeds, lowest, child.told).Run(offset);
  std::fflush(nullptr);
  _exit(0);
}

}  // namespace

RunResult RunSeeds(const Options& options, const SeedsToRun& seeds) {
  RunResult result;
  LowestFailure lowest;
  std::vector<Child> children;
  for (uint64_t offset = 0; offset < seeds.jobs; ++offset)
    children.push_back(StartWorker(options, seeds, lowest, offset));
  for (const Child& child : children) {
    int status = 0;
    CHECK_EQ(waitpid(child.pid, &status, 0), child.pid);
    const bool died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    const std::string errors = ReadAll(child.errors);
    Listener(result).Hear(ReadAll(child.told), died ? std::optional("  " + errors) : std::nullopt);
    std::fclose(child.told);
    std::fclose(child.errors);
  }
  return result;
}

}  // namespace quorate::sim
