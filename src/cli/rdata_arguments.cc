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

// What is wrong with the data of one record, or "". A relative name is refused: there is no origin here that
// it could mean, and under the root it is hardly ever what somebody wants.
std::string ErrorIn(dns::RRType type, const std::string& content) {
  if (content.find_first_not_of(" \t\r\n") == std::string::npos) return "empty record data";
  const auto rdata = dns::RdataFromText(type, content);
  if (!rdata.ok()) return rdata.error().what;
  const auto elsewhere = dns::RdataFromText(type, content, *dns::Name::FromText("origin."));
  if (elsewhere.ok() && *elsewhere == *rdata) return "";
  return "a name in it lacks its final dot: write it in full, as in `mail.example.org.`";
}

// A name of several labels at the end may leave out its final dot, as owner names may: `10 mail.example.org`.
std::string Completed(dns::RRType type, const std::string& content) {
  const std::string_view last = std::string_view(content).substr(content.find_last_of(" \t") + 1);
  if (last.find('.') == std::string_view::npos || ErrorIn(type, content).empty()) return content;
  return ErrorIn(type, content + ".").empty() ? content + "." : content;
}

}  // namespace

CliResult<std::vector<std::string>> RecordContents(dns::RRType type,
                                                   const std::vector<std::string>& arguments) {
  std::vector<std::string> contents;
  std::string first_error;
  for (const std::string& argument : arguments) {
    contents.push_back(Completed(type, ContentOf(type, argument)));
    const std::string error = ErrorIn(type, contents.back());
    if (!error.empty() && first_error.empty())
      first_error = fmt::format("`{}` is no {} record: {}", argument, dns::TypeToText(type), error);
  }
  if (first_error.empty()) return contents;
  const std::string joined = Completed(type, absl::StrJoin(arguments, " "));
  if (arguments.size() > 1 && ErrorIn(type, joined).empty()) return std::vector<std::string>{joined};
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
