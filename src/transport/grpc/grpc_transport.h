// Messages between members over gRPC: one long-lived stream to every peer and one from every peer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "raft/codec.h"
#include "transport/api.h"

namespace quorate::transport {

// PEM. Both sides must show a certificate that `ca` signed.
struct TlsOptions {
  std::string certificate, key, ca;
  std::string peer_name;  // what the peers' certificates are for; empty: the host of their address
};

struct GrpcTransportOptions {
  std::string listen;      // host:port; IPv6 as [::1]:port; port 0: any
  std::string advertise;   // what peers that do not know this member answer to; empty: `listen`
  std::string deployment;  // must be the same at both ends, as must the group
  GroupId group;
  MemberId self;
  uint8_t message_version = raft::kMessageVersion;  // the newest that it speaks (raft/codec.h)
  std::optional<TlsOptions> tls;                    // absent: no encryption, no authentication
  std::function<void(const std::string&)>
      on_notice;  // peers that come, go, or do not fit; any thread; may be empty
};

class GrpcTransport : public PeerTransport {
 public:
  // Listens at once; `handler` may be called from then on until the transport is destroyed. kUnavailable:
  // cannot listen there. kInvalidArgument: the TLS material is incomplete.
  static absl::StatusOr<std::unique_ptr<GrpcTransport>> Start(GrpcTransportOptions options,
                                                              MessageHandler handler);
  virtual int port() const = 0;  // it listens on
};

}  // namespace quorate::transport
