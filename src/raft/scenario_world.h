// For tests: members with clocks, disks and a network in the hand of a scenario. Nothing happens unless a
// command says so. tests/scenario/raft/README.md has the commands.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "raft/codec.h"
#include "raft/member_model.h"
#include "raft/quorum.h"
#include "raft/scenario_text.h"

namespace quorate::raft::scenario {

class World {
 public:
  // Runs one line and returns what it made happen. Throws std::invalid_argument for a line it does not
  // understand.
  std::string Run(const std::string& line) {
    out_.str("");
    words_ = Split(line);
    const std::string command = Take();
    const auto it = commands_.find(command);
    if (it == commands_.end()) throw std::invalid_argument("unknown command: " + command);
    quiet_ = command == "settle" || command == "elect";
    it->second();
    return out_.str();
  }

 private:
  struct Place {
    MemberModel::Disk disk;
    std::unique_ptr<MemberModel> member;
    BootTime clock{std::chrono::seconds(1)};
  };

  // --- words of the line ---
  bool More() const { return !words_.empty(); }
  std::string Take() {
    if (words_.empty()) throw std::invalid_argument("the line ends too early");
    std::string word = words_.front();
    words_.erase(words_.begin());
    return word;
  }
  bool TakeIf(const std::string& word) {
    if (words_.empty() || words_.front() != word) return false;
    words_.erase(words_.begin());
    return true;
  }
  void Expect(const std::string& word) {
    if (!TakeIf(word)) throw std::invalid_argument("expected: " + word);
  }
  std::vector<MemberId> TakeMembers() {
    const std::string word = Take();
    if (word != "all") return Ids(word);
    std::vector<MemberId> all;
    for (const auto& [id, place] : places_) all.push_back(id);
    return all;
  }
  MemberModel& TakeMember() { return At({Number(Take())}); }
  MemberModel& At(MemberId id) {
    Place& place = places_.at(id);
    if (!place.member) {
      CoreConfig config = options_;
      config.feature_level = 1;  // the texts know nothing of what a leader writes at a higher one
      config.self = id;
      config.seed = id.value;
      place.member = std::make_unique<MemberModel>(config, place.disk);
      place.member->Start(place.clock);
    }
    return *place.member;
  }

  // --- setting up ---
  void Cluster() {
    configuration_ = {};
    for (MemberId id : TakeVoters()) configuration_.members.push_back({.id = id});
    if (TakeIf("learners")) {
      for (MemberId id : Ids(Take())) configuration_.members.push_back({.id = id, .voter = false});
    }
    if (TakeIf("outgoing")) configuration_.outgoing_voters = Ids(Take());
    for (MemberId id : EveryMember(configuration_)) places_[id].disk.base.configuration = configuration_;
    if (TakeIf("outsider")) places_[{Number(Take())}];
  }
  std::vector<MemberId> TakeVoters() {
    const std::string word = Take();
    const bool count = word.find_first_of(",-") == std::string::npos;
    return Ids(count ? "1-" + word : word);
  }
  void Options() {
    while (More()) {
      const std::string name = Take();
      const uint64_t value = Number(Take());
      if (name == "append-bytes")
        options_.append_bytes_max = value;
      else if (name == "window")
        options_.inflight_messages_max = value;
      else if (name == "disk-stall-ms")
        options_.disk_stall_max = std::chrono::milliseconds(value);
      else if (name == "uncommitted-bytes")
        options_.uncommitted_bytes_max = value;
      else
        throw std::invalid_argument("unknown option: " + name);
    }
  }
  void SetMember() {
    const std::vector<MemberId> ids = TakeMembers();
    MemberModel::Disk disk{.base = {.configuration = configuration_}};
    size_t applied = 0;
    while (More()) {
      const std::string name = Take();
      if (name == "term")
        disk.hard_state.current_term = {Number(Take())};
      else if (name == "vote")
        disk.hard_state.voted_for = {Number(Take())};
      else if (name == "applied")
        applied = Number(Take());
      else if (name == "base")
        SetBase(disk, ParsePosition(Take()));
      else if (name == "log")
        while (More()) disk.entries.push_back(ParseEntry(Take()));
      else
        throw std::invalid_argument("unknown: " + name);
    }
    applied = std::max<size_t>(applied, disk.base.last_index.value);
    for (const LogEntry& e : disk.entries) {
      if (e.index.value <= applied) disk.state.push_back(e);
    }
    for (MemberId id : ids) places_.at(id).disk = disk;
  }
  static void SetBase(MemberModel::Disk& disk, Position base) {
    disk.base.last_index = base.index;
    disk.base.last_term = base.term;
    disk.state.assign(base.index.value, LogEntry{.term = base.term});
  }

  // --- time ---
  void Pass() {
    const std::vector<MemberId> ids = TakeMembers();
    const Duration duration = Milliseconds(Take());
    for (MemberId id : ids) {
      const BootTime end = places_.at(id).clock + duration;
      while (At(id).core().NextTick() <= end) {
        places_.at(id).clock = std::max(places_.at(id).clock, At(id).core().NextTick());
        Step(id, Tick{});
      }
      places_.at(id).clock = end;
    }
  }
  // Their clocks go on, but they are not woken.
  void Wait() {
    const std::vector<MemberId> ids = TakeMembers();
    const std::string duration = Take();
    for (MemberId id : ids) {
      At(id);
      places_.at(id).clock = places_.at(id).clock + Milliseconds(duration);
    }
  }
  static Duration Milliseconds(std::string text) {
    if (!text.ends_with("ms")) throw std::invalid_argument("not in ms: " + text);
    text.resize(text.size() - 2);
    return std::chrono::milliseconds(Number(text));
  }
  // Campaigns undisturbed, and tells only that it leads.
  void Elect() {
    const MemberId id{Number(Take())};
    words_ = {std::to_string(id.value)};
    Campaign();
    Settle();
    if (At(id).core().role() != Role::kLeader) throw std::invalid_argument("it was not elected");
    out_.str("");
    out_ << "    " << id << " is leader in term " << At(id).core().term() << "\n";
  }
  void Campaign() {
    for (MemberId id : TakeMembers()) {
      places_.at(id).clock = std::max(places_.at(id).clock, At(id).core().NextTick());
      Step(id, Tick{});
    }
  }

  // --- the network ---
  bool Matches(const Message& m, const std::vector<std::string>& patterns) const {
    const std::vector<std::string> words = Split(Text(m));
    bool any_link = false, link = false;
    for (const std::string& p : patterns) {
      if (p.find("->") == std::string::npos) {
        if (std::ranges::count(words, p) == 0) return false;
        continue;
      }
      any_link = true;
      link |= p == words[0] || (p.starts_with("->") && words[0].ends_with(p)) ||
              (p.ends_with("->") && words[0].starts_with(p));
    }
    return !any_link || link;
  }
  // Those under way now, in order; `first` takes one only.
  std::vector<Message> TakeMessages(bool keep) {
    const bool first = TakeIf("first");
    std::vector<std::string> patterns;
    while (More()) patterns.push_back(Take());
    std::vector<Message> taken, left;
    for (const Message& m : net_) {
      const bool take = Matches(m, patterns) && !(first && !taken.empty());
      if (take) taken.push_back(m);
      if (!take || keep) left.push_back(m);
    }
    if (taken.empty()) throw std::invalid_argument("no such message is under way");
    net_ = left;
    return taken;
  }
  void Deliver(bool keep) {
    for (const Message& m : TakeMessages(keep)) Arrive(m);
  }
  void Arrive(const Message& m) {
    if (!At(m.to).up()) return;
    if (!quiet_) out_ << "  " << Text(m) << "\n";
    Step(m.to, Receive{m});
  }
  void Send(const Message& m, const char* when = "") {
    const bool cut = cuts_.contains({m.from, m.to}) || !places_.contains(m.to);
    if (!quiet_) out_ << "    " << when << "sends " << Text(m) << (cut ? " (lost)" : "") << "\n";
    if (!cut) net_.push_back(m);
  }
  void Cut() {
    const std::vector<MemberId> from = TakeMembers();
    const bool one_way = TakeIf("->");
    if (!one_way) Expect("|");
    const std::vector<MemberId> to = TakeMembers();
    for (MemberId a : from) {
      for (MemberId b : to) {
        cuts_.insert({a, b});
        if (!one_way) cuts_.insert({b, a});
      }
    }
    std::erase_if(net_, [&](const Message& m) { return cuts_.contains({m.from, m.to}); });
  }
  void ListMessages() {
    for (const Message& m : net_) out_ << "  " << Text(m) << "\n";
  }

  // --- disks ---
  void Sync(MemberId id, size_t count) {
    MemberModel& m = At(id);
    const MemberModel::Synced synced = m.Sync(count);
    for (const Message& message : synced.send) Send(message, "once durable ");
    if (synced.durable) Step(id, *synced.durable);
  }
  void SyncCommand() {
    const std::vector<MemberId> ids = TakeMembers();
    const size_t count = More() ? Number(Take()) : SIZE_MAX;
    for (MemberId id : ids) Sync(id, count);
  }
  void Settle() {
    for (int i = 0; i < 1000; ++i) {
      bool idle = true;
      for (auto& [id, place] : places_) {
        if (!At(id).up() || !At(id).writing()) continue;
        idle = false;
        Sync(id, SIZE_MAX);
      }
      const std::vector<Message> now = std::exchange(net_, {});
      for (const Message& m : now) Arrive(m);
      if (idle && now.empty()) return;
    }
    throw std::invalid_argument("does not come to rest");
  }

  // --- inputs ---
  void ProposeCommand() {
    MemberModel& m = TakeMember();
    Propose input;
    while (More()) {
      input.proposals.push_back(
          {.tag = input.proposals.size(), .payload = std::make_shared<const std::string>(Take())});
    }
    Step(m.id(), input);
  }
  void Configure() {
    MemberModel& m = TakeMember();
    Configuration c;
    for (MemberId id : TakeVoters()) c.members.push_back({.id = id});
    if (TakeIf("learners")) {
      for (MemberId id : Ids(Take())) c.members.push_back({.id = id, .voter = false});
    }
    if (TakeIf("outgoing")) c.outgoing_voters = Ids(Take());
    auto payload = std::make_shared<const std::string>(EncodeConfiguration(c));
    Step(m.id(), Propose{{{.type = EntryType::kConfiguration, .payload = payload}}});
  }
  void Read() {
    MemberModel& m = TakeMember();
    Step(m.id(), ReadRequest{Number(Take())});
  }
  void Transfer() {
    MemberModel& m = TakeMember();
    Expect("to");
    const std::string to = Take();
    Step(m.id(), TransferLeadership{{to == "any" ? 0 : Number(to)}});
  }
  void Compact() {
    MemberModel& m = TakeMember();
    Expect("through");
    const LogIndex through{Number(Take())};
    m.FlushState();
    Step(m.id(), Compacted{through});
    m.CompactDisk(through);
  }
  void Snapshot() {
    MemberModel& from = TakeMember();
    Expect("to");
    MemberModel& to = TakeMember();
    const LogIndex index{from.state().size()};
    const bool fails = TakeIf("fails");
    if (!fails) {
      to.set_incoming_state(from.state());
      const Configuration at = from.core().ConfigurationAt(index);
      Step(to.id(), SnapshotReceived{from.id(), from.core().term(), {index, from.state().back().term, at}});
      Sync(to.id(), SIZE_MAX);
    }
    Step(from.id(), SnapshotSent{to.id(), !fails, index});
  }
  void ReceiveSnapshot() {
    MemberModel& to = TakeMember();
    Expect("from");
    const MemberId from{Number(Take())};
    Expect("term");
    const Term term{Number(Take())};
    Expect("at");
    const Position at = ParsePosition(Take());
    to.set_incoming_state(std::vector<LogEntry>(at.index.value, LogEntry{.term = at.term}));
    Step(to.id(), SnapshotReceived{from, term, {at.index, at.term, configuration_}});
  }
  void ReceiveCommand() {
    MemberModel& to = TakeMember();
    const std::string kind = Take();
    std::map<std::string, std::string> fields;
    std::set<std::string> flags;
    while (More()) {
      const std::string name = Take();
      if (name == "transfer" || name == "granted")
        flags.insert(name);
      else
        fields[name] = Take();
    }
    const auto number = [&](const char* name) { return fields.contains(name) ? Number(fields[name]) : 0; };
    const auto position = [&](const char* name) {
      return fields.contains(name) ? ParsePosition(fields[name]) : Position{};
    };
    Message m{{number("from")}, to.id(), {number("term")}, TimeoutNow{}};
    if (kind == "vote" || kind == "prevote") {
      const Position last = position("last");
      m.body = RequestVote{kind == "prevote", flags.contains("transfer"), last.index, last.term};
    } else if (kind == "vote-reply" || kind == "prevote-reply") {
      m.body = RequestVoteReply{kind == "prevote-reply", flags.contains("granted")};
    } else if (kind == "append" || kind == "heartbeat") {
      const Position prev = position("prev");
      AppendEntries append{prev.index, prev.term, {}, {number("commit")}, number("round")};
      for (const std::string& e : Split(fields["entries"], ',')) append.entries.push_back(ParseEntry(e));
      m.body = std::move(append);
    } else if (kind == "matched") {
      m.body = AppendEntriesReply{
          true, {number("received")}, {number("durable")}, {}, {}, number("round"), m.term, {}, 1};
    } else if (kind == "mismatch") {
      m.body = AppendEntriesReply{false,  {}, {}, {number("below")}, {number("of-term")}, number("round"),
                                  m.term, {}, 1};
    } else if (kind != "timeout-now") {
      throw std::invalid_argument("unknown message: " + kind);
    }
    Step(to.id(), Receive{m});
  }

  // --- stepping, and telling what happened ---
  void Step(MemberId id, const Input& input) {
    MemberModel& m = At(id);
    if (!m.up()) return;
    const Status before = m.core().GetStatus();
    const Effects e = m.Step(places_.at(id).clock, input);
    const Status after = m.core().GetStatus();
    Tell(before, after, e);
    for (const Message& message : e.send_now) Send(message);
    for (const Message& message : e.send_after_durable) {
      if (!quiet_) out_ << "    waits for the disk: " << Text(message) << "\n";
    }
    if (!e.committed.empty()) Step(id, Applied{e.committed.back().index});
  }
  void Tell(const Status& before, const Status& after, const Effects& e) {
    const auto line = [&]() -> std::ostream& { return out_ << "    " << after.self << " "; };
    if (before.role != after.role || before.leader != after.leader ||
        before.hard_state.current_term != after.hard_state.current_term) {
      line() << "is " << Text(after.role);
      if (after.leader && after.role == Role::kFollower) out_ << " of " << after.leader;
      out_ << " in term " << after.hard_state.current_term << "\n";
    }
    if (e.install) {
      line() << "installs " << Text(e.install->last_index, e.install->last_term)
             << (e.keep_log_suffix ? ", keeps what follows" : ", drops its log") << "\n";
    }
    if (e.hard_state && !quiet_) {
      line() << "writes term " << e.hard_state->current_term << " vote " << e.hard_state->voted_for << "\n";
    }
    if (!e.append.empty() && (!quiet_ || e.append.front().index <= before.last)) {
      line() << (e.append.front().index <= before.last ? "replaces by " : "appends ") << Text(e.append)
             << "\n";
    }
    if (!e.committed.empty()) line() << "commits " << Text(e.committed) << "\n";
    for (const ProposeResult& p : e.proposed) {
      if (p.fault) line() << "refuses: " << Text(*p.fault) << "\n";
    }
    for (const ReadResult& r : e.reads) {
      line() << "answers read " << r.id << (r.ok ? ": at " + std::to_string(r.index.value) : ": failed")
             << "\n";
    }
    for (MemberId to : e.need_snapshot) line() << "wants a snapshot for " << to << "\n";
    if (after.refused_messages > before.refused_messages) line() << "refuses the message\n";
    if (after.rival_leaders > before.rival_leaders) line() << "refuses a rival leader\n";
    if (before.transferring_to && !after.transferring_to && after.role == Role::kLeader)
      line() << "gives up the transfer\n";
  }
  void Show() {
    for (MemberId id : TakeMembers()) {
      if (!At(id).up()) {
        out_ << "  " << id << ": down\n";
        continue;
      }
      const Status s = At(id).core().GetStatus();
      out_ << "  " << id << ": " << Text(s.role) << " term " << s.hard_state.current_term << ", log";
      if (s.first > LogIndex{1}) out_ << " [" << Text(s.first - 1, *At(id).core().TermAt(s.first - 1)) << "]";
      for (LogIndex i = s.first; i <= s.last; ++i) out_ << " " << Text(i, *At(id).core().TermAt(i));
      out_ << ", durable " << s.durable << ", commit " << s.commit << "\n";
    }
  }
  void ShowProgress() {
    for (const PeerStatus& p : TakeMember().core().GetStatus().peers) {
      out_ << "  peer " << p.id << ": " << Text(p.state) << ", match " << p.match << ", next " << p.next
           << (p.recent ? "" : ", silent") << "\n";
    }
  }
  void Restart() {
    for (MemberId id : TakeMembers()) At(id).Start(places_.at(id).clock);
  }
  void Crash() {
    for (MemberId id : TakeMembers()) At(id).Crash();
  }

  const std::map<std::string, std::function<void()>> commands_ = {
      {"cluster", [this] { Cluster(); }},
      {"options", [this] { Options(); }},
      {"member", [this] { SetMember(); }},
      {"pass", [this] { Pass(); }},
      {"wait", [this] { Wait(); }},
      {"elect", [this] { Elect(); }},
      {"campaign", [this] { Campaign(); }},
      {"deliver", [this] { Deliver(/*keep=*/false); }},
      {"deliver-copy", [this] { Deliver(/*keep=*/true); }},
      {"drop", [this] { TakeMessages(/*keep=*/false); }},
      {"messages", [this] { ListMessages(); }},
      {"cut", [this] { Cut(); }},
      {"heal", [this] { cuts_.clear(); }},
      {"sync", [this] { SyncCommand(); }},
      {"settle", [this] { Settle(); }},
      {"crash", [this] { Crash(); }},
      {"restart", [this] { Restart(); }},
      {"propose", [this] { ProposeCommand(); }},
      {"configure", [this] { Configure(); }},
      {"read", [this] { Read(); }},
      {"transfer", [this] { Transfer(); }},
      {"compact", [this] { Compact(); }},
      {"snapshot", [this] { Snapshot(); }},
      {"receive", [this] { ReceiveCommand(); }},
      {"receive-snapshot", [this] { ReceiveSnapshot(); }},
      {"show", [this] { Show(); }},
      {"show-progress", [this] { ShowProgress(); }},
  };

  CoreConfig options_;
  Configuration configuration_;
  std::map<MemberId, Place> places_;
  std::vector<Message> net_;
  std::set<std::pair<MemberId, MemberId>> cuts_;
  std::vector<std::string> words_;
  std::ostringstream out_;
  bool quiet_ = false;
};

}  // namespace quorate::raft::scenario
