// What the slow door has for one worker, until the worker takes it. As many letters as requests under way,
// which the worker bounds.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "serve/slow_door.h"
#include "serve/socket_address.h"
#include "serve/wakeup.h"

namespace quorate::serve {

// Whose answer it is: of a datagram's sender, or of a connection that may have gone since.
struct SlowReturn {
  size_t slot = 0;          // UDP: index of the socket
  uint32_t generation = 0;  // TCP
  SocketAddress peer;       // UDP
};

struct SlowLetter {
  SlowReturn to;
  std::unique_ptr<MessageSource> source;  // null: no answer
};

class SlowMailbox : public std::enable_shared_from_this<SlowMailbox> {
 public:
  int fd() const { return wakeup_.fd(); }  // readable when there is a letter

  // Asks `door`; the letter for `to` will come, whatever the door does.
  void Ask(SlowDoor& door, SlowRequest request, const SlowReturn& to);
  // All letters there are. The worker's thread.
  std::vector<SlowLetter> Take();

 private:
  // One request's right to an answer, shared by the copies of one Deliver.
  class Ticket;
  void Post(SlowLetter letter);  // any thread

  Wakeup wakeup_;
  std::mutex mu_;
  std::vector<SlowLetter> letters_;  // guarded by mu_
};

}  // namespace quorate::serve
