#include "transport/loopback/loopback.h"

namespace quorate::transport {

class LoopbackNetwork::Endpoint final : public PeerTransport {
 public:
  Endpoint(LoopbackNetwork& network, MemberId self, std::shared_ptr<Port> port)
      : network_(network), self_(self), port_(std::move(port)) {}
  ~Endpoint() override {
    {
      std::lock_guard lock(network_.mu_);
      if (auto found = network_.ports_.find(self_); found != network_.ports_.end() && found->second == port_)
        network_.ports_.erase(found);
    }
    std::lock_guard lock(port_->mu);
    port_->handler = nullptr;
  }
  void Send(raft::Message message) override { network_.Carry(std::move(message)); }
  void SetPeers(const std::map<MemberId, std::string>&) override {}  // who joined is there

 private:
  LoopbackNetwork& network_;
  const MemberId self_;
  const std::shared_ptr<Port> port_;
};

std::unique_ptr<PeerTransport> LoopbackNetwork::Join(MemberId self, MessageHandler handler) {
  auto port = std::make_shared<Port>();
  port->handler = std::move(handler);
  std::lock_guard lock(mu_);
  ports_[self] = port;
  return std::make_unique<Endpoint>(*this, self, std::move(port));
}

void LoopbackNetwork::Carry(raft::Message message) {
  std::shared_ptr<Port> port;
  {
    std::lock_guard lock(mu_);
    if (cut_.contains({message.from, message.to}) || isolated_.contains(message.from) ||
        isolated_.contains(message.to))
      return;
    auto found = ports_.find(message.to);
    if (found == ports_.end()) return;
    port = found->second;
  }
  std::lock_guard lock(port->mu);
  if (port->handler) port->handler(std::move(message));
}

void LoopbackNetwork::Cut(MemberId from, MemberId to) {
  std::lock_guard lock(mu_);
  cut_.emplace(from, to);
}

void LoopbackNetwork::Isolate(MemberId member) {
  std::lock_guard lock(mu_);
  isolated_.insert(member);
}

void LoopbackNetwork::Heal() {
  std::lock_guard lock(mu_);
  cut_.clear();
  isolated_.clear();
}

}  // namespace quorate::transport
