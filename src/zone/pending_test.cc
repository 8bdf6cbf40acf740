#include "zone/pending.h"

#include <algorithm>

#include "base/limits.h"
#include "base/rng.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {
namespace {

using dns::Name;
using dns::RRType;

Touches Subtrees(std::vector<std::string> names) {
  Touches touches;
  for (const std::string& name : names) touches.subtrees.push_back(N(name));
  return touches;
}
Touches RecordTouch(const std::string& apex, const std::string& owner, RRType type = RRType::kA) {
  Touches touches;
  AddRecordTouch(N(apex), N(owner), type, touches);
  return touches;
}
uint64_t Last(const PendingPtr& pending, const std::string& name, uint64_t through = ~uint64_t{0}) {
  return pending ? pending->LastTouching(N(name).wire(), LogIndex{through}).value : 0;
}
uint64_t LastSerial(const PendingPtr& pending, const std::string& name) {
  return pending ? pending->LastTouchingSerial(N(name).wire()).value : 0;
}
PendingPtr Add(const PendingPtr& before, uint64_t index, const Touches& touches) {
  return PendingChanges::With(before, LogIndex{index}, touches);
}

TEST(AddRecordTouch, IsTheSubtreeOfTheLabelJustBelowTheApex) {
  EXPECT_EQ(RecordTouch("example.", "www.example."), Subtrees({"www.example."}));
  EXPECT_EQ(RecordTouch("example.", "x.y.WWW.example."), Subtrees({"www.example."}));
  EXPECT_EQ(RecordTouch("example.", "*.www.example."), Subtrees({"www.example."}));
  EXPECT_EQ(RecordTouch(".", "x.org."), Subtrees({"org."}));
}

TEST(AddRecordTouch, IsTheZoneForTheApexAWildcardBelowItAndDenialOfExistence) {
  for (const char* owner : {"example.", "*.example.", "x.*.example."})
    EXPECT_EQ(RecordTouch("example.", owner), Subtrees({"example."})) << owner;
  for (const RRType type : {RRType::kNSEC, RRType::kNSEC3, RRType::kNSEC3PARAM})
    EXPECT_EQ(RecordTouch("example.", "www.example.", type), Subtrees({"example."}));
}

TEST(AddRecordTouch, KeepsOneTouchForASubtreeAndTheZoneAlone) {
  Touches touches = RecordTouch("example.", "a.example.");
  AddRecordTouch(N("example."), N("x.a.example."), RRType::kTXT, touches);
  AddRecordTouch(N("example."), N("b.example."), RRType::kTXT, touches);
  EXPECT_EQ(touches, Subtrees({"a.example.", "b.example."}));
  AddRecordTouch(N("example."), N("example."), RRType::kMX, touches);
  AddRecordTouch(N("example."), N("c.example."), RRType::kA, touches);
  EXPECT_EQ(touches, Subtrees({"example."}));
}

TEST(AddRecordTouch, OverItsLimitIsTheZone) {
  Touches touches;
  for (size_t i = 0; i <= kTouchesPerEntryMax; ++i)
    AddRecordTouch(N("example."), N("n" + std::to_string(i) + ".example."), RRType::kA, touches);
  EXPECT_EQ(touches, Subtrees({"example."}));
}

TEST(PendingChanges, TouchNamesAtAndBelowAnySuffixInAnyCase) {
  const PendingPtr pending = Add(Add(nullptr, 5, Subtrees({"www.example."})), 7, Subtrees({"org."}));
  EXPECT_EQ(Last(pending, "WWW.example."), 5u);
  EXPECT_EQ(Last(pending, "a.b.www.Example."), 5u);
  EXPECT_EQ(Last(pending, "example."), 0u);
  EXPECT_EQ(Last(pending, "wwww.example."), 0u);
  EXPECT_EQ(Last(pending, "x.org."), 7u);
  EXPECT_EQ(Last(pending, "."), 0u);
  EXPECT_EQ(Last(Add(pending, 9, Subtrees({"."})), "."), 9u);
  EXPECT_EQ(pending->last(), LogIndex{7});
}

TEST(PendingChanges, TheLastIndexUpToTheLimitCounts) {
  PendingPtr pending;
  for (const uint64_t index : {3u, 6u, 9u}) pending = Add(pending, index, Subtrees({"www.example."}));
  pending = Add(pending, 7, Subtrees({"example."}));
  EXPECT_EQ(Last(pending, "www.example."), 9u);
  EXPECT_EQ(Last(pending, "www.example.", 8), 7u);
  EXPECT_EQ(Last(pending, "www.example.", 6), 6u);
  EXPECT_EQ(Last(pending, "www.example.", 2), 0u);
}

TEST(PendingChanges, TheSerialTouchesOnlyThoseWhoAskForIt) {
  Touches touches = Subtrees({"www.example."});
  touches.serials.push_back(N("example."));
  const PendingPtr pending = Add(nullptr, 4, touches);
  EXPECT_EQ(LastSerial(pending, "EXAMPLE."), 4u);
  EXPECT_EQ(LastSerial(pending, "a.example."), 0u);
  EXPECT_EQ(LastSerial(pending, "www.example."), 4u);
  EXPECT_EQ(Last(pending, "example."), 0u);
}

TEST(PendingChanges, WhatTouchesNothingChangesNothing) {
  EXPECT_EQ(Add(nullptr, 1, {}), nullptr);
  const PendingPtr pending = Add(nullptr, 1, Subtrees({"a."}));
  EXPECT_EQ(Add(pending, 2, {}), pending);
  EXPECT_EQ(PendingChanges::Without(pending, LogIndex{0}), pending);
  EXPECT_EQ(PendingChanges::Truncated(pending, LogIndex{2}), pending);
  EXPECT_EQ(PendingChanges::Without(nullptr, LogIndex{9}), nullptr);
  EXPECT_EQ(PendingChanges::Truncated(nullptr, LogIndex{1}), nullptr);
}

TEST(PendingChanges, WhatIsAppliedOrCutOffLeaves) {
  PendingPtr pending;
  for (const uint64_t index : {3u, 6u, 9u}) pending = Add(pending, index, Subtrees({"www.example."}));
  EXPECT_EQ(Last(PendingChanges::Truncated(pending, LogIndex{9}), "www.example."), 6u);
  EXPECT_EQ(Last(PendingChanges::Truncated(pending, LogIndex{4}), "www.example."), 3u);
  EXPECT_EQ(PendingChanges::Truncated(pending, LogIndex{3}), nullptr);
  EXPECT_EQ(Last(PendingChanges::Without(pending, LogIndex{8}), "www.example.", 8), 0u);
  EXPECT_EQ(Last(PendingChanges::Without(pending, LogIndex{8}), "www.example."), 9u);
  EXPECT_EQ(PendingChanges::Without(pending, LogIndex{9}), nullptr);
}

TEST(PendingChanges, EverythingTouchesEveryNameUntilItIsApplied) {
  PendingPtr pending = Add(nullptr, 2, Subtrees({"a."}));
  pending = Add(pending, 5, {.everything = true, .subtrees = {}, .serials = {}});
  pending = Add(pending, 8, Subtrees({"a."}));
  EXPECT_EQ(Last(pending, "b."), 5u);
  EXPECT_EQ(Last(pending, "a."), 8u);
  EXPECT_EQ(Last(PendingChanges::Without(pending, LogIndex{4}), "b."), 5u);
  EXPECT_EQ(Last(PendingChanges::Without(pending, LogIndex{5}), "b."), 0u);
  EXPECT_EQ(Last(PendingChanges::Without(pending, LogIndex{5}), "a."), 8u);
  // What it covered may not come back as nothing when it is cut off again.
  EXPECT_EQ(Last(PendingChanges::Truncated(pending, LogIndex{5}), "a."), 4u);
  EXPECT_EQ(PendingChanges::Truncated(pending, LogIndex{2}), nullptr);
}

TEST(PendingChanges, AStateThatIsInstalledTouchesEverythingUpToItsIndex) {
  PendingPtr pending = Add(Add(nullptr, 2, Subtrees({"a."})), 12, Subtrees({"c."}));
  pending = PendingChanges::WithEverything(pending, LogIndex{10});
  EXPECT_EQ(Last(pending, "b."), 10u);
  EXPECT_EQ(Last(pending, "c."), 12u);
  EXPECT_EQ(Last(PendingChanges::Without(pending, LogIndex{10}), "b."), 0u);
  EXPECT_EQ(Last(PendingChanges::Without(pending, LogIndex{10}), "c."), 12u);
}

TEST(PendingChanges, TooManyCollapseUntilAllOfThemAreApplied) {
  PendingPtr pending;
  uint64_t index = 0;
  while (index < limits::kPendingTouchesMax) {
    ++index;
    pending = Add(pending, index, Subtrees({"n" + std::to_string(index) + ".example."}));
  }
  EXPECT_EQ(Last(pending, "other."), 0u);
  EXPECT_EQ(Last(pending, "n7.example."), 7u);
  ++index;
  pending = Add(pending, index, Subtrees({"last.example."}));
  EXPECT_EQ(Last(pending, "other."), index);
  const PendingPtr later = Add(pending, index + 1, Subtrees({"later.example."}));
  EXPECT_EQ(Last(later, "other."), index);
  EXPECT_EQ(Last(later, "later.example."), index + 1);
  EXPECT_EQ(Last(PendingChanges::Without(later, LogIndex{index - 1}), "other."), index);
  EXPECT_EQ(Last(PendingChanges::Without(later, LogIndex{9}), "other.", 9), 0u) << "that one is applied";
  EXPECT_EQ(Last(PendingChanges::Without(later, LogIndex{9}), "other.", 10), 10u);
  EXPECT_EQ(Last(PendingChanges::Without(later, LogIndex{index}), "other."), 0u);
  EXPECT_EQ(Last(PendingChanges::Without(later, LogIndex{index}), "later.example."), index + 1);
}

// A list of entries, searched by brute force.
class Model {
 public:
  void Add(uint64_t index, const std::string& subtree) { entries_.emplace_back(index, N(subtree)); }
  void KeepAbove(uint64_t applied) {
    std::erase_if(entries_, [&](const auto& e) { return e.first <= applied; });
  }
  void KeepBelow(uint64_t from) {
    std::erase_if(entries_, [&](const auto& e) { return e.first >= from; });
  }
  uint64_t Last(const std::string& name, uint64_t through) const {
    uint64_t last = 0;
    for (const auto& [index, subtree] : entries_) {
      if (index <= through && N(name).IsAtOrBelow(subtree)) last = std::max(last, index);
    }
    return last;
  }

 private:
  std::vector<std::pair<uint64_t, Name>> entries_;
};

TEST(PendingChanges, AgreeWithAListOfEntriesWhateverIsAddedAppliedAndCutOff) {
  const auto random_name = [](Rng& rng) {
    std::string name;
    for (uint64_t i = rng.Below(4); i > 0; --i)
      name += std::string(1, static_cast<char>('a' + rng.Below(4))) + ".";
    return name.empty() ? std::string(".") : name;
  };
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    Model model;
    PendingPtr pending;
    uint64_t applied = 0, last = 0;
    for (int step = 0; step < 400; ++step) {
      if (rng.Chance(3, 5)) {
        const std::string name = random_name(rng);
        model.Add(++last, name);
        pending = Add(pending, last, Subtrees({name}));
      } else if (rng.Chance(2, 3)) {
        applied += rng.Below(last - applied + 1);
        model.KeepAbove(applied);
        pending = PendingChanges::Without(pending, LogIndex{applied});
      } else {
        const uint64_t from = applied + 1 + rng.Below(last - applied + 1);
        model.KeepBelow(from);
        pending = PendingChanges::Truncated(pending, LogIndex{from});
        last = from - 1;
      }
      for (int i = 0; i < 10; ++i) {
        const std::string name = random_name(rng);
        const uint64_t through = rng.Chance(1, 2) ? ~uint64_t{0} : applied + rng.Below(last - applied + 2);
        ASSERT_EQ(Last(pending, name, through), model.Last(name, through)) << "seed " << seed << " " << name;
      }
    }
  }
}

}  // namespace
}  // namespace quorate::zone
