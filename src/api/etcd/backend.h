// What the etcd door stands on; given by the app.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "kv/ordered_map.h"
#include "replica/client.h"

namespace quorate::api {

// All that is pointed to outlives the server.
struct EtcdBackend {
  replica::Client* client = nullptr;
  const kv::MapReader* map = nullptr;
  std::string version;                    // of Quorate, such as "0.1.0"
  std::function<uint64_t()> state_bytes;  // on disk, for `etcdctl endpoint status`; may be empty
};

struct EtcdTls {  // contents of PEM files
  std::string certificate_chain, private_key;
  std::string client_ca;  // if given, clients must show a certificate of it
};

struct EtcdOptions {
  std::vector<std::string> listen;  // "ip:port" or "[ip6]:port"; port 0 takes a free one
  std::optional<EtcdTls> tls;       // without: plain text
  Duration request_timeout =
      std::chrono::seconds(5);  // for one write or read barrier, unless a client asks less
  Duration progress_interval = std::chrono::minutes(10);  // between notices to an idle watch that wants them
};

}  // namespace quorate::api
