// One state of the lease model. Every count of ticks is relative (an age, or what is left) and stops at the
// value from which on it changes nothing, so the states are finitely many although time has no end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

#include "model/log.h"

namespace quorate::model {

inline constexpr int kMembersMax = 3;
inline constexpr int kMessagesMax = 4;

enum class Role : uint8_t { kFollower, kCandidate, kLeader };

// What is stamped T_me in the protocol: an echo of the holder's clock, on its way to a grant.
enum class Stage : uint8_t {
  kNone,
  kHeld,       // echo[j]
  kInRound,    // echo_at_round[k][j] of the open round k
  kConfirmed,  // echo_at_round[confirmed][j]: may be granted from
};

// What a leader knows of another member.
struct Peer {
  uint8_t recv;         // recv_match: pending in the other's memory
  uint8_t match;        // durable there
  uint8_t incarnation;  // of the last reply, plus one; 0: none yet
  Stage stage;          // of the echo below
  uint8_t age_holder;   // ticks since the echo was read, by the clock it was read from
  uint8_t age_leader;   // the same by the leader's clock
  uint8_t echo_of;      // the incarnation that read it
  uint8_t grant_left;   // until grant_until[j]
};

struct Member {
  Log log;      // in memory: what readers see as applied or pending
  Log durable;  // what a crash leaves
  uint8_t term;
  uint8_t vote;  // in `term`, as member + 1
  Role role;
  uint8_t incarnation;
  uint8_t commit;  // also applied. A follower's is kept only with Bounds::follower_commit
  uint8_t lease_left;
  uint8_t deviations;  // of its clock from true time, so far
  uint8_t
      answered_age;    // since it answered or began a round; 0 at start. Counted only for the faster failover
  uint8_t wait_left;   // a leader's until elected_at + T_wait, or earlier with the faster failover
  uint8_t potential;   // PH of a leader, one bit a member
  uint8_t round_open;  // 1: the newest round is not confirmed
  uint8_t round_age;   // since it began
  std::array<uint8_t, 2> unused;
  std::array<Peer, kMembersMax> peers;  // a leader's
};

struct Message {
  enum class Kind : uint8_t { kNone, kAppend, kReply };
  Log log;  // kAppend: the leader's log as far as this message has it
  Kind kind;
  uint8_t term;
  uint8_t from;
  uint8_t to;
  uint8_t newest_round;  // 1: of the round that is open at the leader
  uint8_t commit;        // kAppend: leader_commit
  uint8_t recv;          // kReply
  uint8_t match;         // kReply
  uint8_t has_stamp;     // kAppend: a grant; kReply: an echo that is not too old to be of use
  uint8_t age_holder;    // of the stamp
  uint8_t age_leader;    // kReply: of the echo
  uint8_t incarnation;   // kReply: of the sender; kAppend: of the grant
  uint8_t floor;         // kAppend: of the grant
  uint8_t unused;
  auto operator<=>(const Message&) const = default;
};

// A read whose thread may sleep between its steps.
struct Read {
  enum class Step : uint8_t { kNone, kChecked, kCaptured };
  Step step;
  uint8_t member;
  uint8_t must;         // the oldest value it may return
  uint8_t target;       // kCaptured: the index it waits for, or with capture-then-check the value captured
  uint8_t target_code;  // the entry at `target`; another one there: it was truncated
};

enum class Property : uint8_t {
  kNone,
  kElectionSafety,
  kLeaderCompleteness,
  kStateMachineSafety,
  kNothingLost,
  kGate,
  kLeaseCovers,
  kAcknowledgedSeen,
  kNoInversion,
};
inline constexpr int kProperties = 9;

struct LeaseState {
  std::array<Member, kMembersMax> members;
  std::array<Message, kMessagesMax> messages;  // in flight; those of kind kNone last once canonical
  Log committed;                               // every entry that any leader committed
  uint8_t committed_term;                      // of the leader that committed last
  uint8_t acknowledged;  // the newest write, by its index in `committed`, that a client knows of
  uint8_t seen;          // the newest that a read returned, if newer than `acknowledged`
  uint8_t led;           // terms that had a leader, one bit each
  uint8_t writes;        // proposed so far
  uint8_t crashes;       // and restarts
  Read read;
  Property violated;  // by the last step
  std::array<uint8_t, 4> unused;
};
static_assert(std::has_unique_object_representations_v<LeaseState> && sizeof(LeaseState) % 8 == 0);

struct Action {
  enum class Kind : uint8_t {
    kTick,
    kPropose,
    kSync,
    kRound,
    kSend,
    kReceive,
    kExchange,
    kCommit,
    kAcknowledge,
    kCampaign,
    kElect,
    kAdoptTerm,
    kCrash,
    kRead,
    kCheck,
    kCapture,
    kAnswer,
  };
  Kind kind;
  uint8_t member = 0;
  uint8_t other = 0;
  uint8_t index = 0;
  bool answered = false;  // kExchange: the reply came at once
  Message message = {};
};

std::string Describe(const LeaseState& state, int members);
std::string Describe(const LeaseState& before, const Action& action);
const char* NameOf(Property property);
const char* MeaningOf(Property property);

}  // namespace quorate::model
