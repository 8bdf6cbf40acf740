#include "testing/linearizability.h"

#include <map>
#include <string_view>
#include <utility>

#include "testing/register_search.h"

namespace quorate::testing {
namespace {

// Each verdict is certain. With many unknown outcomes a failed cas can be explained in very many ways, so the
// one way that nearly always works is tried first, and whether the rest of the history is linearizable at all
// second.
SearchResult Search(const RegisterHistory& history, const CheckOptions& options) {
  SearchResult thrifty = RegisterSearch(history, options, Effort::kThrifty).Run();
  if (!history.has_refusals || thrifty.verdict == Verdict::kLinearizable) return thrifty;
  const RegisterHistory less = WithoutRefusals(history);
  SearchResult relaxed = RegisterSearch(less, options, Effort::kComplete).Run();
  if (relaxed.verdict == Verdict::kNotLinearizable) return relaxed;
  return RegisterSearch(history, options, Effort::kComplete).Run();
}

// Looks for the first event at which the history is not linearizable any more. The search of the whole
// history stops earlier, as it knows what will be read later; that would accuse the wrong operation.
void FindBlocked(const RegisterHistory& history, const CheckOptions& options, KeyReport& report) {
  size_t good = 0, bad = history.events.size();
  while (bad - good > 1) {
    const size_t middle = good + (bad - good) / 2;
    SearchResult result = Search(Prefix(history, middle), options);
    if (result.verdict == Verdict::kGaveUp) break;
    if (result.verdict == Verdict::kNotLinearizable) {
      bad = middle;
      continue;
    }
    good = middle;
    report.order = std::move(result.order);
    report.under_way = std::move(result.unused);
  }
  while (!history.events[bad - 1].is_return) --bad;
  report.blocked = history.steps[history.events[bad - 1].step].operation;
  std::erase(report.under_way, *report.blocked);
}

KeyReport CheckKey(std::span<const Operation> history, std::span<const size_t> members,
                   const CheckOptions& options) {
  KeyReport report{.key = history[members.front()].key, .operations = members.size()};
  const RegisterHistory prepared = PrepareRegister(history, members);
  SearchResult result = Search(prepared, options);
  report.verdict = result.verdict;
  report.configurations = result.configurations;
  if (report.verdict == Verdict::kNotLinearizable) {
    FindBlocked(prepared, options, report);
  } else {
    report.order = std::move(result.order);
  }
  return report;
}

}  // namespace

CheckReport CheckLinearizable(std::span<const Operation> history, const CheckOptions& options) {
  std::map<std::string_view, std::vector<size_t>> keys;
  for (size_t index = 0; index < history.size(); ++index) keys[history[index].key].push_back(index);
  CheckReport report;
  for (const auto& [key, members] : keys) {
    report.keys.push_back(CheckKey(history, members, options));
    const Verdict verdict = report.keys.back().verdict;
    const bool worse = verdict == Verdict::kNotLinearizable || report.verdict == Verdict::kLinearizable;
    if (worse) report.verdict = verdict;
  }
  return report;
}

}  // namespace quorate::testing
