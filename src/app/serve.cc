#include "app/serve.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/disk_faults.h"
#include "app/process.h"
#include "base/status_macros.h"

namespace quorate::app {
namespace {

// SIGTERM and SIGINT are taken by one thread; the second one ends the process at once.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
    thread_ = std::thread([this] { Run(); });
  }
  ~Signals() {
    done_ = true;
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }
  std::stop_token token() const { return stop_.get_token(); }
  void RequestStop() { stop_.request_stop(); }

 private:
  void Run() {
    int signal = 0;
    for (sigwait(&set_, &signal); !done_; sigwait(&set_, &signal)) {
      if (!stop_.request_stop()) _exit(128 + signal);
    }
  }

  sigset_t set_{};
  std::stop_source stop_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

void WaitFor(std::stop_token stop) {
  std::mutex mu;
  std::condition_variable_any stopped;
  std::unique_lock lock(mu);
  stopped.wait(lock, stop, [] { return false; });
}

absl::Status Stranger(const ServeOptions& options) {
  return absl::PermissionDeniedError(fmt::format(
      "turned away: the group knows this member by another data directory than {}: one that was emptied or "
      "made anew may "
      "have "
      "forgotten what it acknowledged, and does not take part. Give the old directory back, or make it a new "
      "member: quorate member replace",
      options.data_dir));
}

absl::Status TooOld(const ServeOptions& options) {
  return absl::FailedPreconditionError(fmt::format(
      "the group's feature level has risen above {}, which is all that this program can do: start a newer "
      "program, or without --feature-level",
      options.feature_level));
}

absl::Status AfterDismissal(raft::Dismissal why, const ServeOptions& options) {
  switch (why) {
    case raft::Dismissal::kStranger:
      return Stranger(options);
    case raft::Dismissal::kTooOld:
      return TooOld(options);
    case raft::Dismissal::kRemoved:
      break;
  }
  fmt::print("quorate: this replica was removed from its group; nothing needs {} any more\n",
             options.data_dir);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunServe(ServeOptions options) {
  RETURN_IF_ERROR(LoadConfigFile(options));
  RETURN_IF_ERROR(Validate(options));
  setenv("GRPC_VERBOSITY", "NONE", 0);  // what it would print comes back as an error, and is said once, by us
  Signals signals;                      // before any thread, so that all of them leave the signals to it
  std::atomic<bool> dismissed = false;
  std::atomic<raft::Dismissal> why;
  const auto on_dismissed = [&](raft::Dismissal reason) {
    why = reason;
    dismissed = true;
    signals.RequestStop();
  };
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(options, signals.token(), on_dismissed);
  if (!process.ok() && !dismissed) {
    TakeCareOf(options.data_dir, process.status());
    return signals.token().stop_requested() ? absl::OkStatus() : process.status();
  }
  if (process.ok()) {
    fmt::print("quorate: {}\n", (*process)->Describe());
    std::fflush(stdout);
    WaitFor(signals.token());
    fmt::print("quorate: stopping\n");
    std::fflush(stdout);
    process->reset();
  }
  return dismissed ? AfterDismissal(why, options) : absl::OkStatus();
}

}  // namespace quorate::app
