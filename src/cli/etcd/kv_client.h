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
    kUnavailable,     // certainly not applied
    kUnknown,         // maybe applied; the same key asks again
    kUnknownForGood,  // the server will never be able to tell
  } kind = Kind::kRefused;
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

  // What dated idempotency keys are made with; 0: the server does not say. nullopt: no answer.
  std::optional<uint64_t> GroupTimeMs(Duration timeout, KvError& error);
  // A write takes effect once for one idempotency key, at whatever replica it is repeated.
  KvReply Put(const std::string& key, const std::string& value, const std::string& idempotency_key,
              Duration timeout);
  KvReply Delete(const KvKey& key, const std::string& idempotency_key, Duration timeout);
  // `revision` 0: the newest. `consistency` as base/consistency.h has it.
  KvReply Get(const KvKey& key, int64_t revision, const std::string& consistency, Duration timeout);
  // Calls `event` for each change from `from` on (0: from now), in order, until it returns false or the
  // stream ends with an error. `next` is where to go on.
  KvError Watch(const KvKey& key, int64_t from, int64_t& next,
                const std::function<bool(const KvEvent&)>& event);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::cli
