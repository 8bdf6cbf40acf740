// Messages between the members of one group. Unreliable: a message may be lost, repeated or late; Raft copes.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "raft/messages.h"

namespace quorate::transport {

class PeerTransport {
 public:
  virtual ~PeerTransport() = default;
  // Any thread, never blocks. Drops the message when that peer's queue is full, or the peer is unknown and
  // has no stream to here.
  virtual void Send(raft::Message message) = 0;
  // Whom to reach, and where (host:port). Replaces what was known; connections to unchanged peers stay.
  virtual void SetPeers(const std::map<MemberId, std::string>& peers) = 0;
};

// What arrives: well-formed, from a member of this group, addressed to this member. Called from the
// transport's threads; must not block.
using MessageHandler = std::function<void(raft::Message)>;

}  // namespace quorate::transport
