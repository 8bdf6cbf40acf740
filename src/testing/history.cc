#include "testing/history.h"

#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace quorate::testing {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

template <class Enum, size_t count>
using Names = std::array<std::pair<std::string_view, Enum>, count>;

constexpr Names<OperationKind, 4> kKinds{{{"read", OperationKind::kRead},
                                          {"write", OperationKind::kWrite},
                                          {"delete", OperationKind::kDelete},
                                          {"cas", OperationKind::kCas}}};
constexpr Names<Outcome, 3> kOutcomes{
    {{"ok", Outcome::kOk}, {"fail", Outcome::kFail}, {"unknown", Outcome::kUnknown}}};

template <class Enum, size_t count>
std::string NameOf(const Names<Enum, count>& names, Enum value) {
  for (const auto& [name, named] : names) {
    if (named == value) return std::string(name);
  }
  return "";
}

ordered_json OrNull(const std::optional<std::string>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

// Reads the fields of one object; keeps the first thing that is wrong.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  int64_t Integer(const char* name, int64_t least, int64_t most) {
    const json* field = Find(name);
    if (!field) return Wrong(name, "is missing"), 0;
    return IntegerOf(name, *field, least, most);
  }
  std::optional<int64_t> OptionalInteger(const char* name) {
    const json* field = Find(name);
    if (!field) return std::nullopt;
    return IntegerOf(name, *field, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  }
  std::string String(const char* name) {
    const auto value = OptionalString(name);
    if (!value) Wrong(name, "is missing");
    return value.value_or("");
  }
  std::optional<std::string> OptionalString(const char* name) {
    const json* field = Find(name);
    if (!field) return std::nullopt;
    if (!field->is_string()) return Wrong(name, "is not a string"), "";
    return field->get<std::string>();
  }
  template <class Enum, size_t count>
  Enum OneOf(const char* name, const Names<Enum, count>& names) {
    const std::string text = String(name);
    std::string choices;
    for (const auto& [known, value] : names) {
      if (known == text) return value;
      choices += (choices.empty() ? "" : ", ") + std::string(known);
    }
    return Wrong(name, "is none of " + choices), names.front().second;
  }
  bool Has(const char* name) const { return object_.contains(name); }

  void Wrong(const char* name, const std::string& what) {
    if (fault_.empty()) fault_ = "`" + std::string(name) + "` " + what;
  }
  const std::string& fault() const { return fault_; }

 private:
  // Null is as good as nothing.
  const json* Find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  int64_t IntegerOf(const char* name, const json& field, int64_t least, int64_t most) {
    if (!field.is_number_integer()) return Wrong(name, "is not an integer"), 0;
    const bool too_large =
        field.is_number_unsigned() && field.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()};
    const int64_t value = too_large ? 0 : field.get<int64_t>();
    if (too_large || value < least || value > most) return Wrong(name, "is out of range"), 0;
    return value;
  }

  const json& object_;
  std::string fault_;
};

// What the fields must say together.
void CheckWhole(const Operation& operation, Fields& fields) {
  const bool sets = operation.kind == OperationKind::kWrite || operation.kind == OperationKind::kCas;
  if (sets && !operation.value) fields.Wrong("value", "is missing");
  if (operation.kind == OperationKind::kDelete && operation.value)
    fields.Wrong("value", "of a delete is not null");
  const bool is_cas = operation.kind == OperationKind::kCas;
  if (is_cas && !fields.Has("expected")) fields.Wrong("expected", "is missing");
  if (!is_cas && operation.expected) fields.Wrong("expected", "belongs to a cas only");
  if (operation.outcome == Outcome::kUnknown) return;
  if (!operation.return_ns) return fields.Wrong("return_ns", "is missing, and the outcome is not unknown");
  if (*operation.return_ns < operation.call_ns) fields.Wrong("return_ns", "is before `call_ns`");
}

Result<Operation, std::string> ParseLine(std::string_view line) {
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) return std::string("is not JSON");
  if (!object.is_object()) return std::string("is not a JSON object");
  Fields fields(object);
  Operation operation;
  operation.process = static_cast<int>(
      fields.Integer("process", std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  operation.kind = fields.OneOf("op", kKinds);
  operation.key = fields.String("key");
  operation.value = fields.OptionalString("value");
  operation.expected = fields.OptionalString("expected");
  operation.call_ns =
      fields.Integer("call_ns", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  operation.return_ns = fields.OptionalInteger("return_ns");
  operation.outcome = fields.OneOf("outcome", kOutcomes);
  CheckWhole(operation, fields);
  if (!fields.fault().empty()) return fields.fault();
  if (operation.outcome == Outcome::kUnknown) operation.return_ns.reset();
  return operation;
}

}  // namespace

std::string ToJsonLine(const Operation& operation) {
  ordered_json line;
  line["process"] = operation.process;
  line["op"] = NameOf(kKinds, operation.kind);
  line["key"] = operation.key;
  line["value"] = OrNull(operation.value);
  if (operation.kind == OperationKind::kCas) line["expected"] = OrNull(operation.expected);
  line["call_ns"] = operation.call_ns;
  line["return_ns"] = operation.return_ns ? ordered_json(*operation.return_ns) : ordered_json();
  line["outcome"] = NameOf(kOutcomes, operation.outcome);
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string ToJsonLines(std::span<const Operation> history) {
  std::string lines;
  for (const Operation& operation : history) lines += ToJsonLine(operation);
  return lines;
}

Result<std::vector<Operation>, HistoryError> ParseHistory(std::string_view text) {
  std::vector<Operation> history;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto operation = ParseLine(line);
    if (!operation.ok()) return HistoryError{number, operation.error()};
    if (history.size() == kHistoryOperationsMax)
      return HistoryError{number,
                          "there are more than " + std::to_string(kHistoryOperationsMax) + " operations"};
    history.push_back(*std::move(operation));
  }
  return history;
}

}  // namespace quorate::testing
