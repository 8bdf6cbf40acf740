#include "rsm/grows.h"

#include <gtest/gtest.h>

namespace quorate::rsm {
namespace {

using Kind = zone::RRsetEdit::Kind;

bool TxnGrows(kv::TxnRequest txn) { return Grows({.body = KvTxn{std::move(txn)}}); }
bool EditsGrow(std::vector<zone::RRsetEdit> edits) {
  return Grows({.body = ZoneChange{.edits = std::move(edits)}});
}

TEST(Grows, WhatPutsGrowsAndWhatDeletesOrReadsDoesNot) {
  EXPECT_TRUE(TxnGrows(kv::SingleOp(kv::PutRequest{.key = "k"})));
  EXPECT_FALSE(TxnGrows(kv::SingleOp(kv::DeleteRangeRequest{})));
  EXPECT_FALSE(TxnGrows(kv::SingleOp(kv::RangeRequest{})));
  EXPECT_FALSE(Grows({.body = KvCompact{}}));
}

TEST(Grows, APutInAnyBranchAndAtAnyDepthCounts) {
  kv::TxnRequest fails;
  fails.failure.push_back(kv::PutRequest{.key = "k"});
  EXPECT_TRUE(TxnGrows(fails));
  EXPECT_TRUE(TxnGrows(kv::SingleOp(std::vector<kv::TxnRequest>{fails})));
  EXPECT_FALSE(TxnGrows(kv::SingleOp(std::vector<kv::TxnRequest>{kv::SingleOp(kv::DeleteRangeRequest{})})));
}

TEST(Grows, AChangeOfAZoneGrowsIfAnyOfItsEditsAddsRecords) {
  EXPECT_TRUE(EditsGrow({{.kind = Kind::kReplace, .rdata = {"x"}}}));
  EXPECT_TRUE(EditsGrow({{.kind = Kind::kDelete}, {.kind = Kind::kAddRecords, .rdata = {"x"}}}));
  EXPECT_FALSE(EditsGrow({{.kind = Kind::kDelete}, {.kind = Kind::kRemoveRecords, .rdata = {"x"}}}));
  EXPECT_FALSE(EditsGrow({{.kind = Kind::kReplace}})) << "a replacement by nothing is a deletion";
}

TEST(Grows, ZonesAndSessions) {
  EXPECT_TRUE(Grows({.body = ZoneCreate{}}));
  EXPECT_TRUE(Grows({.body = ZoneReplace{}}));
  EXPECT_FALSE(Grows({.body = ZoneDelete{}}));
  EXPECT_FALSE(Grows({.body = ZoneSettings{}}));
  EXPECT_TRUE(Grows({.body = SessionOpen{}}));
  EXPECT_FALSE(Grows({.body = SessionClose{}}));
}

}  // namespace
}  // namespace quorate::rsm
