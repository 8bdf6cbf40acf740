// What clients saw, in world time: checked for linearizability key by key, and written for other checkers.
#pragma once

#include <string>
#include <vector>

#include "sim/world.h"
#include "testing/operation.h"

namespace quorate::sim {

class History {
 public:
  explicit History(World& world) : world_(world) {}

  // `call`: when it was asked first. It returns now, unless its outcome is unknown.
  void Add(testing::Operation operation, Duration call);
  const std::vector<testing::Operation>& operations() const { return operations_; }
  // Fails the world if no order explains it.
  void Check();

 private:
  World& world_;
  std::vector<testing::Operation> operations_;
};

}  // namespace quorate::sim
