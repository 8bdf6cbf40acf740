// For tests: messages and entries as the scenario files write them.
#pragma once

#include <charconv>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/overloaded.h"
#include "raft/core.h"

namespace quorate::raft::scenario {

inline std::vector<std::string> Split(const std::string& line, char by = ' ') {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string word; std::getline(in, word, by);) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

inline uint64_t Number(std::string_view text) {
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("not a number: " + std::string(text));
  }
  return v;
}

// "1,3-5"
inline std::vector<MemberId> Ids(const std::string& text) {
  std::vector<MemberId> out;
  for (const std::string& part : Split(text, ',')) {
    const size_t dash = part.find('-');
    const uint64_t first = Number(part.substr(0, dash));
    const uint64_t last = dash == std::string::npos ? first : Number(part.substr(dash + 1));
    for (uint64_t id = first; id <= last; ++id) out.push_back({id});
  }
  return out;
}

// "index/term"
struct Position {
  LogIndex index;
  Term term;
};
inline Position ParsePosition(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) throw std::invalid_argument("not index/term: " + text);
  return {{Number(text.substr(0, slash))}, {Number(text.substr(slash + 1))}};
}
inline LogEntry ParseEntry(const std::string& text) {
  const Position p = ParsePosition(text);
  return {p.index, p.term, EntryType::kCommand, std::make_shared<const std::string>(text)};
}

inline std::string Text(LogIndex index, Term term) {
  return std::to_string(index.value) + "/" + std::to_string(term.value);
}
inline std::string Text(const std::vector<LogEntry>& entries) {
  std::string out;
  for (const LogEntry& e : entries) {
    if (!out.empty()) out += " ";
    out += Text(e.index, e.term);
    if (e.type == EntryType::kConfiguration) out += "(configuration)";
  }
  return out;
}

inline std::string Text(const Message& m) {
  std::ostringstream out;
  out << m.from << "->" << m.to << " ";
  const auto tail = [&] { out << " term " << m.term; };
  std::visit(Overloaded{[&](const RequestVote& b) {
                          out << (b.pre_vote ? "prevote" : "vote")
                              << (b.leadership_transfer ? " transfer" : "");
                          tail();
                          out << " last " << Text(b.last_index, b.last_term);
                        },
                        [&](const RequestVoteReply& b) {
                          out << (b.pre_vote ? "prevote" : "vote") << (b.granted ? " granted" : " refused");
                          tail();
                        },
                        [&](const AppendEntries& b) {
                          out << (b.entries.empty() ? "heartbeat" : "append");
                          tail();
                          out << " prev " << Text(b.prev_index, b.prev_term);
                          if (!b.entries.empty()) out << " entries " << Text(b.entries);
                          out << " commit " << b.leader_commit << " round " << b.round;
                        },
                        [&](const AppendEntriesReply& b) {
                          out << (b.matched ? "matched" : "mismatch");
                          tail();
                          if (b.matched) out << " received " << b.received << " durable " << b.durable;
                          if (!b.matched)
                            out << " below " << b.conflict_index << " of-term " << b.conflict_term;
                          out << " round " << b.round;
                        },
                        [&](const TimeoutNow&) { out << "timeout-now", tail(); },
                        [&](const ReadIndexRequest&) { out << "read-request", tail(); },
                        [&](const ReadIndexReply& b) {
                          out << "read-reply", tail();
                          out << (b.ok ? " at " + std::to_string(b.index.value) : " failed");
                        },
                        [&](const auto&) { out << "driver's own"; }},
             m.body);
  return out.str();
}

inline const char* Text(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "?";
}

inline const char* Text(PeerStatus::State state) {
  switch (state) {
    case PeerStatus::State::kProbe:
      return "probe";
    case PeerStatus::State::kReplicate:
      return "replicate";
    case PeerStatus::State::kSnapshot:
      return "snapshot";
  }
  return "?";
}

inline const char* Text(ProposeFault fault) {
  switch (fault) {
    case ProposeFault::kNotLeader:
      return "not leader";
    case ProposeFault::kQueueFull:
      return "queue full";
    case ProposeFault::kTransferring:
      return "transferring";
  }
  return "?";
}

}  // namespace quorate::raft::scenario
