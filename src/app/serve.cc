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

}  // namespace

absl::Status RunServe(ServeOptions options) {
  RETURN_IF_ERROR(LoadConfigFile(options));
  RETURN_IF_ERROR(Validate(options));
  setenv("GRPC_VERBOSITY", "NONE", 0);  // what it would print comes back as an error, and is said once, by us
  Signals signals;                      // before any thread, so that all of them leave the signals to it
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(options, signals.token());
  if (!process.ok()) {
    TakeCareOf(options.data_dir, process.status());
    return signals.token().stop_requested() ? absl::OkStatus() : process.status();
  }
  fmt::print("quorate: {}\n", (*process)->Describe());
  std::fflush(stdout);
  WaitFor(signals.token());
  fmt::print("quorate: stopping\n");
  std::fflush(stdout);
  return absl::OkStatus();
}

}  // namespace quorate::app
