#include "api/etcd/call.h"

#include <algorithm>

#include "api/etcd/errors.h"
#include "base/consistency.h"
#include "base/limits.h"
#include "base/overloaded.h"

namespace quorate::api::etcd {
namespace {

constexpr auto kHeaderMaxAge = std::chrono::milliseconds(100);

grpc::Status Malformed(const char* what) {
  return {grpc::StatusCode::INVALID_ARGUMENT, std::string("etcdserver: ") + what};
}

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

void Call::FinishWrite(const grpc::Status& status, const char* outcome) {
  context_->AddTrailingMetadata("quorate-outcome", outcome);
  Finish(status);
}

std::string Call::Metadata(const char* name) const {
  const auto& metadata = context_->client_metadata();
  const auto it = metadata.find(name);
  return it == metadata.end() ? "" : std::string(it->second.data(), it->second.size());
}

grpc::Status Call::SetOnce(rsm::Command& command) const {
  command.idempotency_key = Metadata("quorate-idempotency-key");
  if (command.idempotency_key.size() > rsm::kIdempotencyKeyMax)
    return Malformed("quorate-idempotency-key has more than 64 bytes");
  const std::string session = Metadata("quorate-session");
  if (session.empty()) return grpc::Status::OK;
  if (!command.idempotency_key.empty()) return Malformed("a session does not go with an idempotency key");
  command.session = rsm::ParseSessionRequest(session);
  if (!command.session)
    return Malformed("quorate-session is not <id>:<sequence>, or that and ;oldest=<sequence>");
  return grpc::Status::OK;
}

namespace {

struct Conclusion {
  grpc::Status status;
  const char* outcome;
};

Conclusion Conclude(const replica::ProposeOutcome& outcome,
                    const std::function<void(rsm::CommandResult)>& answer) {
  const auto decided = [&](const replica::Decided& d) -> Conclusion {
    std::optional<rsm::CommandResult> result = rsm::DecodeResult(d.outcome);
    if (!result) return {{grpc::StatusCode::INTERNAL, "etcdserver: the outcome does not decode"}, "unknown"};
    if (result->refused == rsm::Refused::kUnknown) return {ToStatus(*result), "unknown"};
    if (result->refused != rsm::Refused::kNot) return {ToStatus(*result), "refused"};
    answer(*std::move(result));
    return {grpc::Status::OK, "applied"};
  };
  return std::visit(Overloaded{decided,
                               [](const replica::NotProposed& r) -> Conclusion {
                                 return {ToStatus(r.why), "refused"};
                               },
                               [](const replica::OutcomeUnknown&) -> Conclusion {
                                 return {TimedOut(), "unknown"};
                               }},
                    outcome);
}

}  // namespace

void Propose(std::shared_ptr<Call> call, decltype(rsm::Command::body) body,
             std::function<void(rsm::CommandResult)> answer) {
  rsm::Command command{.origin = "etcd " + call->context_->peer(), .body = std::move(body)};
  if (const grpc::Status status = call->SetOnce(command); !status.ok())
    return call->FinishWrite(status, "refused");
  std::string bytes = rsm::EncodeCommand(command);
  if (bytes.size() > limits::kEtcdRequestBytesMax) return call->FinishWrite(RequestTooLarge(), "refused");

  const Duration time_left = call->TimeLeft();
  replica::Client& client = *call->door().backend.client;
  const auto conclude = [call, answer = std::move(answer)](const replica::ProposeOutcome& outcome) {
    const Conclusion conclusion = Conclude(outcome, answer);
    call->FinishWrite(conclusion.status, conclusion.outcome);
  };
  client.Propose(std::move(bytes), time_left,
                 [&pool = call->door().pool, conclude](replica::ProposeOutcome outcome) {
                   pool.Post([conclude, outcome = std::move(outcome)] { conclude(outcome); });
                 });
}

void AfterRead(std::shared_ptr<Call> call, bool serializable, std::function<grpc::Status()> answer) {
  WorkPool& pool = call->door().pool;
  const std::string text = call->Metadata("quorate-consistency");
  auto consistency = text.empty() ? Consistency() : ParseConsistency(text);
  if (!consistency)
    return call->Finish(Malformed("quorate-consistency is not linearizable, bounded=<seconds>s or local"));
  if (serializable) consistency->kind = Consistency::Kind::kLocal;
  const Duration time_left = call->TimeLeft();
  replica::Client& client = *call->door().backend.client;
  client.Read(
      *consistency, time_left,
      [&pool, call = std::move(call), answer = std::move(answer)](const absl::Status& status) {
        pool.Post([call, answer, status] { call->Finish(status.ok() ? answer() : ToStatus(status)); });
      });
}

}  // namespace quorate::api::etcd
