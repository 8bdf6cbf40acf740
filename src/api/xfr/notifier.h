// Tells other servers of changes (NOTIFY, RFC 1996): the leader only, each change once, all zones again after
// a failover.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "api/xfr/changed_zones.h"
#include "api/xfr/net.h"
#include "api/xfr/notify_plan.h"
#include "base/read_view.h"
#include "replica/client.h"
#include "wire/message.h"
#include "wire/tsig.h"
#include "zone/view.h"

namespace quorate::api::xfr {

struct NotifyCounters {
  std::atomic<uint64_t> sent{0}, answered{0}, given_up{0};
  std::atomic<uint64_t> not_sent{0};  // no socket, or the key is not there
};

// One thread. Over UDP, whatever a remote says of TLS. What is given outlives it.
class Notifier {
 public:
  struct Backend {
    replica::Client* client = nullptr;
    const ViewHub<zone::View>* views = nullptr;
    const Clock* clock = nullptr;
    SourceAddresses sources;
  };
  explicit Notifier(Backend backend);

  ChangedZones& changed() { return changed_; }
  const NotifyCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    dns::Name apex;
    zone::Remote remote;
    std::optional<wire::TsigVerifier> verifier;
  };
  void Run(std::stop_token stop);
  void LookAt(const ChangedZones::Changes& changes);
  void SetZone(const zone::ZoneSet& zones, const zone::ZonePtr& zone);
  void Send(const NotifyPlan::Send& send);
  void Listen(Duration at_most);
  void Hear(const Datagram& datagram);
  const Socket* SocketFor(const zone::Address& address);

  const Backend backend_;
  NotifyCounters counters_;
  ChangedZones changed_;
  // Of the thread.
  NotifyPlan plan_;
  bool leads_ = false;
  std::optional<Socket> v4_, v6_, v4_loopback_, v6_loopback_;
  std::map<uint16_t, Waiting> waiting_;    // by the message's ID
  std::map<std::string, uint16_t> id_of_;  // of a line of the plan: the ID of its last message
  std::jthread thread_;
};

// A message that says that `zone` changed (RFC 1996 3.1, 3.7).
wire::Message NotifyMessage(uint16_t id, const zone::Zone& zone);

}  // namespace quorate::api::xfr
