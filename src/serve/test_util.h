// For tests only: a gate that obeys, zones from text, and clients on loopback.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "dns/presentation.h"
#include "serve/unique_fd.h"
#include "serve/worker_options.h"
#include "wire/framing.h"
#include "wire/message.h"
#include "wire/test_util.h"
#include "zone/builder.h"

namespace quorate::serve {

// Local reads and barriers as the test says.
class FakeGate final : public ReadGate {
 public:
  bool HoldsLease(BootTime) const override { return local.load(); }
  BootTime FreshAsOf() const override { return {fresh.load()}; }
  uint64_t BeginBarrier() override { return ++begun; }
  uint64_t completed() const override { return completed_.load(); }
  uint64_t Subscribe(std::function<void()> wake) override {
    std::lock_guard lock(mu_);
    subscribers_[++last_id_] = std::move(wake);
    return last_id_;
  }
  void Unsubscribe(uint64_t id) override {
    std::lock_guard lock(mu_);
    subscribers_.erase(id);
  }
  void CompleteAll() {
    completed_ = begun.load();
    std::lock_guard lock(mu_);
    for (const auto& [id, wake] : subscribers_) wake();
  }

  std::atomic<bool> local{false};
  std::atomic<uint64_t> begun{0};
  std::atomic<Duration> fresh{kNeverFresh.since_boot};

 private:
  std::atomic<uint64_t> completed_{0};
  std::mutex mu_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, std::function<void()>> subscribers_;
};

inline std::shared_ptr<const zone::ZoneSet> ZonesFrom(const std::string& apex, const std::string& text) {
  zone::ZoneBuilder builder(*dns::Name::FromText(apex));
  const auto error =
      dns::ParseZoneText(text, {.origin = *dns::Name::FromText(apex)}, [&](dns::TextRecord&& r) {
        builder.Add(r.owner, r.type, r.ttl, r.rdata);
        return std::string();
      });
  EXPECT_FALSE(error.has_value());
  auto built = std::move(builder).Build();
  auto zones = std::make_shared<zone::ZoneSet>();
  zones->Put(std::get<zone::ZonePtr>(built));
  return zones;
}

// example. with www A `address`, and a name of `big_records` TXT records.
inline std::shared_ptr<const zone::ZoneSet> ExampleZones(const std::string& address, size_t big_records = 0) {
  std::string text =
      "@ 60 SOA ns1 admin 1 1 1 1 60\n@ 60 NS ns1\nns1 60 A 192.0.2.53\nwww 60 A " + address + "\n";
  for (size_t i = 0; i < big_records; ++i)
    text += "big 60 TXT \"" + std::string(200, 'x') + std::to_string(i) + "\"\n";
  return ZonesFrom("example.", text);
}

// A view of `zones`, and of what is pending on top of them.
inline std::shared_ptr<const zone::View> ViewOf(std::shared_ptr<const zone::ZoneSet> zones,
                                                LogIndex applied = {}, zone::PendingPtr pending = nullptr) {
  auto view = std::make_shared<zone::View>();
  view->zones = std::move(zones);
  view->applied = applied;
  view->pending = std::move(pending);
  return view;
}

// Everything a server needs but its options.
struct World {
  explicit World(std::shared_ptr<const zone::ZoneSet> first) : views(ViewOf(std::move(first))) {}
  DataSource source() { return {views, gate, clock, health}; }

  // Other zones, all else as it was.
  void Publish(std::shared_ptr<const zone::ZoneSet> zones) {
    views.Update([&](const zone::View& view) {
      auto next = std::make_shared<zone::View>(view);
      next->zones = std::move(zones);
      return next;
    });
  }

  // The same zones, and what touches `subtree` pending at `index`.
  void Append(uint64_t index, const std::string& subtree) {
    views.Update([&](const zone::View& view) {
      auto next = std::make_shared<zone::View>(view);
      zone::Touches touches;
      touches.subtrees.push_back(*dns::Name::FromText(subtree));
      next->pending = zone::PendingChanges::With(view.pending, LogIndex{index}, touches);
      return next;
    });
  }
  // The effect of everything up to `index`.
  void Apply(uint64_t index, std::shared_ptr<const zone::ZoneSet> zones) {
    views.Update([&](const zone::View& view) {
      return ViewOf(std::move(zones), LogIndex{index},
                    zone::PendingChanges::Without(view.pending, LogIndex{index}));
    });
  }

  ViewHub<zone::View> views;
  FakeGate gate;
  SystemClock clock;
  std::atomic<LeaderHealth> health{LeaderHealth::kNoLeader};
};

inline ServerOptions LoopbackOptions(const std::vector<std::string>& addresses = {"127.0.0.1:0"}) {
  ServerOptions options;
  for (const std::string& text : addresses) options.addresses.push_back(*SocketAddress::FromText(text));
  return options;
}

// Waits for `condition`; false when it has not become true within ten seconds.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// One socket, connected to a server.
class Client {
 public:
  Client(int type, const SocketAddress& server) : fd_(socket(server.family(), type, 0)) {
    EXPECT_EQ(connect(fd_.get(), server.get(), server.size()), 0);
  }

  void Send(std::string_view bytes) {
    ASSERT_EQ(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  bool Readable(int millis) {
    pollfd p{.fd = fd_.get(), .events = POLLIN};
    return poll(&p, 1, millis) == 1;
  }
  // A datagram, or what of a stream is there; empty: the end, or nothing within ten seconds.
  std::string Receive(size_t max = 65535) {
    std::string out(max, '\0');
    const ssize_t n = Readable(10000) ? recv(fd_.get(), out.data(), out.size(), 0) : 0;
    out.resize(static_cast<size_t>(std::max<ssize_t>(n, 0)));
    return out;
  }
  // Of a stream: exactly one message.
  std::string ReceiveFrame() {
    std::string frame;
    while (!wire::FirstFrame(wire::AsBytes(frame))) {
      const size_t wanted = frame.size() < 2 ? 2 - frame.size()
                                             : 2u + wire::LoadU16(wire::AsBytes(frame).data()) - frame.size();
      const std::string more = Receive(wanted);
      if (more.empty()) return {};
      frame += more;
    }
    return frame.substr(2);
  }
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};

inline std::string Query(uint16_t id, const std::string& name, dns::RRType type = dns::RRType::kA) {
  return *wire::EncodeMessage(wire::MakeQuery(id, *dns::Name::FromText(name), type));
}
inline std::string Framed(const std::string& message) {
  return std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())} + message;
}

// "4d2 NOERROR 192.0.2.1": id, RCODE number, first address.
inline std::string Summary(std::string_view response) {
  const auto m = wire::ParseMessage(wire::AsBytes(response));
  if (!m.ok()) return "unreadable";
  std::string out = std::to_string(m->id) + " " + std::to_string(static_cast<int>(m->rcode));
  if (m->tc) out += " tc";
  if (!m->answer.empty()) out += " " + dns::RdataToText(m->answer[0].type, m->answer[0].rdata);
  return out;
}

}  // namespace quorate::serve
