// Every rung of the ladder, with a clock and a gate that obey.
#include "serve/read_path.h"

#include <array>

#include "serve/counting_new.h"
#include "serve/held_queries.h"
#include "serve/test_util.h"

namespace quorate::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ManualClock final : public Clock {
 public:
  BootTime Boot() const override { return now; }
  WallTime Wall() const override { return {}; }
  BootTime now{seconds(1000)};
};

constexpr Duration kBudget = milliseconds(250);

zone::IndexedTouches Pending(uint64_t index, const std::string& subtree, bool serial = false) {
  zone::IndexedTouches entry{.index = LogIndex{index}, .touches = {}};
  (serial ? entry.touches.serials : entry.touches.subtrees).push_back(*dns::Name::FromText(subtree));
  return entry;
}

std::shared_ptr<const zone::ZoneSet> Zones(const std::string& www, const std::string& consistency) {
  auto zones = std::make_shared<zone::ZoneSet>();
  for (const char* apex : {"example.", "other."}) {
    const std::string text = "@ 60 SOA ns h 1 1 1 1 60\n@ 60 NS ns\nwww 60 " + www +
                             "\nmail 60 MX 1 www.other.\nns 60 A 192.0.2.53\nalias 60 CNAME www.other.\n"
                             "child 60 NS ns.child\nns.child 60 A 192.0.2.54\n* 60 TXT w\n";
    zones->Put(
        ZonesFrom(apex, text)->Get(dns::Name::FromText(apex)->wire()),
        {.consistency = *ParseConsistency(std::string_view(apex) == "example." ? consistency : "local")});
  }
  return zones;
}

class ReadPathTest : public testing::Test {
 protected:
  void Publish(const std::string& www, uint64_t applied, std::vector<zone::IndexedTouches> pending = {},
               uint64_t truncations = 0) {
    auto view = std::make_shared<zone::View>();
    view->zones = Zones(www, consistency);
    view->applied = LogIndex{applied};
    view->pending = zone::PendingChanges::With(nullptr, pending);
    view->truncations = truncations;
    views.Publish(std::move(view));
  }
  void Lease(bool held) { gate.local = held; }
  void Pass(Duration duration) { clock.now = clock.now + duration; }

  // "held", or what came back.
  std::string Describe(const ReadPath::Reply& reply) {
    if (!reply)
      return wait.for_barrier ? "held for a barrier" : "held until " + std::to_string(wait.target.value);
    const auto message = wire::ParseMessage(wire::Bytes(out).first(*reply));
    if (!message.ok()) return "unreadable";
    std::string text = Summary({reinterpret_cast<const char*>(out.data()), *reply}).substr(2);
    if (!message->edns) return text + " without EDNS";
    for (const wire::EdnsOption& option : message->edns->options)
      text += " option " + std::to_string(option.code) + ":" + std::to_string(option.data.at(1));
    return text;
  }
  std::string Ask(const std::string& name, dns::RRType type = dns::RRType::kA) {
    query = Query(1, name, type);
    path.Look();
    return Describe(path.Start({wire::AsBytes(query), Transport::kUdp}, out, wait));
  }
  std::string Resume() {
    path.Look();
    return Describe(path.Resume({wire::AsBytes(query), Transport::kUdp}, out, wait));
  }

  std::string consistency = "linearizable";
  ViewHub<zone::View> views{std::make_shared<const zone::View>()};
  FakeGate gate;
  ManualClock clock;
  std::atomic<LeaderHealth> health{LeaderHealth::kNoLeader};
  RespondConfig config;
  WorkerCounters counters;
  int woken = 0;
  ReadPath path{{views, gate, clock, health}, config, kBudget, counters, [this] { ++woken; }};
  std::array<uint8_t, 4096> out;
  std::string query;
  Wait wait;
};

TEST_F(ReadPathTest, WithALeaseWhatNothingPendingTouchesIsAnsweredAtOnce) {
  Lease(true);
  Publish("A 192.0.2.1", 4, {Pending(5, "ftp.example."), Pending(6, "www.elsewhere.")});
  EXPECT_EQ(Ask("www.example."), "0 192.0.2.1");
  EXPECT_EQ(Ask("example.", dns::RRType::kSOA).substr(0, 1), "0");
  EXPECT_EQ(gate.begun, 0u);
  EXPECT_EQ(counters.Read().held_pending, 0u);
}

TEST_F(ReadPathTest, EveryNameThatTheLookUpVisitsCounts) {
  Lease(true);
  const std::pair<const char*, const char*> visited[] = {{"example.", "www.other."},
                                                         {"www.other.", "alias.example."},
                                                         {"nothing.example.", "nothing.example."},
                                                         {"ns.child.example.", "x.child.example."},
                                                         {"www.example.", "a.www.example."},
                                                         {"nowhere.", "www.nowhere."}};
  Publish("A 192.0.2.1", 4, {Pending(5, "www.other.")});
  EXPECT_EQ(Ask("alias.example."), "held until 5");
  EXPECT_EQ(Ask("mail.example.", dns::RRType::kMX), "held until 5");
  EXPECT_EQ(Ask("www.example."), "0 192.0.2.1");
  for (const auto& [subtree, name] : visited) {
    if (std::string_view(subtree) == "example.") continue;
    Publish("A 192.0.2.1", 4, {Pending(5, subtree)});
    EXPECT_EQ(Ask(name), "held until 5") << subtree << " " << name;
  }
}

TEST_F(ReadPathTest, TheAutomaticSerialTouchesSoaAndAnyAtTheApexOnly) {
  Lease(true);
  Publish("A 192.0.2.1", 4, {Pending(5, "example.", true)});
  EXPECT_EQ(Ask("example.", dns::RRType::kSOA), "held until 5");
  EXPECT_EQ(Ask("example.", dns::RRType::kANY), "held until 5");
  EXPECT_EQ(Ask("example.", dns::RRType::kNS), "0 ns.example.");
  EXPECT_EQ(Ask("www.example.", dns::RRType::kAAAA), "0");
}

TEST_F(ReadPathTest, AHeldQueryIsAnsweredFromTheViewThatHasWhatItWaitsForEvenWithoutALease) {
  Lease(true);
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example."), Pending(7, "www.example.")});
  EXPECT_EQ(Ask("www.example."), "held until 7");
  EXPECT_EQ(counters.Read().held_pending, 1u);
  Publish("A 192.0.2.2", 6, {Pending(7, "www.example.")});
  EXPECT_EQ(Resume(), "held until 7");
  Lease(false);
  Publish("A 192.0.2.3", 7, {Pending(8, "www.example.")});
  EXPECT_EQ(Resume(), "0 192.0.2.3") << "what came after the check does not count";
  EXPECT_EQ(gate.begun, 0u);
}

TEST_F(ReadPathTest, WhereTheChangeLeadsMustBeAsNewAsTheCheck) {
  Lease(true);
  // At 5 www becomes an alias of www.other., which 6 changes: both were committed before the query came.
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example."), Pending(6, "www.other.")});
  EXPECT_EQ(Ask("www.example."), "held until 5");
  Publish("CNAME ns.other.", 5, {Pending(6, "ns.other.")});
  EXPECT_EQ(Resume(), "held until 6");
  Publish("CNAME ns.other.", 6, {Pending(7, "ns.other.")});
  EXPECT_EQ(Resume(), "0 ns.other.");
}

TEST_F(ReadPathTest, WhenPendingEntriesWereCutOffItReadsAgain) {
  Lease(true);
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example.")});
  EXPECT_EQ(Ask("www.example."), "held until 5");
  Publish("A 192.0.2.1", 4, {Pending(9, "www.example.")}, 1);
  EXPECT_EQ(Resume(), "held until 9");
  Publish("A 192.0.2.1", 4, {}, 2);
  EXPECT_EQ(Resume(), "0 192.0.2.1");
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example.")}, 2);
  EXPECT_EQ(Ask("www.example."), "held until 5");
  Lease(false);
  Publish("A 192.0.2.1", 4, {}, 3);
  EXPECT_EQ(Resume(), "held for a barrier") << "without a lease nothing can be said of the new log";
}

TEST_F(ReadPathTest, OverTheBudgetItWaitsForABarrierAndNoLongerThanTheBudgetOnceMore) {
  Lease(true);
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example.")});
  EXPECT_EQ(Ask("www.example."), "held until 5");
  Pass(kBudget - milliseconds(1));
  EXPECT_EQ(Resume(), "held until 5");
  Pass(milliseconds(1));
  EXPECT_EQ(Resume(), "held for a barrier");
  EXPECT_EQ(gate.begun, 1u);
  Pass(kBudget - milliseconds(1));
  EXPECT_EQ(Resume(), "held for a barrier") << "the lease is there, and so is what touches the answer";
  Pass(milliseconds(1));
  EXPECT_EQ(Resume(), "2 option 15:23");
  EXPECT_EQ(counters.Read().hold_expired, 1u);
}

TEST_F(ReadPathTest, ABarrierThatCompletesAnswersWhateverIsPending) {
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example.")});
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  gate.CompleteAll();
  EXPECT_GT(woken, 0);
  EXPECT_EQ(Resume(), "0 192.0.2.1");
}

TEST_F(ReadPathTest, OneLookIsOneBarrierForAWholeBatch) {
  Publish("A 192.0.2.1", 4);
  path.Look();
  query = Query(1, "www.example.");
  Wait first, second;
  EXPECT_FALSE(path.Start({wire::AsBytes(query), Transport::kUdp}, out, first));
  EXPECT_FALSE(path.Start({wire::AsBytes(query), Transport::kUdp}, out, second));
  EXPECT_EQ(first.ticket, second.ticket);
  EXPECT_EQ(gate.begun, 1u);
}

TEST_F(ReadPathTest, ABarrierThatWasBegunBeforeTheQueryCameIsNotItsOwn) {
  Publish("A 192.0.2.1", 4);
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  const Wait earlier = wait;
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  EXPECT_GT(wait.ticket, earlier.ticket);
}

TEST_F(ReadPathTest, WhenTheLeaseComesBackWhatIsUntouchedNeedsItsBarrierNoLonger) {
  Publish("A 192.0.2.1", 4);
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  Lease(true);
  EXPECT_EQ(Resume(), "0 192.0.2.1");
}

TEST_F(ReadPathTest, ALinearizableZoneIsServfailWithoutABarrier) {
  Publish("A 192.0.2.1", 4);
  gate.fresh = clock.now.since_boot;
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  Pass(kBudget);
  EXPECT_EQ(Resume(), "2 option 15:23");
  EXPECT_EQ(Ask("www.example."), "held for a barrier") << "it may be back at any moment";
  EXPECT_EQ(counters.Read().stale_answers, 0u);
}

TEST_F(ReadPathTest, ALocalZoneIsAnsweredFlaggedAndCounted) {
  consistency = "local";
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example.")});
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  Pass(kBudget);
  EXPECT_EQ(Resume(), "0 192.0.2.1 option 15:3");
  EXPECT_EQ(counters.Read().stale_answers, 1u);
  EXPECT_EQ(counters.Read().hold_expired, 0u);
}

TEST_F(ReadPathTest, ABoundedZoneIsAnsweredWithinItsBoundAndServfailBeyond) {
  consistency = "bounded=5s";
  Publish("A 192.0.2.1", 4);
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  Pass(kBudget);
  gate.fresh = (clock.now - seconds(5)).since_boot;
  EXPECT_EQ(Resume(), "0 192.0.2.1 option 15:3");
  Pass(milliseconds(1));
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  Pass(kBudget);
  EXPECT_EQ(Resume(), "2 option 15:23");
  gate.fresh = kNeverFresh.since_boot;
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  Pass(kBudget);
  EXPECT_EQ(Resume(), "2 option 15:23");
}

TEST_F(ReadPathTest, TheStrictestZoneOfTheLookUpDecides) {
  consistency = "linearizable";
  Publish("A 192.0.2.1", 4);
  const auto at_the_end = [&](const std::string& name, dns::RRType type = dns::RRType::kA) {
    std::string answer = Ask(name, type);
    if (answer != "held for a barrier") return answer;
    Pass(kBudget);
    return Resume();
  };
  EXPECT_EQ(at_the_end("www.other."), "0 192.0.2.1 option 15:3");
  EXPECT_EQ(at_the_end("alias.example."), "2 option 15:23");
  EXPECT_EQ(at_the_end("nowhere."), "2 option 15:23") << "no zone: linearizable";
  consistency = "local";
  Publish("A 192.0.2.1", 4);
  EXPECT_EQ(at_the_end("alias.example."), "0 www.other. option 15:3");
}

TEST_F(ReadPathTest, WhileBarriersFailNobodyWaitsWhereTheZoneDoesNotAskForIt) {
  consistency = "local";
  Publish("A 192.0.2.1", 4);
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  Pass(kBudget);
  EXPECT_EQ(Resume(), "0 192.0.2.1 option 15:3");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask("www.example."), "0 192.0.2.1 option 15:3");
  EXPECT_EQ(gate.begun, 2u) << "one barrier at a time is enough to find out";
  Pass(kBudget);
  EXPECT_EQ(Ask("www.example."), "0 192.0.2.1 option 15:3");
  EXPECT_EQ(gate.begun, 3u);
  gate.CompleteAll();
  EXPECT_EQ(Ask("www.example."), "held for a barrier");
  gate.CompleteAll();
  EXPECT_EQ(Resume(), "0 192.0.2.1");
}

TEST_F(ReadPathTest, AClientWithoutEdnsGetsNoExtendedError) {
  consistency = "local";
  Publish("A 192.0.2.1", 4);
  Ask("www.example.");
  wire::Message plain = wire::MakeQuery(1, *dns::Name::FromText("www.example."), dns::RRType::kA);
  plain.edns.reset();
  query = *wire::EncodeMessage(plain);
  Pass(kBudget);
  EXPECT_EQ(Resume(), "0 192.0.2.1 without EDNS");
}

TEST_F(ReadPathTest, PublicationsWakeOnlyWhileSomethingPendingIsWaitedFor) {
  Lease(true);
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example.")});
  EXPECT_EQ(woken, 0);
  Ask("www.example.");
  EXPECT_EQ(woken, 1) << "for what may have been published in between";
  Publish("A 192.0.2.1", 5);
  EXPECT_EQ(woken, 2);
  Resume();
  path.KeepWaiting(false);
  Publish("A 192.0.2.1", 6);
  EXPECT_EQ(woken, 2);
}

TEST_F(ReadPathTest, NothingIsAllocatedOnAnyRung) {
  consistency = "bounded=5s";
  Publish("A 192.0.2.1", 4, {Pending(5, "www.example."), Pending(6, "www.other.")});
  HeldQueries held(8, 1000);
  query = Query(1, "www.example.");
  const size_t before = AllocationsOfThisThread();
  Lease(true);
  path.Look();
  ASSERT_FALSE(path.Start({wire::AsBytes(query), Transport::kUdp}, out, wait));
  ASSERT_TRUE(held.TryPush({.wait = wait}, wire::AsBytes(query)));
  Pass(kBudget);
  Lease(false);
  for (int i = 0; i < 3; ++i) {
    path.Look();
    const auto size = path.Resume({held.bytes(held.front()), Transport::kUdp}, out, held.at(0).wait);
    ASSERT_EQ(size.has_value(), i == 2);
    Pass(kBudget / 2);
  }
  EXPECT_EQ(AllocationsOfThisThread(), before);
}

}  // namespace
}  // namespace quorate::serve
