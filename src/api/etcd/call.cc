#include "api/etcd/call.h"

#include <algorithm>

#include "api/etcd/errors.h"
#include "base/limits.h"
#include "base/overloaded.h"

namespace quorate::api::etcd {
namespace {

constexpr auto kHeaderMaxAge = std::chrono::milliseconds(100);
constexpr const char* kSessionMetadata = "quorate-session";

}  // namespace

WorkPool::WorkPool(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

void WorkPool::Post(std::function<void()> job) {
  {
    std::lock_guard lock(mu_);
    if (stopped_) return;
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

void WorkPool::Stop() {
  std::deque<std::function<void()>> dropped;
  {
    std::lock_guard lock(mu_);
    stopped_ = true;
    dropped.swap(jobs_);
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkPool::Run() {
  std::unique_lock lock(mu_);
  for (;;) {
    ready_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it held goes before the lock is taken again
    lock.lock();
  }
}

HeaderCache::Ids HeaderCache::Get() {
  std::lock_guard lock(mu_);
  const auto now = std::chrono::steady_clock::now();
  if (!read_at_ || now - *read_at_ > kHeaderMaxAge) {
    const replica::GroupStatus status = client_.Status();
    ids_ = {status.group.value, status.raft.self.value, status.raft.hard_state.current_term.value};
    read_at_ = now;
  }
  return ids_;
}

Door::Door(EtcdBackend b, EtcdOptions o)
    : backend(std::move(b)),
      options(std::move(o)),
      header(*backend.client),
      pool(std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 8)) {}

void Door::FillHeader(etcdserverpb::ResponseHeader& out) {
  const HeaderCache::Ids ids = header.Get();
  out.set_cluster_id(ids.cluster);
  out.set_member_id(ids.member);
  out.set_raft_term(ids.term);
}

std::shared_ptr<Call> Call::Begin(Door& door, grpc::CallbackServerContext* context,
                                  grpc::ServerUnaryReactor* reactor) {
  auto call = std::make_shared<Call>(door, context, reactor);
  if (door.calls.fetch_add(1, std::memory_order_relaxed) >= limits::kEtcdCallsMax) {
    call->Finish(TooManyRequests());
    return nullptr;
  }
  return call;
}

Call::~Call() {
  if (!finished_) Finish(Stopped());
}

void Call::Finish(const grpc::Status& status) {
  finished_ = true;
  // Before the answer: from then on the door may be gone, while some closure still holds this.
  door_.calls.fetch_sub(1, std::memory_order_relaxed);
  reactor_->Finish(status);
}

Duration Call::TimeLeft() const {
  const auto asked = context_->deadline() - std::chrono::system_clock::now();
  return std::clamp<Duration>(asked, std::chrono::milliseconds(1), door_.options.request_timeout);
}

std::string Call::Session() const {
  const auto& metadata = context_->client_metadata();
  const auto it = metadata.find(kSessionMetadata);
  return it == metadata.end() ? "" : std::string(it->second.data(), it->second.size());
}

void Propose(std::shared_ptr<Call> call, decltype(rsm::Command::body) body,
             std::function<void(rsm::CommandResult)> answer) {
  rsm::Command command{.idempotency_key = call->Session(),
                       .origin = "etcd " + call->context_->peer(),
                       .body = std::move(body)};
  if (command.idempotency_key.size() > rsm::kIdempotencyKeyMax) {
    return call->Finish(
        {grpc::StatusCode::INVALID_ARGUMENT, "etcdserver: quorate-session has more than 64 bytes"});
  }
  std::string bytes = rsm::EncodeCommand(command);
  if (bytes.size() > limits::kEtcdRequestBytesMax) return call->Finish(RequestTooLarge());

  const Duration time_left = call->TimeLeft();
  replica::Client& client = *call->door().backend.client;
  const auto conclude = [call, answer = std::move(answer)](const replica::ProposeOutcome& outcome) {
    const auto decided = [&](const replica::Decided& d) -> grpc::Status {
      std::optional<rsm::CommandResult> result = rsm::DecodeResult(d.outcome);
      if (!result) return {grpc::StatusCode::INTERNAL, "etcdserver: the outcome does not decode"};
      if (result->refused != rsm::Refused::kNot) return ToStatus(*result);
      answer(*std::move(result));
      return grpc::Status::OK;
    };
    call->Finish(std::visit(Overloaded{decided, [](const replica::NotProposed& r) { return ToStatus(r.why); },
                                       [](const replica::OutcomeUnknown&) { return TimedOut(); }},
                            outcome));
  };
  client.Propose(std::move(bytes), time_left,
                 [&pool = call->door().pool, conclude](replica::ProposeOutcome outcome) {
                   pool.Post([conclude, outcome = std::move(outcome)] { conclude(outcome); });
                 });
}

void AfterRead(std::shared_ptr<Call> call, bool serializable, std::function<grpc::Status()> answer) {
  WorkPool& pool = call->door().pool;
  if (serializable) {
    return pool.Post([call = std::move(call), answer = std::move(answer)] { call->Finish(answer()); });
  }
  const Duration time_left = call->TimeLeft();
  replica::Client& client = *call->door().backend.client;
  client.Read(
      time_left, [&pool, call = std::move(call), answer = std::move(answer)](const absl::Status& status) {
        pool.Post([call, answer, status] { call->Finish(status.ok() ? answer() : ToStatus(status)); });
      });
}

}  // namespace quorate::api::etcd
