// Queries that wait, in the order in which they came, in memory that was set aside before they did.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "serve/read_path.h"
#include "serve/socket_address.h"
#include "wire/error.h"

namespace quorate::serve {

struct HeldQuery {
  Wait wait;
  size_t socket = 0;  // index of the socket it came by
  SocketAddress peer;
  uint32_t offset = 0, size = 0;  // where HeldQueries keeps its octets
  bool done = false;              // answered; its octets are free once those before it are
};

// One thread. Nothing here allocates.
class HeldQueries {
 public:
  HeldQueries(size_t queries_max, size_t bytes_max);

  // False: full, in number or octets. Finish the oldest and try again; when empty it takes any query of up to
  // bytes_max octets.
  bool TryPush(HeldQuery query, wire::Bytes bytes);

  // Done ones that wait for older ones to be done are counted, and stay in their place; the oldest is never
  // done.
  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  // The i-th oldest.
  HeldQuery& at(size_t i) { return slots_[(first_ + i) % slots_.size()]; }
  const HeldQuery& front() const { return slots_[first_]; }
  wire::Bytes bytes(const HeldQuery& query) const { return {bytes_.get() + query.offset, query.size}; }
  // Takes out the oldest ones that are done.
  void PopDone();

 private:
  std::optional<uint32_t> FindRoom(size_t size) const;

  std::vector<HeldQuery> slots_;
  const size_t bytes_max_;
  const std::unique_ptr<uint8_t[]> bytes_;  // a ring; no query wraps around its end
  size_t first_ = 0, count_ = 0;
  size_t write_at_ = 0;
};

}  // namespace quorate::serve
