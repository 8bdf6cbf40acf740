#include "kv/live_scan.h"

#include <gtest/gtest.h>

#include <map>

#include "kv/store.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::kv {
namespace {

std::map<std::string, std::string> Scan(const MapReader& map, LiveScan& scan) {
  std::map<std::string, std::string> live;
  const auto it = map.NewIterator();
  for (it->Seek(""); it->Valid(); it->Next()) {
    const auto found = scan.Add(it->key(), it->value());
    EXPECT_TRUE(found.ok());
    if (found.ok() && found->has_value()) live[(*found)->key] = (*found)->value;
  }
  return live;
}

TEST(LiveScan, GivesTheNewestVersionOfWhatIsNotDeleted) {
  storage::MemoryStateStore store;
  const auto change = [&](auto&& what) {
    Transaction txn(store.map());
    what(txn);
    store.map().Write(txn.Commit().batch);
  };
  change([](Transaction& txn) {
    txn.Put("a", "1");
    txn.Put("b", "1");
    txn.Put(std::string("c\0d", 3), "zero");
  });
  change([](Transaction& txn) { txn.Put("a", "2"); });
  change([](Transaction& txn) { txn.Delete("b"); });
  store.map().Write({{"Rconfiguration", "x"}, {"mapplied", "y"}});
  LiveScan scan;
  EXPECT_EQ(Scan(store.map(), scan),
            (std::map<std::string, std::string>{{"a", "2"}, {std::string("c\0d", 3), "zero"}}));
  EXPECT_EQ(scan.revision(), ReadMeta(store.map()).current);
  EXPECT_EQ(scan.keys(), 2u);
}

TEST(LiveScan, WhatIsNoPairOfAStoreIsAnError) {
  LiveScan scan;
  EXPECT_FALSE(scan.Add("kmr", "short").ok());
  EXPECT_FALSE(scan.Add(std::string("kda\0\x01", 5) + "12345678", "\x07").ok());
  EXPECT_TRUE(scan.Add("kdshort", "\x07").ok()) << "no version of anything";
}

}  // namespace
}  // namespace quorate::kv
