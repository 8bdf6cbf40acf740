// The Oracle behind its HTTP door: one request at a time, stored before it is answered.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "oracle/plan.h"
#include "oracle/state_file.h"

namespace quorate::oracle {

struct Reply {
  int status = 200;
  std::string body;        // JSON
  std::string allow = {};  // the methods that the path takes, with 405
};

class Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Open(const std::string& state_dir);

  // Any thread. Blocks for the disk when the state changes. `path` is without query.
  Reply Handle(std::string_view method, std::string_view path, std::string_view body);

 private:
  Service(StateFile file, Deployment deployment)
      : file_(std::move(file)), deployment_(std::move(deployment)) {}
  Reply Init(std::string_view body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Reply RegisterReplica(std::string_view body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Reply GetEnv(std::string_view body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Reply GetStatus(std::string_view) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Keep(Deployment after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  const StateFile file_;
  Deployment deployment_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quorate::oracle
