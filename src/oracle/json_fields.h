// Reading JSON that somebody else wrote.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oracle/client.h"

namespace quorate::oracle {

using Json = nlohmann::ordered_json;

// A reader of one JSON object that remembers the first thing that was wrong, so that a whole request is read
// before it is judged.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {
    if (!object.is_object()) Fail("the body is not a JSON object");
  }

  std::string Text(const char* key, bool required = true) {
    const Json* value = Find(key, required);
    if (!value) return {};
    if (!value->is_string()) return Fail(fmt::format("`{}` is not a string", key)), std::string();
    return value->get<std::string>();
  }

  // A number of at most 2^53, or a string of digits.
  uint64_t Number(const char* key, bool required = true) {
    const Json* value = Find(key, required);
    uint64_t number = 0;
    if (!value) return 0;
    if (value->is_number_unsigned()) return value->get<uint64_t>();
    if (value->is_string()) {
      const std::string text = value->get<std::string>();
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc() && end == text.data() + text.size()) return number;
    }
    Fail(fmt::format("`{}` is not a whole number", key));
    return 0;
  }

  std::vector<std::string> Texts(const char* key) {
    std::vector<std::string> texts;
    for (const Json& element : Array(key, true)) {
      if (!element.is_string()) return Fail(fmt::format("`{}` is not an array of strings", key)), texts;
      texts.push_back(element.get<std::string>());
    }
    return texts;
  }

  const Json& Array(const char* key, bool required) {
    static const Json kEmpty = Json::array();
    const Json* value = Find(key, required);
    if (!value) return kEmpty;
    if (!value->is_array()) return Fail(fmt::format("`{}` is not an array", key)), kEmpty;
    return *value;
  }

  const Json& Object(const char* key, bool required) {
    static const Json kEmpty = Json::object();
    const Json* value = Find(key, required);
    if (!value) return kEmpty;
    if (!value->is_object()) return Fail(fmt::format("`{}` is not an object", key)), kEmpty;
    return *value;
  }

  void Fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
  }
  const std::string& error() const { return error_; }

 private:
  const Json* Find(const char* key, bool required) {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    if (required) Fail(fmt::format("`{}` is missing", key));
    return nullptr;
  }

  const Json& object_;
  std::string error_;
};

// Discarded (not an exception) when `text` is no JSON.
inline Json ParseText(std::string_view text) { return Json::parse(text, nullptr, false); }

inline void PutAddresses(Json& object, const Addresses& addresses) {
  object["peer"] = addresses.peer;
  object["dns"] = addresses.dns;
  object["http"] = addresses.http;
  object["etcd"] = addresses.etcd;
}

}  // namespace quorate::oracle
