#include "api/xfr/notifier.h"

#include <poll.h>

#include <algorithm>

#include "api/xfr/random_id.h"

namespace quorate::api::xfr {
namespace {

constexpr Duration kIdle = std::chrono::milliseconds(200), kListen = std::chrono::milliseconds(20);

uint64_t Seconds(const Clock& clock) {
  const Duration now = clock.Wall().since_epoch;
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

std::string LineOf(const dns::Name& apex, const zone::Remote& remote) {
  return std::string(apex.Folded().wire()) + std::string(remote.address.begin(), remote.address.end()) +
         std::to_string(remote.port);
}

bool IsLoopback(const zone::Address& a) {
  zone::Address one{};
  one[15] = 1;
  return zone::IsIpv4(a) ? a[12] == 127 : a == one;
}

}  // namespace

wire::Message NotifyMessage(uint16_t id, const zone::Zone& zone) {
  wire::Message message;
  message.id = id;
  message.opcode = dns::Opcode::kNotify;
  message.aa = true;
  message.questions = {{zone.apex(), dns::RRType::kSOA, dns::RRClass::kIN}};
  const zone::RRsetView soa = zone.soa_rrset();
  message.answer = {{zone.apex(), dns::RRType::kSOA, dns::RRClass::kIN, soa.ttl, std::string(*soa.begin())}};
  return message;
}

Notifier::Notifier(Backend backend)
    : backend_(std::move(backend)), thread_([this](std::stop_token stop) { Run(stop); }) {}

void Notifier::Run(std::stop_token stop) {
  std::stop_callback wake(stop, [this] { changed_.Wake(); });
  while (!stop.stop_requested()) {
    const bool busy = plan_.under_way() > 0;
    ChangedZones::Changes changes = changed_.Take(busy ? Duration(0) : kIdle);
    const bool led = std::exchange(leads_, backend_.client->Status().raft.role == raft::Role::kLeader);
    if (!leads_) {
      plan_.Forget();
      waiting_.clear(), id_of_.clear();
      continue;
    }
    if (!led) changes.all = true;
    if (!changes.empty()) LookAt(changes);
    for (const NotifyPlan::Send& send : plan_.Due(backend_.clock->Boot())) Send(send);
    counters_.given_up.store(plan_.given_up(), std::memory_order_relaxed);
    if (plan_.under_way() > 0) Listen(kListen);
  }
}

void Notifier::LookAt(const ChangedZones::Changes& changes) {
  const auto view = backend_.views->Get();
  const zone::ZoneSet& zones = *view->zones;
  if (changes.all) {
    for (const zone::ZonePtr& zone : zones.All()) SetZone(zones, zone);
    return;
  }
  for (const dns::Name& apex : changes.zones) {
    const zone::ZonePtr zone = zones.Get(apex.wire());
    zone ? SetZone(zones, zone) : plan_.Remove(apex);
  }
}

void Notifier::SetZone(const zone::ZoneSet& zones, const zone::ZonePtr& zone) {
  const zone::Settings& settings = zones.SettingsOf(*zone);
  if (!settings.is_servable()) return;
  plan_.Set(zone->apex(), zone->serial(), settings.also_notify, backend_.clock->Boot());
}

void Notifier::Send(const NotifyPlan::Send& send) {
  const auto view = backend_.views->Get();
  const zone::ZonePtr zone = view->zones->Get(send.apex.wire());
  const Socket* socket = SocketFor(send.remote.address);
  const zone::TsigKey* key = send.remote.key ? view->zones->keyring().Find(*send.remote.key) : nullptr;
  if (!zone || socket == nullptr || (send.remote.key && key == nullptr)) {
    counters_.not_sent.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::string line = LineOf(send.apex, send.remote);
  if (const auto old = id_of_.find(line); old != id_of_.end()) waiting_.erase(old->second);
  uint16_t id = RandomId();
  while (waiting_.count(id) > 0) ++id;
  auto message = wire::EncodeMessage(NotifyMessage(id, *zone));
  if (!message.ok()) return;
  Waiting waiting{send.apex, send.remote, std::nullopt};
  std::string bytes = *std::move(message);
  if (key != nullptr) {
    const wire::TsigKeyView view_of_key{key->name.wire(), key->algorithm, key->secret};
    wire::TsigSigner signer(view_of_key, "");
    if (!signer.Sign(bytes, Seconds(*backend_.clock))) return;
    waiting.verifier.emplace(view_of_key, signer.mac());
  }
  id_of_[line] = id;
  waiting_.emplace(id, std::move(waiting));
  (SendTo(*socket, send.remote, bytes) ? counters_.sent : counters_.not_sent).fetch_add(1);
}

const Socket* Notifier::SocketFor(const zone::Address& address) {
  const bool loopback = IsLoopback(address);
  std::optional<Socket>& socket =
      zone::IsIpv4(address) ? (loopback ? v4_loopback_ : v4_) : (loopback ? v6_loopback_ : v6_);
  if (!socket) {
    auto opened = OpenDatagram(address, backend_.sources);
    if (!opened.ok()) return nullptr;
    socket = *std::move(opened);
  }
  return &*socket;
}

void Notifier::Listen(Duration at_most) {
  std::vector<pollfd> fds;
  std::vector<const Socket*> sockets;
  for (const auto* socket : {&v4_, &v6_, &v4_loopback_, &v6_loopback_}) {
    if (!*socket) continue;
    fds.push_back({.fd = (*socket)->get(), .events = POLLIN, .revents = 0});
    sockets.push_back(&**socket);
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at_most).count();
  poll(fds.data(), fds.size(), static_cast<int>(ms));
  for (const Socket* socket : sockets) {
    while (const auto datagram = Receive(*socket)) Hear(*datagram);
  }
}

// RFC 1996 3.11, 4.8: any answer of opcode NOTIFY ends it; of a server with a key only one that it signed.
void Notifier::Hear(const Datagram& datagram) {
  const wire::Bytes bytes{reinterpret_cast<const uint8_t*>(datagram.message.data()), datagram.message.size()};
  const auto message = wire::ParseMessage(bytes);
  if (!message.ok() || !message->response || message->opcode != dns::Opcode::kNotify) return;
  const auto it = waiting_.find(message->id);
  if (it == waiting_.end()) return;
  Waiting& waiting = it->second;
  if (waiting.remote.address != datagram.from || waiting.remote.port != datagram.port) return;
  if (waiting.verifier &&
      waiting.verifier->Verify(bytes, Seconds(*backend_.clock)) != wire::TsigStatus::kVerified)
    return;
  counters_.answered.fetch_add(1, std::memory_order_relaxed);
  plan_.Answered(waiting.apex, waiting.remote, backend_.clock->Boot());
  id_of_.erase(LineOf(waiting.apex, waiting.remote));
  waiting_.erase(it);
}

}  // namespace quorate::api::xfr
