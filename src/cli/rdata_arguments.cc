#include "cli/rdata_arguments.h"

#include <fmt/format.h>

#include "absl/strings/str_join.h"
#include "dns/presentation.h"

namespace quorate::cli {
namespace {

constexpr size_t kCharacterStringMax = 255;  // RFC 1035 3.3

// A text longer than one <character-string> becomes several, as everybody does for DKIM keys.
std::string Quoted(std::string_view text) {
  std::string out;
  do {
    const std::string_view part = text.substr(0, kCharacterStringMax);
    text.remove_prefix(part.size());
    out += out.empty() ? "\"" : " \"";
    for (const char c : part) {
      const auto byte = static_cast<uint8_t>(c);
      if (c == '"' || c == '\\') {
        out += {'\\', c};
      } else if (byte < 0x20 || byte > 0x7e) {
        out += fmt::format("\\{:03}", byte);
      } else {
        out.push_back(c);
      }
    }
    out.push_back('"');
  } while (!text.empty());
  return out;
}

std::string ContentOf(dns::RRType type, const std::string& argument) {
  const bool is_text = type == dns::RRType::kTXT;
  if (!is_text || argument.starts_with('"') || argument.starts_with("\\#")) return argument;
  return Quoted(argument);
}

}  // namespace

CliResult<std::vector<std::string>> RecordContents(dns::RRType type,
                                                   const std::vector<std::string>& arguments) {
  std::vector<std::string> contents;
  std::string first_error;
  for (const std::string& argument : arguments) {
    contents.push_back(ContentOf(type, argument));
    const auto rdata = dns::RdataFromText(type, contents.back());
    if (!rdata.ok() && first_error.empty()) {
      first_error =
          fmt::format("`{}` is no {} record: {}", argument, dns::TypeToText(type), rdata.error().what);
    }
  }
  if (first_error.empty()) return contents;
  const std::string joined = absl::StrJoin(arguments, " ");
  if (arguments.size() > 1 && dns::RdataFromText(type, joined).ok()) return std::vector<std::string>{joined};
  return CliError{ExitCode::kUsage,
                  first_error + "; each argument is one record, quote fields as in '10 mail.example.'"};
}

CliResult<dns::RRType> TypeArgument(const std::string& text) {
  const auto type = dns::TypeFromText(text);
  if (!type || dns::IsMetaType(*type)) {
    return CliError{ExitCode::kUsage, fmt::format("`{}` is no type of records", text)};
  }
  return *type;
}

}  // namespace quorate::cli
