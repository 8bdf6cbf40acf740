// States and steps in words. Members are called 1, 2, 3.
#include <cstdio>
#include <string>

#include "model/lease_state.h"

namespace quorate::model {
namespace {

std::string Name(int member) { return std::to_string(member + 1); }

// As term/kind: `1n 1w` is the no-op of term 1 and a write of it.
std::string LogText(Log log) {
  std::string text;
  for (int i = 1; i <= Length(log); ++i) {
    if (i > 1) text += ' ';
    text += std::to_string(TermAt(log, i)) + (IsWrite(log, i) ? 'w' : 'n');
  }
  return "[" + text + "]";
}

std::string MessageText(const Message& m) {
  std::string text = m.kind == Message::Kind::kAppend ? "Append " : "Reply ";
  text += Name(m.from) + "->" + Name(m.to) + " term " + std::to_string(m.term);
  if (m.kind == Message::Kind::kAppend) {
    text += " " + LogText(m.log) + " commit " + std::to_string(m.commit);
    if (m.has_stamp)
      text += " grant{stamp " + std::to_string(m.age_holder) + " old, floor " + std::to_string(m.floor) +
              ", inc " + std::to_string(m.incarnation) + "}";
  } else {
    text += " recv " + std::to_string(m.recv) + " match " + std::to_string(m.match);
    if (m.has_stamp) text += " echo " + std::to_string(m.age_holder) + " old";
    text += " inc " + std::to_string(m.incarnation);
  }
  return text + (m.newest_round ? " of the open round" : "");
}

std::string LeaderText(const Member& m, int self, int members) {
  static constexpr const char* kStages[] = {"", "held", "in the round", "confirmed"};
  std::string text;
  if (m.wait_left > 0) text += ", waits " + std::to_string(m.wait_left);
  if (m.round_open) text += ", round open";
  for (int j = 0; j < members; ++j) {
    const Peer& peer = m.peers[j];
    if (j == self) continue;
    text +=
        ", of " + Name(j) + ": recv " + std::to_string(peer.recv) + " match " + std::to_string(peer.match);
    if (peer.stage != Stage::kNone)
      text += " echo " + std::to_string(peer.age_holder) + " old " + kStages[static_cast<int>(peer.stage)];
    if (peer.grant_left > 0) text += " granted for " + std::to_string(peer.grant_left);
    if (m.wait_left > 0 && (m.potential >> j & 1)) text += " potential holder";
  }
  return text;
}

std::string MemberText(const Member& m, int self, int members) {
  static constexpr const char* kRoles[] = {"follower", "candidate", "leader"};
  std::string text = Name(self) + " " + kRoles[static_cast<int>(m.role)] + " of term " +
                     std::to_string(m.term) + " log " + LogText(m.log);
  if (m.durable != m.log) text += " synced " + LogText(m.durable);
  text += " commit " + std::to_string(m.commit);
  if (m.lease_left > 0) text += " LEASE " + std::to_string(m.lease_left);
  return m.role == Role::kLeader ? text + LeaderText(m, self, members) : text;
}

}  // namespace

std::string Describe(const LeaseState& state, int members) {
  std::string text;
  for (int i = 0; i < members; ++i) text += "    " + MemberText(state.members[i], i, members) + "\n";
  for (const Message& message : state.messages) {
    if (message.kind != Message::Kind::kNone) text += "    in flight: " + MessageText(message) + "\n";
  }
  text += "    committed " + LogText(state.committed) + " acknowledged up to " +
          std::to_string(state.acknowledged);
  if (state.seen > 0) text += ", read up to " + std::to_string(state.seen);
  if (state.read.step != Read::Step::kNone)
    text += ", a read at " + Name(state.read.member) +
            (state.read.step == Read::Step::kChecked ? " has checked its lease" : " has captured") +
            ", must return " + std::to_string(state.read.must) + " or newer";
  return text + "\n";
}

std::string Describe(const LeaseState&, const Action& action) {
  const std::string who = Name(action.member);
  using Kind = Action::Kind;
  switch (action.kind) {
    case Kind::kTick:
      return "a tick; the clocks advance by " + std::to_string(action.member) + ", " +
             std::to_string(action.other) + ", " + std::to_string(action.index);
    case Kind::kPropose:
      return who + " appends a write";
    case Kind::kSync:
      return who + " syncs its log";
    case Kind::kRound:
      return who + " begins a round";
    case Kind::kSend:
      return who + " sends " + MessageText(action.message);
    case Kind::kReceive:
      return who + " receives " + MessageText(action.message);
    case Kind::kExchange:
      return who + " receives " + MessageText(action.message) +
             (action.answered ? " and its reply is received" : "");
    case Kind::kCommit:
      return who + " commits up to " + std::to_string(action.index);
    case Kind::kAcknowledge:
      return who + " acknowledges to its clients";
    case Kind::kCampaign:
      return who + " becomes a candidate";
    case Kind::kElect:
      return who + " becomes leader by the vote of " + Name(action.other);
    case Kind::kAdoptTerm:
      return who + " learns the term of " + Name(action.other);
    case Kind::kCrash:
      return who + " crashes and restarts";
    case Kind::kRead:
      return who + " answers a read";
    case Kind::kCheck:
      return who + " checks its lease for a read";
    case Kind::kCapture:
      return who + " captures the view for the read";
    case Kind::kAnswer:
      return who + " answers the read";
  }
  return "";
}

const char* NameOf(Property property) {
  switch (property) {
    case Property::kNone:
      return "none";
    case Property::kElectionSafety:
      return "election-safety";
    case Property::kLeaderCompleteness:
      return "leader-completeness";
    case Property::kStateMachineSafety:
      return "state-machine-safety";
    case Property::kNothingLost:
      return "nothing-lost";
    case Property::kGate:
      return "gate";
    case Property::kLeaseCovers:
      return "lease-covers-committed";
    case Property::kAcknowledgedSeen:
      return "acknowledged-seen";
    case Property::kNoInversion:
      return "no-inversion";
  }
  return "";
}

const char* MeaningOf(Property property) {
  switch (property) {
    case Property::kNone:
      return "";
    case Property::kElectionSafety:
      return "a term has at most one leader";
    case Property::kLeaderCompleteness:
      return "a leader has every entry committed in an earlier term";
    case Property::kStateMachineSafety:
      return "no two members commit different entries at an index";
    case Property::kNothingLost:
      return "what was committed stays durable at a quorum";
    case Property::kGate:
      return "no commit passes N while a member with a valid lease lacks N";
    case Property::kLeaseCovers:
      return "no lease is valid where a committed entry is neither applied nor pending";
    case Property::kAcknowledgedSeen:
      return "no read returns a value older than one acknowledged before it began";
    case Property::kNoInversion:
      return "no read returns a value older than one that another had returned before";
  }
  return "";
}

}  // namespace quorate::model
