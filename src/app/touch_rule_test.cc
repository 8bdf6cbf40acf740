// The rule on which answers a pending change touches (zone/pending.h, rsm/touches.h, serve/visits.h), against
// the state machine itself: random commands on random zones, and random questions before and after. An answer
// that differs must have been touched.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "dns/presentation.h"
#include "rsm/replicated_state.h"
#include "rsm/touches.h"
#include "serve/respond.h"
#include "storage/memory/memory_state_store.h"
#include "wire/message.h"

namespace quorate::app {
namespace {

using dns::Name;
using dns::RRset;
using dns::RRType;
using Kind = zone::RRsetEdit::Kind;
using serve::Transport;

Name N(const std::string& text) { return *Name::FromText(text); }

wire::Bytes AsBytes(std::string_view s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

constexpr RRType kDataTypes[] = {RRType::kA,   RRType::kA,     RRType::kA,     RRType::kAAAA,
                                 RRType::kTXT, RRType::kNS,    RRType::kNS,    RRType::kDS,
                                 RRType::kMX,  RRType::kCNAME, RRType::kDNAME, RRType::kCNAME};
constexpr RRType kQuestionTypes[] = {RRType::kA,   RRType::kA,     RRType::kAAAA, RRType::kTXT,
                                     RRType::kNS,  RRType::kDS,    RRType::kMX,   RRType::kCNAME,
                                     RRType::kSOA, RRType::kDNAME, RRType::kANY};

const char* const kApexes[] = {"example.", "a.example.", "b.a.example.", "other.", "."};

class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {}
  Rng& rng() { return rng_; }

  Name Apex() { return N(kApexes[rng_.Chance(1, 10) ? 4 : rng_.Below(4)]); }

  // At or below `apex`.
  Name NameIn(const Name& apex) {
    static constexpr std::string_view kLabels[] = {"a", "b", "*", "B", "ns"};
    std::string text;
    for (uint64_t i = rng_.Below(4); i > 0; --i)
      text += std::string(kLabels[rng_.Below(std::size(kLabels))]) + ".";
    return *Name::FromText(apex.IsRoot() ? (text.empty() ? "." : text) : text + apex.ToText());
  }
  Name AnyName() { return NameIn(rng_.Chance(1, 20) ? N("outside.") : Apex()); }

  std::string Rdata(RRType type) {
    const std::string n = std::to_string(rng_.Below(3));
    switch (type) {
      case RRType::kA:
        return *dns::RdataFromText(type, "192.0.2." + n);
      case RRType::kAAAA:
        return *dns::RdataFromText(type, "2001:db8::" + n);
      case RRType::kTXT:
        return *dns::RdataFromText(type, "t" + n);
      case RRType::kDS:
        return *dns::RdataFromText(type, "1 8 2 0" + n);
      case RRType::kMX:
        return *dns::RdataFromText(type, n + " " + AnyName().ToText());
      default:
        return std::string(AnyName().wire());
    }
  }

  RRset Data(const Name& apex) {
    RRset set{NameIn(apex),
              kDataTypes[rng_.Below(std::size(kDataTypes))],
              60 * static_cast<uint32_t>(1 + rng_.Below(2)),
              {}};
    for (uint64_t i = 1 + rng_.Below(2); i > 0; --i) set.rdata.push_back(Rdata(set.type));
    return set;
  }

  std::vector<RRset> Zone(const Name& apex) {
    std::vector<RRset> zone{
        {apex,
         RRType::kSOA,
         60,
         {*dns::RdataFromText(RRType::kSOA, "ns. h. " + std::to_string(1 + rng_.Below(50)) + " 2 3 4 5")}},
        {apex, RRType::kNS, 60, {std::string(AnyName().wire())}}};
    for (uint64_t i = rng_.Below(12); i > 0; --i) zone.push_back(Data(apex));
    return zone;
  }

  rsm::ZoneChange Change(const Name& apex) {
    rsm::ZoneChange change{apex, {}};
    for (uint64_t i = 1 + rng_.Below(3); i > 0; --i) {
      RRset set = Data(apex);
      zone::RRsetEdit edit{set.owner, set.type, static_cast<Kind>(1 + rng_.Below(4)), set.ttl, set.rdata};
      if (edit.kind == Kind::kDelete) edit.rdata.clear();
      if (edit.kind == Kind::kDelete && rng_.Chance(1, 2)) edit.type = RRType::kANY;
      if (rng_.Chance(1, 30)) {
        edit = {apex,
                RRType::kSOA,
                Kind::kReplace,
                60,
                {*dns::RdataFromText(RRType::kSOA, "ns. h. 99 2 3 4 " + std::to_string(rng_.Below(9)))}};
      }
      change.edits.push_back(std::move(edit));
    }
    return change;
  }

  rsm::Command Command() {
    const Name apex = Apex();
    switch (rng_.Below(20)) {
      case 0:
        return {.body = rsm::ZoneDelete{apex}};
      case 1:
        return {.body = rsm::ZoneReplace{apex, Zone(apex)}};
      case 2:
      case 3:
        return {.body = rsm::ZoneCreate{apex, Zone(apex)}};
      default:
        return {.body = Change(apex)};
    }
  }

  struct Question {
    std::string bytes;
    Transport transport;
  };
  Question Ask() {
    const Name name = rng_.Chance(1, 6) ? Apex() : AnyName();
    const RRType type = kQuestionTypes[rng_.Below(std::size(kQuestionTypes))];
    return {*wire::EncodeMessage(wire::MakeQuery(7, name, type)),
            rng_.Chance(1, 4) ? Transport::kTcp : Transport::kUdp};
  }

 private:
  Rng rng_;
};

// All that a client gets, but the serial in the SOA of a negative answer.
std::string Comparable(wire::Bytes response) {
  auto message = wire::ParseMessage(response);
  EXPECT_TRUE(message.ok());
  bool negative = false;
  for (wire::Record& record : message->authority) {
    if (record.type != RRType::kSOA) continue;
    negative = true;
    dns::Soa soa = *dns::ParseSoa(record.rdata);
    soa.serial = {};
    record.rdata = dns::EncodeSoa(soa);
  }
  if (negative) return *wire::EncodeMessage(*message);
  return {response.begin(), response.end()};
}

struct Answered {
  std::string comparable;
  LogIndex touched;
};
Answered Respond(const Generator::Question& question, const zone::View& view,
                 LogIndex through = zone::kWholeLog) {
  static std::vector<uint8_t> out(65535);
  const serve::Response response =
      serve::Respond(AsBytes(question.bytes), view, question.transport, {}, out, through);
  return {Comparable(wire::Bytes(out).first(response.size)), response.touched};
}

// The log, its effects, and the view as it is published.
class Replica {
 public:
  Replica() {
    state_.Reload();
    versions_.push_back(state_.zones());
  }
  LogIndex Append(const rsm::Command& command) {
    payloads_.push_back(rsm::StampCommand({}, rsm::EncodeCommand(command)));
    const rsm::Entry entry{LogIndex{payloads_.size()}, Term{1}, true, payloads_.back()};
    touches_.push_back({entry.index, rsm::TouchesOf(entry)});
    state_.Apply(entry);
    versions_.push_back(state_.zones());
    return entry.index;
  }
  // `applied` entries applied, the others up to `last` pending.
  zone::View View(LogIndex applied, LogIndex last) const {
    zone::View view;
    view.zones = versions_[applied.value];
    view.applied = applied;
    view.pending = zone::PendingChanges::With(
        nullptr, std::span(touches_).subspan(applied.value, last.value - applied.value));
    return view;
  }

 private:
  storage::MemoryStateStore store_;
  rsm::ReplicatedState state_{store_.map(), {}};
  std::vector<std::string> payloads_;
  std::vector<zone::IndexedTouches> touches_;
  std::vector<std::shared_ptr<const zone::ZoneSet>> versions_;
};

TEST(TouchRule, AnAnswerThatAChangeAltersIsTouchedByIt) {
  uint64_t asked = 0, differing = 0, touched = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Generator generator(seed);
    Replica replica;
    for (int step = 0; step < 80; ++step) {
      const LogIndex index = replica.Append(generator.Command());
      const zone::View before = replica.View(index - 1, index), after = replica.View(index, index);
      for (int i = 0; i < 60; ++i) {
        const Generator::Question question = generator.Ask();
        const Answered old = Respond(question, before), now = Respond(question, after);
        ++asked;
        touched += old.touched ? 1 : 0;
        if (old.comparable == now.comparable) continue;
        ++differing;
        ASSERT_TRUE(old.touched) << "seed " << seed << " step " << step << " question " << i << ": "
                                 << wire::ParseMessage(AsBytes(question.bytes))->questions[0].name.ToText();
        // What waits is released by the change: the other direction of time counts as well.
        ASSERT_FALSE(now.touched);
      }
    }
  }
  EXPECT_GT(differing, 5000u) << "of " << asked;
  EXPECT_LT(touched, asked * 3 / 4) << "the rule would make nearly everything wait";
}

// Reads with a lease as a worker does them, while the entries that were committed before they came are
// applied one by one: what is answered must be right for the moment the lease was checked.
struct Waited {
  std::string comparable;
  int rounds = 0;
};
Waited ReadAndWait(const Replica& replica, const Generator::Question& question, LogIndex applied,
                   LogIndex committed, bool look_again, Rng& rng) {
  const zone::View view = replica.View(applied, committed);
  const LogIndex through = view.pending ? view.pending->last() : LogIndex{};
  Answered answered = Respond(question, view);
  Waited waited;
  for (LogIndex at = applied; answered.touched; ++waited.rounds) {
    at = std::max(at, answered.touched);
    if (rng.Chance(1, 3)) at = std::min(committed, at + rng.Below(3));  // noticed late
    answered = Respond(question, replica.View(at, committed), through);
    if (!look_again) break;
  }
  waited.comparable = std::move(answered.comparable);
  return waited;
}

TEST(TouchRule, AReadThatWaitsIsRightForTheMomentItWasChecked) {
  uint64_t waits = 0, long_waits = 0, wrong_without_looking_again = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Generator generator(1000 + seed);
    Replica replica;
    LogIndex applied;
    for (int i = 0; i < 10; ++i) applied = replica.Append(generator.Command());
    for (int batch = 0; batch < 25; ++batch) {
      LogIndex committed;
      for (uint64_t i = 2 + generator.rng().Below(6); i > 0; --i)
        committed = replica.Append(generator.Command());
      for (int i = 0; i < 60; ++i) {
        const Generator::Question question = generator.Ask();
        const std::string right = Respond(question, replica.View(committed, committed)).comparable;
        const Waited waited = ReadAndWait(replica, question, applied, committed, true, generator.rng());
        ASSERT_EQ(waited.comparable, right)
            << "seed " << seed << " batch " << batch << " question " << i << ": "
            << wire::ParseMessage(AsBytes(question.bytes))->questions[0].name.ToText();
        waits += waited.rounds > 0 ? 1 : 0;
        long_waits += waited.rounds > 1 ? 1 : 0;
        wrong_without_looking_again +=
            ReadAndWait(replica, question, applied, committed, false, generator.rng()).comparable != right
                ? 1
                : 0;
      }
      applied = committed;
    }
  }
  EXPECT_GT(waits, 5000u);
  EXPECT_GT(long_waits, 20u);
  // The reason for looking again: the change that was waited for may lead to names that another one touches.
  EXPECT_GT(wrong_without_looking_again, 0u);
}

}  // namespace
}  // namespace quorate::app
