// Small ascending sets of steps, in any vector.
#pragma once

#include <algorithm>
#include <iterator>

#include "testing/register_history.h"

namespace quorate::testing {

template <class Ids>
bool Contains(const Ids& ids, StepId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

template <class Ids>
void Insert(Ids& ids, StepId id) {
  ids.insert(std::upper_bound(ids.begin(), ids.end(), id), id);
}

template <class Ids>
void Erase(Ids& ids, StepId id) {
  const auto found = std::find(ids.begin(), ids.end(), id);
  if (found != ids.end()) ids.erase(found);
}

template <class Ids>
bool Includes(const Ids& larger, const Ids& smaller) {
  return std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end());
}

template <class Ids>
Ids Common(const Ids& a, const Ids& b) {
  Ids common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return common;
}

}  // namespace quorate::testing
