// An ordered map of bytes whose copies cost nothing: a treap that is never changed, only grown anew along one
// path. A copy is a snapshot for good, on any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace quorate::storage {

class PersistentMap {
 public:
  struct Pair {
    std::string key, value;
  };

  // nullptr: not there. Valid while this map, or a copy of it, lives.
  const Pair* Find(std::string_view key) const;
  const Pair* First(std::string_view at_least) const;
  const Pair* FirstAfter(std::string_view key) const;
  const Pair* Last(std::string_view at_most) const;
  const Pair* LastBefore(std::string_view key) const;
  bool empty() const { return root_ == nullptr; }

  void Put(std::string_view key, std::string_view value);
  void Erase(std::string_view key);

 private:
  struct Node;
  using Link = std::shared_ptr<const Node>;

  static Link MakeNode(const Node& like, Link left, Link right);
  static Link Inserted(const Link& at, const Node& leaf);
  static Link Erased(const Link& at, std::string_view key);
  static Link Merged(const Link& left, const Link& right);
  template <class GoesLeft>
  const Pair* Boundary(GoesLeft goes_left, bool want_left) const;

  Link root_;
};

}  // namespace quorate::storage
