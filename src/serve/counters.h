// What a worker counts: written by that worker alone, read by anybody, no line of memory shared between
// workers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace quorate::serve {

inline constexpr size_t kRcodesCounted = 16;  // the header's four bits

// A reading; readings of several workers add up.
struct Counters {
  uint64_t queries = 0;        // received
  uint64_t dropped = 0;        // not answered at all: malformed beyond an answer, or a response
  uint64_t truncated = 0;      // answered with TC
  uint64_t held = 0;           // had to wait for a read barrier
  uint64_t held_pending = 0;   // had to wait for something pending that touches the answer
  uint64_t hold_expired = 0;   // SERVFAIL: the barrier did not come in time
  uint64_t hold_overflow = 0;  // SERVFAIL: too many were waiting
  uint64_t stale_answers = 0;  // not linearizable, as the zone's consistency allows
  uint64_t send_failed = 0;
  uint64_t connections = 0;          // TCP: accepted
  uint64_t connections_refused = 0;  // TCP: over the limit
  uint64_t slow = 0;                 // handed to the slow door
  uint64_t slow_overflow = 0;        // SERVFAIL: too many were there
  uint64_t rate_dropped = 0;         // UDP: not sent, over the rate limit
  uint64_t rate_truncated = 0;       // UDP: sent truncated, over the rate limit
  uint64_t client_limit = 0;         // TCP: closed or refused, the client had too many
  uint64_t tls_failed = 0;           // TLS: connections that ended before a query, by a fault
  std::array<uint64_t, kRcodesCounted> rcodes{};

  Counters& operator+=(const Counters& other) {
    queries += other.queries, dropped += other.dropped, truncated += other.truncated, held += other.held;
    hold_expired += other.hold_expired, hold_overflow += other.hold_overflow,
        send_failed += other.send_failed;
    held_pending += other.held_pending, stale_answers += other.stale_answers;
    connections += other.connections, connections_refused += other.connections_refused;
    slow += other.slow, slow_overflow += other.slow_overflow;
    rate_dropped += other.rate_dropped, rate_truncated += other.rate_truncated;
    client_limit += other.client_limit, tls_failed += other.tls_failed;
    for (size_t i = 0; i < kRcodesCounted; ++i) rcodes[i] += other.rcodes[i];
    return *this;
  }
};

// One writer, so a relaxed load and store is enough, and cheaper than an atomic addition.
class Counter {
 public:
  void Add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  uint64_t Read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct alignas(64) WorkerCounters {
  Counter queries, dropped, truncated, held, held_pending, hold_expired, hold_overflow, stale_answers,
      send_failed, connections, connections_refused, slow, slow_overflow, rate_dropped, rate_truncated,
      client_limit, tls_failed;
  std::array<Counter, kRcodesCounted> rcodes;

  // Counts the answer of `size` octets at `message` (0: none).
  void CountAnswer(const uint8_t* message, size_t size) {
    if (size == 0) return dropped.Add();
    rcodes[message[3] & 0xf].Add();
    if ((message[2] & 0x02) != 0) truncated.Add();
  }

  Counters Read() const {
    Counters out{.queries = queries.Read(),
                 .dropped = dropped.Read(),
                 .truncated = truncated.Read(),
                 .held = held.Read(),
                 .held_pending = held_pending.Read(),
                 .hold_expired = hold_expired.Read(),
                 .hold_overflow = hold_overflow.Read(),
                 .stale_answers = stale_answers.Read(),
                 .send_failed = send_failed.Read(),
                 .connections = connections.Read(),
                 .connections_refused = connections_refused.Read(),
                 .slow = slow.Read(),
                 .slow_overflow = slow_overflow.Read(),
                 .rate_dropped = rate_dropped.Read(),
                 .rate_truncated = rate_truncated.Read(),
                 .client_limit = client_limit.Read(),
                 .tls_failed = tls_failed.Read()};
    for (size_t i = 0; i < kRcodesCounted; ++i) out.rcodes[i] = rcodes[i].Read();
    return out;
  }
};

}  // namespace quorate::serve
