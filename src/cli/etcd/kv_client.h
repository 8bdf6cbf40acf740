// The store's door (etcd v3 gRPC) as `quorate kv` needs it. Blocks. gRPC stays inside kv_client.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"

namespace quorate::cli {

struct KvPair {
  std::string key, value;
  int64_t create_revision = 0, mod_revision = 0, version = 0;
};
struct KvEvent {
  bool deleted = false;
  KvPair kv;
};
// `key` alone, or everything that begins with it.
struct KvKey {
  std::string key;
  bool prefix = false;
};

// Why a call gave nothing.
struct KvError {
  enum class Kind : uint8_t {
    kRefused,
    kUnavailable,
    kUnknown
  } kind = Kind::kRefused;  // kUnknown: maybe applied
  std::string message;
};
struct KvReply {
  std::optional<KvError> error;
  int64_t revision = 0;
  std::vector<KvPair> kvs;  // of Get
  int64_t deleted = 0;
};

class KvClient {
 public:
  // `address` is host:port; TLS with this PEM file's CA unless empty.
  KvClient(const std::string& address, const std::string& ca_file);
  ~KvClient();

  // A write takes effect once for one `session`, at whatever replica it is repeated.
  KvReply Put(const std::string& key, const std::string& value, const std::string& session, Duration timeout);
  KvReply Delete(const KvKey& key, const std::string& session, Duration timeout);
  // `revision` 0: the newest.
  KvReply Get(const KvKey& key, int64_t revision, Duration timeout);
  // Calls `event` for each change from `from` on (0: from now), in order, until it returns false or the
  // stream ends with an error. `next` is where to go on.
  KvError Watch(const KvKey& key, int64_t from, int64_t& next,
                const std::function<bool(const KvEvent&)>& event);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::cli
