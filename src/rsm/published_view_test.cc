#include "rsm/published_view.h"

#include <gtest/gtest.h>

#include "dns/presentation.h"
#include "rsm/command.h"
#include "rsm/touches.h"
#include "zone/builder.h"

namespace quorate::rsm {
namespace {

using dns::Name;
using dns::RRType;

Name N(const std::string& text) { return *Name::FromText(text); }

zone::RRsetEdit Edit(const std::string& owner, RRType type = RRType::kA) {
  zone::RRsetEdit edit{.owner = N(owner), .type = type};
  edit.rdata.assign(3, std::string("\xc0\0\2\1", 4));
  return edit;
}
ZoneChange Change(std::vector<zone::RRsetEdit> edits) { return {N("example."), std::move(edits)}; }

std::string Payload(decltype(Command::body) body) {
  return StampCommand({}, EncodeCommand({.idempotency_key = "key",
                                         .if_revision = Revision{300},
                                         .origin = "http 192.0.2.1",
                                         .body = std::move(body)}));
}
zone::Touches TouchesOfPayload(const std::string& payload) {
  return TouchesOf({LogIndex{1}, Term{1}, true, payload});
}
zone::Touches Touched(decltype(Command::body) body) { return TouchesOfPayload(Payload(std::move(body))); }

std::vector<dns::RRset> ManyRecords() {
  std::vector<dns::RRset> rrsets;
  for (int i = 0; i < 1000; ++i)
    rrsets.push_back({N("n" + std::to_string(i) + ".example."), RRType::kA, 60, {std::string(4, '\1')}});
  return rrsets;
}

TEST(TouchesOf, AChangeIsTheSubtreesOfItsOwnersAndTheSerial) {
  const zone::Touches touches =
      Touched(Change({Edit("a.example."), Edit("x.b.example."), Edit("y.a.example.")}));
  EXPECT_EQ(touches.subtrees, (std::vector{N("a.example."), N("b.example.")}));
  EXPECT_EQ(touches.serials, std::vector{N("example.")});
  EXPECT_FALSE(touches.everything);
}

TEST(TouchesOf, AWholeZoneIsItsApexWhateverIsInIt) {
  const zone::Touches expected{.subtrees = {N("example.")}, .serials = {}};
  EXPECT_EQ(Touched(ZoneCreate{N("example."), ManyRecords()}), expected);
  EXPECT_EQ(Touched(ZoneReplace{N("example."), ManyRecords()}), expected);
  EXPECT_EQ(Touched(ZoneSettings{N("example."), {}}), expected);
}

TEST(TouchesOf, OfAnImportOnlyTheApexIsRead) {
  std::string payload = Payload(ZoneReplace{N("example."), ManyRecords()});
  payload.resize(payload.size() / 2);
  EXPECT_EQ(TouchesOfPayload(payload).subtrees, std::vector{N("example.")});
}

TEST(TouchesOf, AChangeOfManySubtreesIsTheZone) {
  std::vector<zone::RRsetEdit> edits;
  for (const dns::RRset& rrset : ManyRecords()) edits.push_back(Edit(rrset.owner.ToText()));
  EXPECT_EQ(Touched(Change(std::move(edits))).subtrees, std::vector{N("example.")});
}

TEST(TouchesOf, ASeedIsEverythingAndTheStoreIsNothing) {
  EXPECT_TRUE(Touched(ZoneDelete{N("example.")}).everything);  // a catalog may have listed it
  EXPECT_TRUE(Touched(ZoneSettings{N("example."), "catalog=catalog."}).everything);
  EXPECT_TRUE(Touched(Seed{{{N("example."), {}}}}).everything);
  EXPECT_TRUE(Touched(KvTxn{kv::SingleOp(kv::PutRequest{.key = "k", .value = "v"})}).empty());
  EXPECT_TRUE(Touched(KvCompact{Revision{3}}).empty());
  EXPECT_TRUE(TouchesOf({LogIndex{1}, Term{1}, false, Payload(ZoneDelete{N("example.")})}).empty());
}

TEST(TouchesOf, WhatDoesNotDecodeIsNothingAndHarmless) {
  const std::string payload = Payload(Change({Edit("a.example."), Edit("b.example.")}));
  for (size_t size = 0; size < payload.size(); ++size)
    EXPECT_TRUE(TouchesOfPayload(payload.substr(0, size)).empty()) << size;
  EXPECT_TRUE(TouchesOfPayload(std::string(200, '\xff')).everything) << "a version of which nothing is known";
}

// What decodes has the touches of its edits: the light reading agrees with the full one, whatever is in it.
TEST(TouchesOf, WhateverDecodesIsReadAlike) {
  std::string payload = Payload(Change({Edit("a.example."), Edit("x.b.example.", RRType::kNS)}));
  size_t decoded = 0;
  for (size_t at = 16; at < payload.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = payload;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      const auto command = DecodeCommand(ParseStamped(damaged)->command);
      const auto* change = command.ok() ? std::get_if<ZoneChange>(&command->body) : nullptr;
      if (change == nullptr) continue;
      ++decoded;
      zone::Touches expected;
      for (const zone::RRsetEdit& edit : change->edits)
        zone::AddRecordTouch(change->apex, edit.owner, edit.type, expected);
      ASSERT_EQ(TouchesOfPayload(damaged).subtrees, expected.subtrees);
    }
  }
  EXPECT_GT(decoded, 1000u);
}

std::shared_ptr<const zone::ZoneSet> NoZones() { return std::make_shared<const zone::ZoneSet>(); }

class PublishedViewTest : public testing::Test {
 protected:
  void Append(uint64_t index, decltype(Command::body) body) {
    const std::string payload = Payload(std::move(body));
    const Entry entry{LogIndex{index}, Term{1}, true, payload};
    view.Append({&entry, 1});
  }
  std::shared_ptr<const zone::View> Now() { return hub.Get(); }
  uint64_t Pending(const std::string& name) {
    const auto now = Now();
    return now->pending ? now->pending->LastTouching(N(name).wire()).value : 0;
  }

  ViewHub<zone::View> hub{std::make_shared<const zone::View>()};
  PublishedView view{hub};
};

TEST_F(PublishedViewTest, AnEntryIsPendingFromItsAppendAndLeavesWithItsEffect) {
  Append(1, Change({Edit("a.example.")}));
  EXPECT_EQ(Pending("a.example."), 1u);
  EXPECT_EQ(Pending("b.example."), 0u);
  const auto before = Now(), zones = before;
  const auto effect = NoZones();
  view.Applied(LogIndex{1}, effect);
  EXPECT_EQ(Now()->pending, nullptr);
  EXPECT_EQ(Now()->zones, effect);
  EXPECT_EQ(Now()->applied, LogIndex{1});
  EXPECT_NE(before->pending, nullptr) << "a version never changes";
}

TEST_F(PublishedViewTest, SeveralEntriesAreOneVersion) {
  const std::string a = Payload(Change({Edit("a.example.")})), b = Payload(Change({Edit("b.example.")}));
  const Entry entries[] = {
      {LogIndex{1}, Term{1}, false, ""}, {LogIndex{2}, Term{1}, true, a}, {LogIndex{3}, Term{1}, true, b}};
  ViewHub<zone::View>::Reader reader(hub);
  const uint64_t version = reader.version();
  view.Append(entries);
  reader.Refresh();
  EXPECT_EQ(reader.version(), version + 1);
  EXPECT_EQ(Pending("a.example."), 2u);
  EXPECT_EQ(Pending("b.example."), 3u);
}

TEST_F(PublishedViewTest, WhatDoesNotConcernDnsPublishesNothing) {
  const auto zones = NoZones();
  view.Applied(LogIndex{1}, zones);
  Append(5, Change({Edit("a.example.")}));
  const auto before = Now();
  Append(6, KvCompact{Revision{1}});
  view.Applied(LogIndex{2}, zones);
  view.Applied(LogIndex{4}, zones);
  view.TruncateFrom(LogIndex{6});
  EXPECT_EQ(Now(), before);
  view.Applied(LogIndex{5}, zones);  // refused, say: nothing changed, but who waits for it must go on
  EXPECT_EQ(Now()->applied, LogIndex{5});
  EXPECT_EQ(Now()->pending, nullptr);
}

TEST_F(PublishedViewTest, WhatIsCutOffIsCountedSoThatWhoWaitsForItAsksAnew) {
  Append(1, Change({Edit("a.example.")}));
  Append(2, Change({Edit("a.example.")}));
  EXPECT_EQ(Now()->truncations, 0u);
  view.TruncateFrom(LogIndex{2});
  EXPECT_EQ(Now()->truncations, 1u);
  EXPECT_EQ(Pending("a.example."), 1u);
  Append(2, Change({Edit("b.example.")}));
  EXPECT_EQ(Pending("a.example."), 1u);
  EXPECT_EQ(Pending("b.example."), 2u);
}

TEST_F(PublishedViewTest, WhileAStateIsInstalledEveryAnswerWaitsForIt) {
  Append(1, Change({Edit("a.example.")}));
  view.Installing(LogIndex{10});
  EXPECT_EQ(Pending("elsewhere."), 10u);
  Append(11, Change({Edit("b.example.")}));
  const auto installed = NoZones();
  view.Applied(LogIndex{10}, installed);
  EXPECT_EQ(Pending("elsewhere."), 0u);
  EXPECT_EQ(Pending("b.example."), 11u);
  EXPECT_EQ(Now()->zones, installed);
}

TEST_F(PublishedViewTest, EntriesWhoseEffectIsThereAlreadyAreNotPending) {
  view.Applied(LogIndex{3}, NoZones());  // as after a restart
  const auto before = Now();
  Append(3, Change({Edit("a.example.")}));
  EXPECT_EQ(Now(), before);
  Append(4, Change({Edit("a.example.")}));
  EXPECT_EQ(Pending("a.example."), 4u);
}

}  // namespace
}  // namespace quorate::rsm
