// `quorate zone edit`: a zone in an editor. What was read is what is replaced, or nothing.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/zone_check.h"
#include "cli/zone_command.h"
#include "cli/zone_diff.h"

namespace quorate::cli {
namespace {

namespace fs = std::filesystem;

struct EditArguments : ZoneArguments {
  bool yes = false;
};

std::string Editor() {
  for (const char* variable : {"VISUAL", "EDITOR"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  return "vi";
}

// $EDITOR may have arguments, so a shell takes it apart.
CliResult<bool> RunEditor(const std::string& path) {
  const std::string editor = Editor();
  const std::string script = editor + " \"$1\"";
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", script.c_str(), "sh", path.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return CliError{
        ExitCode::kFailed,
        fmt::format("the editor `{}` failed; nothing was changed (set EDITOR to another)", editor)};
  }
  return true;
}

// Nobody to ask: the answer is no.
bool Confirm(const std::string& question) {
  if (!isatty(STDIN_FILENO)) return false;
  fmt::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// A directory of one's own that goes with it, unless the text in it is worth keeping.
class WorkingCopy {
 public:
  static CliResult<std::unique_ptr<WorkingCopy>> Make(const dns::Name& zone, const std::string& text) {
    std::string pattern = (fs::temp_directory_path() / "quorate-edit-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      return CliError{ExitCode::kFailed, fmt::format("cannot make {}: {}", pattern, std::strerror(errno))};
    auto copy = std::unique_ptr<WorkingCopy>(new WorkingCopy(pattern));
    std::string name = zone.IsRoot() ? "root" : zone.ToText();
    for (char& c : name) c = c == '/' || c == '\\' ? '_' : c;
    copy->path_ = (fs::path(pattern) / (name + (name.ends_with('.') ? "zone" : ".zone"))).string();
    std::ofstream out(copy->path_, std::ios::binary);
    out << text;
    out.close();
    if (!out) return CliError{ExitCode::kFailed, fmt::format("cannot write {}", copy->path_)};
    return copy;
  }
  ~WorkingCopy() {
    std::error_code ignored;
    if (keep_) {
      fmt::print(stderr, "what was edited is in {}\n", path_);
    } else {
      fs::remove_all(directory_, ignored);
    }
  }
  const std::string& path() const { return path_; }
  void Keep() { keep_ = true; }

 private:
  explicit WorkingCopy(std::string directory) : directory_(std::move(directory)) {}
  const std::string directory_;
  std::string path_;
  bool keep_ = false;
};

// Edits until there are no errors. nullopt: the user gave up.
CliResult<std::optional<ZoneLines>> EditUntilGood(WorkingCopy& copy, const dns::Name& zone,
                                                  uint32_t default_ttl) {
  for (;;) {
    const auto edited = RunEditor(copy.path());
    if (!edited.ok()) return edited.error();
    const auto file = ZoneFile::Open(copy.path());
    if (!file.ok()) return file.error();
    const ZoneFaults faults = CheckZone(*file, zone, default_ttl);
    PrintFaults(faults);
    if (faults.errors.empty()) {
      auto lines = LinesOf(*file, zone, default_ttl);
      if (!lines.ok()) return lines.error();
      return std::optional(*std::move(lines));
    }
    if (!Confirm("The zone is not good. Edit it again?")) {
      copy.Keep();
      return std::optional<ZoneLines>();
    }
  }
}

struct Original {
  std::string text;
  std::vector<int64_t> revisions;  // of each holder
};
// One text for all regions, or there is none to edit.
CliResult<Original> ReadOriginal(const std::vector<GroupZone>& holders, const Target& target) {
  Original out;
  for (const GroupZone& at : holders) {
    auto exported = ExportFrom(at, target, "");
    if (!exported.ok()) return exported.error();
    if (!out.revisions.empty() && exported->text != out.text) {
      return CliError{
          ExitCode::kFailed,
          "the zone is not the same in all regions: `quorate zone diff` one with another's export, "
          "or choose one with --region"};
    }
    out.text = std::move(exported->text);
    out.revisions.push_back(exported->revision);
  }
  return out;
}

ExitCode Apply(const EditArguments& arguments, const dns::Name& zone, const std::vector<GroupZone>& holders,
               const Original& original, WorkingCopy& copy) {
  ExitCode exit = ExitCode::kOk;
  for (size_t i = 0; i < holders.size(); ++i) {
    ZoneArguments import = arguments;
    import.file = copy.path();
    import.if_revision = original.revisions[i];
    exit = Worse(exit, ImportFile(import, zone, {holders[i]}));
  }
  if (exit != ExitCode::kOk) copy.Keep();
  return exit;
}

ExitCode Edit(const EditArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto holders = Holders(arguments, *zone, false);
  if (!holders.ok()) return Fail(holders.error());
  const auto original = ReadOriginal(*holders, *arguments.target);
  if (!original.ok()) return Fail(original.error());
  const auto copy = WorkingCopy::Make(*zone, original->text);
  if (!copy.ok()) return Fail(copy.error());
  const uint32_t default_ttl = DefaultTtlAt(holders->front(), *arguments.target);
  const auto edited = EditUntilGood(**copy, *zone, default_ttl);
  if (!edited.ok()) return Fail(edited.error());
  if (!*edited) return Fail({ExitCode::kFailed, "nothing was changed"});
  const auto before = LinesOfText(original->text, *zone);
  if (!before.ok()) return Fail(before.error());
  const ZoneDifference difference = Difference(*before, **edited);
  if (difference.lines.empty()) {
    fmt::print(stderr, "nothing was changed\n");
    return ExitCode::kOk;
  }
  for (const std::string& line : difference.lines) fmt::print(stderr, "{}\n", line);
  if (!arguments.yes && !Confirm(fmt::format("Apply this to {}?", zone->ToText()))) {
    (*copy)->Keep();
    return Fail({ExitCode::kFailed, isatty(STDIN_FILENO)
                                        ? "nothing was changed"
                                        : "nothing was changed: there is no terminal to ask at; give --yes"});
  }
  return Apply(arguments, *zone, *holders, *original, **copy);
}

}  // namespace

void AddZoneEdit(CLI::App& zone, ExitCode& exit) {
  const auto arguments = std::make_shared<EditArguments>();
  CLI::App* edit = zone.add_subcommand("edit", "Edit a zone in $EDITOR; applied only if nobody changed it");
  arguments->target = AddTargetFlags(*edit);
  edit->add_option("zone", arguments->zone, "The zone, absolute also without the final dot")->required();
  edit->add_flag("-y,--yes", arguments->yes, "Do not ask before it is applied");
  edit->footer(
      "What is wrong is told and may be edited again; the difference is shown before it is applied. The "
      "serial\n"
      "grows by itself. 6: somebody changed the zone meanwhile; what was edited is kept.\n"
      "Examples:\n"
      "  quorate zone edit example.org.\n"
      "  EDITOR='sed -i s/192.0.2.1/192.0.2.2/' quorate zone edit example.org. --yes");
  edit->callback([arguments, &exit] { exit = Edit(*arguments); });
}

}  // namespace quorate::cli
