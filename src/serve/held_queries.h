// Queries that wait for a read barrier, oldest first, in memory that was set aside before they came.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/types.h"
#include "serve/socket_address.h"
#include "wire/error.h"

namespace quorate::serve {

struct HeldQuery {
  uint64_t ticket = 0;  // may be answered once the gate has completed it
  BootTime deadline;
  size_t socket = 0;  // index of the socket it came by
  SocketAddress peer;
  uint32_t offset = 0, size = 0;  // where HeldQueries keeps its octets
};

// One thread. Neither Push nor Pop allocates. Tickets and deadlines are pushed in growing order.
class HeldQueries {
 public:
  HeldQueries(size_t queries_max, size_t bytes_max);

  // False: full, in number or octets. Drop the oldest and try again; when empty it takes any query of up to
  // bytes_max octets.
  bool TryPush(HeldQuery query, wire::Bytes bytes);

  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  // The oldest; not when empty. Valid until the next Push.
  const HeldQuery& front() const { return slots_[first_]; }
  wire::Bytes front_bytes() const { return {bytes_.get() + front().offset, front().size}; }
  void PopFront();

 private:
  std::optional<uint32_t> FindRoom(size_t size) const;

  std::vector<HeldQuery> slots_;
  const size_t bytes_max_;
  const std::unique_ptr<uint8_t[]> bytes_;  // a ring; no query wraps around its end
  size_t first_ = 0, count_ = 0;
  size_t write_at_ = 0;
};

}  // namespace quorate::serve
