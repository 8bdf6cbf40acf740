#include "testing/lincheck.h"

#include <nlohmann/json.hpp>

#include "testing/history.h"

namespace quorate::testing {
namespace {

using nlohmann::ordered_json;

std::string Count(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kLinearizable:
      return "linearizable";
    case Verdict::kNotLinearizable:
      return "not linearizable";
    case Verdict::kGaveUp:
      return "gave up";
  }
  return "";
}

LincheckExit ExitOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kLinearizable:
      return LincheckExit::kLinearizable;
    case Verdict::kNotLinearizable:
      return LincheckExit::kViolation;
    case Verdict::kGaveUp:
      return LincheckExit::kNoVerdict;
  }
  return LincheckExit::kNoVerdict;
}

std::string Dump(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

FileReport CheckFile(std::string_view file, std::string_view text, const CheckOptions& options) {
  const auto history = ParseHistory(text);
  if (!history.ok())
    return Unreadable(file, "line " + std::to_string(history.error().line) + ": " + history.error().reason);
  const CheckReport report = CheckLinearizable(*history, options);
  FileReport told{.exit = ExitOf(report.verdict)};
  told.text = std::string(file) + ": " + Count(history->size(), "operation") + " on " +
              Count(report.keys.size(), "key") + ": " + NameOf(report.verdict) + "\n";
  ordered_json object{{"file", file},
                      {"operations", history->size()},
                      {"keys", report.keys.size()},
                      {"verdict", NameOf(report.verdict)},
                      {"faults", ordered_json::array()}};
  for (const KeyReport& key : report.keys) {
    if (key.verdict == Verdict::kLinearizable) continue;
    const std::string explanation = Explain(*history, key);
    told.text += explanation;
    object["faults"].push_back(
        {{"key", key.key}, {"verdict", NameOf(key.verdict)}, {"explanation", explanation}});
  }
  told.json = Dump(object) + "\n";
  return told;
}

FileReport Unreadable(std::string_view file, std::string_view reason) {
  FileReport told{.exit = LincheckExit::kNoVerdict};
  told.text = std::string(file) + ": " + std::string(reason) + "\n";
  told.json = Dump(ordered_json{{"file", file}, {"verdict", "unreadable"}, {"reason", reason}}) + "\n";
  return told;
}

LincheckExit Worse(LincheckExit a, LincheckExit b) {
  if (a == LincheckExit::kViolation || b == LincheckExit::kLinearizable) return a;
  return b;
}

}  // namespace quorate::testing
