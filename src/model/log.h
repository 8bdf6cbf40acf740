// A log of the model: up to five entries in 16 bits, entry i (from 1) in bits 3(i-1) .. 3i-1 as 2 * term +
// is_write. In Raft (term, index) names an entry, so its content need not be kept.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace quorate::model {

using Log = uint16_t;

inline constexpr int kLogEntriesMax = 5;
inline constexpr int kTermsMax = 3;  // 2 * term + 1 must fit three bits

inline int Length(Log log) { return (std::bit_width(log) + 2) / 3; }
inline int CodeAt(Log log, int index) { return (log >> (3 * (index - 1))) & 7; }
inline int TermAt(Log log, int index) { return index == 0 ? 0 : CodeAt(log, index) >> 1; }
inline bool IsWrite(Log log, int index) { return (CodeAt(log, index) & 1) != 0; }
inline Log Prefix(Log log, int length) { return static_cast<Log>(log & ((1u << (3 * length)) - 1)); }
inline bool IsPrefix(Log shorter, Log longer) { return Prefix(longer, Length(shorter)) == shorter; }

inline Log Append(Log log, int term, bool is_write) {
  return static_cast<Log>(log | ((2 * term + (is_write ? 1 : 0)) << (3 * Length(log))));
}

// No entry is coded 0, so the first difference is the end of the shorter log, or a conflict.
inline int CommonPrefix(Log a, Log b) {
  const unsigned differs = a ^ b;
  return differs == 0 ? Length(a) : std::countr_zero(differs) / 3;
}

// The index of the last write among the first `length` entries; 0: none. It stands for the value of the
// register.
inline int LastWrite(Log log, int length) {
  int index = std::min(length, Length(log));
  while (index > 0 && !IsWrite(log, index)) --index;
  return index;
}

// The first entry of `term`: a leader's own no-op.
inline int FirstOfTerm(Log log, int term) {
  int index = 1;
  while (index <= Length(log) && TermAt(log, index) != term) ++index;
  return index;
}

// Raft 5.4.1.
inline bool UpToDate(Log candidate, Log voter) {
  const int mine = TermAt(candidate, Length(candidate)), theirs = TermAt(voter, Length(voter));
  return mine != theirs ? mine > theirs : Length(candidate) >= Length(voter);
}

}  // namespace quorate::model
