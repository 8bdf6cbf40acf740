// What the workload writes, as commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dns/name.h"
#include "testing/operation.h"

namespace quorate::sim {

// A write of the workload; its value is written once.
struct Write {
  // The zone's: a TXT record at <key>.sim.
  enum class Kind : uint8_t { kPut, kDelete, kCas, kMakeZone, kRecord, kRemoveRecord };
  Kind kind = Kind::kPut;
  std::string key, value;
  std::optional<std::string> expected;  // of a kCas; nullopt: no such key

  bool deletes() const { return kind == Kind::kDelete || kind == Kind::kRemoveRecord; }
  bool of_the_zone() const { return kind == Kind::kRecord || kind == Kind::kRemoveRecord; }
};

dns::Name SimZone();
// With `idempotency_key`, or without if it is empty.
std::string EncodeWrite(const Write& write, const std::string& idempotency_key);
// As an operation of a history, without its times and outcome. Not of a kMakeZone.
testing::Operation OperationOf(const Write& write, int process);
// The name of a key in a history.
std::string HistoryKey(bool of_the_zone, const std::string& key);

}  // namespace quorate::sim
