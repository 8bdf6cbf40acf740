#include "serve/slow_mailbox.h"

#include <atomic>

namespace quorate::serve {

class SlowMailbox::Ticket {
 public:
  Ticket(std::shared_ptr<SlowMailbox> mailbox, const SlowReturn& to)
      : mailbox_(std::move(mailbox)), to_(to) {}
  ~Ticket() { Deliver(nullptr); }
  Ticket(const Ticket&) = delete;

  void Deliver(std::unique_ptr<MessageSource> source) {
    if (!done_.exchange(true)) mailbox_->Post({to_, std::move(source)});
  }

 private:
  const std::shared_ptr<SlowMailbox> mailbox_;  // outlives its worker while somebody may still write to it
  const SlowReturn to_;
  std::atomic<bool> done_{false};
};

void SlowMailbox::Ask(SlowDoor& door, SlowRequest request, const SlowReturn& to) {
  door.Ask(std::move(request),
           [ticket = std::make_shared<Ticket>(shared_from_this(), to)](
               std::unique_ptr<MessageSource> source) { ticket->Deliver(std::move(source)); });
}

std::vector<SlowLetter> SlowMailbox::Take() {
  wakeup_.Clear();
  std::lock_guard lock(mu_);
  return std::exchange(letters_, {});
}

void SlowMailbox::Post(SlowLetter letter) {
  {
    std::lock_guard lock(mu_);
    letters_.push_back(std::move(letter));
  }
  wakeup_.Signal();
}

}  // namespace quorate::serve
