#include "zone/name_map.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>

#include "base/rng.h"

namespace quorate::zone {
namespace {

using dns::Name;

std::atomic<int> live_leaves = 0;

struct Leaf {
  Leaf(Name n, int v) : name(std::move(n)), value(v) { ++live_leaves; }
  ~Leaf() { --live_leaves; }
  dns::NameView key() const { return name.wire(); }
  void Ref() const { ++refs; }
  void Unref() const {
    if (--refs == 0) delete this;
  }
  Name name;
  int value;
  mutable std::atomic<int> refs = 1;
};

// A hash of few values: every path of the trie that collisions take.
uint64_t PoorHash(dns::NameView name) {
  static constexpr uint64_t kValues[] = {0, ~uint64_t{0}, uint64_t{1} << 63, 1, 31, 32, uint64_t{1} << 62};
  return kValues[NameHash(name) % std::size(kValues)];
}

uint64_t OneHash(dns::NameView) { return 5; }

const Leaf& As(const void* leaf) { return *static_cast<const Leaf*>(leaf); }

template <uint64_t (*Hash)(dns::NameView)>
constexpr TrieOps kOps{
    .key = [](const void* leaf) { return As(leaf).key(); },
    .hash = [](const void* leaf) { return Hash(As(leaf).key()); },
    .ref = [](const void* leaf) { As(leaf).Ref(); },
    .unref = [](const void* leaf) { As(leaf).Unref(); },
};

Name RandomName(Rng& rng) {
  std::string text;
  const uint64_t labels = 1 + rng.Below(3);
  for (uint64_t i = 0; i < labels; ++i) text += std::string(1, "abcdABCD"[rng.Below(8)]) + ".";
  return *Name::FromText(text);
}

using Model = std::map<Name, int>;

void ExpectEqual(const Trie& trie, const Model& model) {
  ASSERT_EQ(trie.size(), model.size());
  std::set<Name> seen;
  trie.ForEach([&](const void* leaf) {
    const auto it = model.find(As(leaf).name);
    ASSERT_NE(it, model.end());
    EXPECT_EQ(it->second, As(leaf).value);
    EXPECT_TRUE(seen.insert(As(leaf).name).second);
  });
  EXPECT_EQ(seen.size(), model.size());
}

template <uint64_t (*Hash)(dns::NameView)>
void CompareWithModel(uint64_t seed) {
  Rng rng(seed);
  Trie trie(kOps<Hash>);
  Model model;
  std::vector<std::pair<Trie, Model>> kept;  // versions that later changes must not touch
  for (int step = 0; step < 4000; ++step) {
    const Name name = RandomName(rng);
    const Name folded = name.Folded();
    const uint64_t hash = Hash(name.wire());
    const void* found = trie.Find(hash, folded.wire());
    ASSERT_EQ(found != nullptr, model.contains(name));
    if (found != nullptr) {
      ASSERT_EQ(As(found).value, model[name]);
    }
    if (rng.Chance(1, 2)) {
      trie.Put(hash, new Leaf(name, step));
      model[name] = step;
    } else {
      ASSERT_EQ(trie.Erase(hash, folded.wire()), model.erase(name) == 1);
    }
    if (rng.Chance(1, 100)) kept.emplace_back(trie, model);
    if (!kept.empty() && rng.Chance(1, 400)) std::tie(trie, model) = kept[rng.Below(kept.size())];
    if (rng.Chance(1, 50)) ExpectEqual(trie, model);
  }
  for (const auto& [old_trie, old_model] : kept) ExpectEqual(old_trie, old_model);
}

TEST(NameMap, BehavesAsAnOrderedMapAndKeepsOldVersions) {
  for (uint64_t seed = 0; seed < 10; ++seed) CompareWithModel<NameHash>(seed);
  EXPECT_EQ(live_leaves, 0) << "leaves leak";
}

TEST(NameMap, NamesThatCollideInTheWholeHashAreKeptApart) {
  for (uint64_t seed = 0; seed < 10; ++seed) CompareWithModel<PoorHash>(seed);
  EXPECT_EQ(live_leaves, 0) << "leaves leak";
}

TEST(NameMap, ManyCollidingNamesAreFoundBySearchNotByScan) {
  Trie trie(kOps<OneHash>);
  for (int i = 0; i < 3000; ++i) trie.Put(5, new Leaf(*Name::FromText("n" + std::to_string(i)), i));
  for (int i = 0; i < 3000; ++i) {
    const void* found = trie.Find(5, Name::FromText("n" + std::to_string(i))->wire());
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(As(found).value, i);
  }
  EXPECT_EQ(trie.Find(5, Name::FromText("n3000")->wire()), nullptr);
}

TEST(NameHash, IsTheSameForEveryCaseAndDiffersByLabelBoundary) {
  EXPECT_EQ(NameHash(Name::FromText("WWW.Example")->wire()), NameHash(Name::FromText("www.eXAMPLE")->wire()));
  EXPECT_NE(NameHash(Name::FromText("a.bc")->wire()), NameHash(Name::FromText("ab.c")->wire()));
  EXPECT_EQ(NameHash(Name().wire()), RootHash());
  EXPECT_EQ(NameHash(Name::FromText("a.example")->wire()),
            ChildHash(NameHash(Name::FromText("example")->wire()), "a"));
}

TEST(FoldedName, GivesSuffixesAndLabelsFromTheRootDown) {
  const Name name = *Name::FromText("Www.eXample.org");
  const FoldedName folded(name.wire());
  EXPECT_EQ(folded.label_count(), 3u);
  EXPECT_EQ(folded.Suffix(0), Name().wire());
  EXPECT_EQ(folded.Suffix(2), Name::FromText("example.org")->wire());
  EXPECT_EQ(folded.Label(2), "example");
  EXPECT_EQ(folded.view(), name.Folded().wire());
}

}  // namespace
}  // namespace quorate::zone
