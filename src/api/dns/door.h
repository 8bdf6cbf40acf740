// The door for DNS messages that are not for the fast path: checks who signed them, and sends each to where
// it is dealt with: UPDATE to the group, NOTIFY to the secondary's part, AXFR and IXFR to the transfers,
// every other query to serve/respond, whose answer is signed.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "api/dns/exchange.h"
#include "api/dns/notify_in.h"
#include "api/xfr/transfer_door.h"
#include "base/bounded_queue.h"
#include "base/read_view.h"
#include "replica/client.h"
#include "serve/respond.h"
#include "zone/view.h"

namespace quorate::api::door {

// All that is pointed to outlives the door.
struct DoorBackend {
  replica::Client* client = nullptr;
  const ViewHub<zone::View>* views = nullptr;
  const Clock* clock = nullptr;
  xfr::TransferDoor* transfers = nullptr;  // null: NOTIMP
  // A NOTIFY that is believed. Any thread; must not block. Null: it is answered and forgotten.
  std::function<void(const Notified&)> on_notify;
  serve::RespondConfig respond;  // for signed queries
};

// Since the start.
struct DoorCounters {
  std::atomic<uint64_t> updates_applied{0};  // answered NOERROR
  std::atomic<uint64_t> updates_refused{0};  // by rule, prerequisite or form: nothing was changed
  std::atomic<uint64_t> updates_failed{0};   // SERVFAIL
  std::atomic<uint64_t> notifies{0}, notifies_refused{0};
  std::atomic<uint64_t> transfers{0};  // handed on
  std::atomic<uint64_t> signed_queries{0};
  std::atomic<uint64_t> bad_key{0}, bad_sig{0}, bad_time{0}, bad_trunc{0}, form_err{0};
  std::atomic<uint64_t> overflow{0};  // SERVFAIL: limits::kDnsDoorRequestsMax were under way
};

// Two threads; whatever waits for the group takes neither of them.
class Door final : public serve::SlowDoor {
 public:
  explicit Door(DoorBackend backend);
  // What is still under way is not answered.
  ~Door() override;

  void Ask(serve::SlowRequest request, Deliver deliver) override;
  const DoorCounters& counters() const { return counters_; }

 private:
  using Task = std::function<void()>;
  using Queue = BoundedQueue<Task>;

  void Run();
  // On one of the threads, soon. After the door is gone: never.
  void Later(Task task) const { (void)queue_->TryPush(std::move(task)); }
  // As Later, for those that may outlive the door.
  std::function<void(Task)> Poster() const;

  void Begin(const ExchangePtr& exchange);
  // A refusal is only given after a look at the newest state, where that can be had: zone, key or rule may
  // have come a moment ago by another replica. True: the request begins anew.
  bool LookAgain(const ExchangePtr& exchange);
  void Dispatch(const ExchangePtr& exchange, const zone::View& view);
  void Update(const ExchangePtr& exchange, const zone::ZoneSet& zones);
  void Propose(const ExchangePtr& exchange, const std::shared_ptr<const wire::Message>& asked,
               const std::string& command, BootTime deadline);
  void AnswerUpdate(const ExchangePtr& exchange, const wire::Message& asked, const Verdict& verdict);
  void Notify(const ExchangePtr& exchange, const zone::ZoneSet& zones);
  void Transfer(const ExchangePtr& exchange, wire::Message asked);
  void Query(const ExchangePtr& exchange);
  void AnswerQuery(const ExchangePtr& exchange, bool may_read);
  serve::RespondConfig RespondConfigNow() const;
  void CountFault(wire::TsigStatus status);

  const DoorBackend backend_;
  DoorCounters counters_;
  const std::shared_ptr<std::atomic<size_t>> open_ = std::make_shared<std::atomic<size_t>>(0);
  const std::shared_ptr<Queue> queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace quorate::api::door
