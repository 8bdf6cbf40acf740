// `quorate snapshot`: the state of a group as a file, to keep, to look into, and to begin a new group with.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/restore.h"
#include "app/snapshot_summary.h"
#include "base/status_macros.h"
#include "cli/commands.h"
#include "cli/group_client.h"
#include "cli/output_file.h"
#include "cli/target.h"
#include "storage/snapshot_file.h"

namespace quorate::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

// --- save ---

struct SaveArguments {
  std::shared_ptr<Target> target;
  std::string file, consistency;
};

// How far it is, where somebody watches.
class Progress {
 public:
  ~Progress() {
    if (shown_) fmt::print(stderr, "\n");
  }
  void Show(uint64_t bytes) {
    const auto now = SteadyClock::now();
    if (!on_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(500);
    fmt::print(stderr, "\r{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
    shown_ = true;
  }

 private:
  const bool on_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  SteadyClock::time_point next_;
};

// One attempt at one replica; checks the file while it comes.
class Download {
 public:
  Download(const SaveArguments& arguments, OutputFile& out) : arguments_(arguments), out_(out) {}

  // nullopt: it is all there. The error of a 503 or of no connection is kUnavailable: another may have it.
  std::optional<CliError> From(const std::string& url) {
    if (!out_.Begin()) return CliError{ExitCode::kFailed, out_.error()};
    const Target& target = *arguments_.target;
    HttpCall call{.url = url + "/api/v1/snapshot" + ConsistencyQuery(arguments_.consistency),
                  .timeout = target.timeout_given ? target.Policy().overall : Duration::zero(),
                  .on_body = [this](std::string_view bytes) { return Take(bytes); },
                  .ca_file = target.ca_file};
    if (!target.token.empty()) call.headers.emplace_back("X-API-Key", target.token);
    const HttpReply reply = Send(call);
    if (!out_.error().empty()) return CliError{ExitCode::kFailed, out_.error()};
    if (!damage_.ok()) return CliError{ExitCode::kFailed, url + ": what came is " + MessageOf(damage_)};
    if (reply.fate != HttpReply::Fate::kAnswered)
      return CliError{ExitCode::kUnavailable, fmt::format("{}: {}", url, reply.error)};
    if (reply.status != 200) {
      CliError error = ErrorOf(reply);
      return CliError{error.code, fmt::format("{}: {}", url, error.message)};
    }
    if (damage_ = reader_.Finish(); !damage_.ok())
      return CliError{ExitCode::kUnavailable, url + ": what came is " + MessageOf(damage_)};
    if (!out_.Finish()) return CliError{ExitCode::kFailed, out_.error()};
    return std::nullopt;
  }
  const storage::SnapshotFileReader& reader() const { return reader_; }

 private:
  bool Take(std::string_view bytes) {
    damage_ = reader_.Feed(bytes, [](std::string_view, std::string_view) { return absl::OkStatus(); });
    progress_.Show(reader_.bytes());
    return damage_.ok() && out_.Write(bytes);
  }

  const SaveArguments& arguments_;
  OutputFile& out_;
  storage::SnapshotFileReader reader_;
  absl::Status damage_;
  Progress progress_;
};

std::string HashText(uint64_t hash) { return fmt::format("{:016x}", hash); }

json MetaToJson(const storage::SnapshotFileMeta& meta) {
  json members = json::array();
  for (const raft::Member& member : meta.configuration.members)
    members.push_back({{"id", member.id.value}, {"voter", member.voter}, {"address", member.address}});
  const auto saved_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(meta.saved_at.since_epoch).count();
  return {{"group", {{"id", meta.group.value}, {"name", meta.name}}},
          {"saved_at_ms", saved_ms},
          {"index", meta.index.value},
          {"term", meta.term.value},
          {"revision", meta.revision.value},
          {"state_hash", HashText(meta.state_hash)},
          {"members", std::move(members)}};
}

ExitCode ReportSaved(const SaveArguments& arguments, const storage::SnapshotFileReader& reader) {
  if (arguments.file == "-") return ExitCode::kOk;
  const storage::SnapshotFileMeta& meta = *reader.meta();
  if (arguments.target->json()) {
    json report = MetaToJson(meta);
    report["file"] = arguments.file;
    report["bytes"] = reader.bytes();
    fmt::print("{}\n", report.dump(2));
  } else {
    fmt::print("saved {}: group {} ({}), entry {} of term {}, revision {}, {} bytes\n", arguments.file,
               meta.group.value, meta.name, meta.index.value, meta.term.value, meta.revision.value,
               reader.bytes());
  }
  return ExitCode::kOk;
}

ExitCode Save(const SaveArguments& arguments) {
  const auto groups = arguments.target->GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  if (groups->size() != 1)
    return Fail({ExitCode::kUsage, "a snapshot is of one group: say which with --region and --group"});
  if (arguments.file == "-" && arguments.target->json())
    return Fail({ExitCode::kUsage, "the snapshot itself goes to stdout: leave -o json out"});
  OutputFile out(arguments.file);
  CliError last{ExitCode::kUnavailable, groups->front().Label() + ": no replica has an HTTP door"};
  for (const Replica& replica : groups->front().replicas) {
    if (replica.http.empty()) continue;
    Download download(arguments, out);
    const auto error = download.From(replica.http);
    if (!error) return ReportSaved(arguments, download.reader());
    last = *error;
    const bool may_try_another = error->code == ExitCode::kUnavailable || error->code == ExitCode::kUnknown;
    if (!may_try_another || (out.is_stdout() && download.reader().bytes() > 0)) break;
  }
  return Fail(last);
}

// --- inspect ---

std::string TimeText(WallTime time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.since_epoch).count();
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

void PrintSummary(const std::string& file, const app::SnapshotSummary& summary) {
  const storage::SnapshotFileMeta& meta = summary.meta;
  fmt::print("{}: whole and undamaged, {} bytes\n", file, summary.bytes);
  fmt::print("  group       {} ({})\n", meta.group.value, meta.name);
  fmt::print("  saved at    {}\n", TimeText(meta.saved_at));
  fmt::print("  log         entry {} of term {}\n", meta.index.value, meta.term.value);
  fmt::print("  revision    {}\n", meta.revision.value);
  fmt::print("  state hash  {}\n", HashText(meta.state_hash));
  for (const raft::Member& member : meta.configuration.members) {
    fmt::print("  member      {} {}{}\n", member.id.value, member.address, member.voter ? "" : " (learner)");
  }
  for (const app::ZoneSummary& zone : summary.zones)
    fmt::print("  zone        {} serial {}, {} records\n", zone.apex, zone.serial, zone.records);
  fmt::print("  keys        {} of the store, {} in all\n", summary.keys, summary.map_keys);
}

ExitCode FailWith(const absl::Status& status) {
  const ExitCode code =
      status.code() == absl::StatusCode::kInvalidArgument ? ExitCode::kUsage : ExitCode::kFailed;
  return Fail({code, MessageOf(status)});
}

ExitCode Inspect(const std::string& file, bool as_json) {
  const auto summary = app::CheckSnapshotFile(file);
  if (!summary.ok()) return FailWith(summary.status());
  if (!as_json) {
    PrintSummary(file, *summary);
    return ExitCode::kOk;
  }
  json report = MetaToJson(summary->meta);
  report["bytes"] = summary->bytes;
  report["keys"] = summary->keys;
  report["map_keys"] = summary->map_keys;
  report["zones"] = json::array();
  for (const app::ZoneSummary& zone : summary->zones)
    report["zones"].push_back({{"name", zone.apex}, {"serial", zone.serial}, {"records", zone.records}});
  fmt::print("{}\n", report.dump(2));
  return ExitCode::kOk;
}

// --- restore ---

ExitCode Restore(const app::RestoreOptions& options, bool as_json) {
  const auto restored = app::Restore(options);
  if (!restored.ok()) return FailWith(restored.status());
  const storage::SnapshotFileMeta& meta = restored->summary.meta;
  const std::string members = fmt::format("{}", fmt::join(options.members, ","));
  if (as_json) {
    fmt::print("{}\n", json({{"group_id", restored->group.value},
                             {"replica_id", options.replica_id},
                             {"members", options.members},
                             {"data", options.data_dir},
                             {"from", MetaToJson(meta)}})
                           .dump(2));
    return ExitCode::kOk;
  }
  fmt::print("restored {}: member {} of the new group {}, with all of group {} up to entry {}, revision {}\n",
             options.data_dir, options.replica_id, restored->group.value, meta.group.value, meta.index.value,
             meta.revision.value);
  if (options.members.size() > 1) {
    fmt::print(
        "Next, for each other member N, from the same file:\n"
        "  quorate snapshot restore {} --data DIR --group-id {} --replica-id N --members {}\n",
        options.file, restored->group.value, members);
  }
  fmt::print(
      "Then start each with its own addresses:\n"
      "  quorate serve --data {} --group-id {} --replica-id {} --members {} \\\n"
      "    --listen-peer IP:PORT --listen-dns IP:PORT --listen-http IP:PORT\n",
      options.data_dir, restored->group.value, options.replica_id, members);
  return ExitCode::kOk;
}

// --- the command line ---

void AddFormatFlag(CLI::App& command, std::string& format) {
  command.add_option("-o,--format", format, "How to print")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

void AddSave(CLI::App& snapshot, ExitCode& exit) {
  CLI::App* command = snapshot.add_subcommand("save", "Save a group's state, as of one moment, to a file");
  const auto arguments = std::make_shared<SaveArguments>();
  command->add_option("file", arguments->file, "Written as FILE.part until it is whole; - for stdout")
      ->required();
  arguments->target = AddTargetFlags(*command);
  AddConsistencyFlag(*command, arguments->consistency);
  command->footer(
      "Examples:\n"
      "  quorate snapshot save org.snapshot --oracle http://127.0.0.1:8050 --region eu --group org\n"
      "  quorate snapshot save - --server http://127.0.0.1:8101 | gzip > org.snapshot.gz");
  command->callback([=, &exit] { exit = Save(*arguments); });
}

void AddInspect(CLI::App& snapshot, ExitCode& exit) {
  CLI::App* command = snapshot.add_subcommand("inspect", "Check a snapshot file and say what is in it");
  struct Arguments {
    std::string file, format = "text";
  };
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("file", arguments->file, "The file; - for stdin")->required();
  AddFormatFlag(*command, arguments->format);
  command->footer("Examples:\n  quorate snapshot inspect org.snapshot\n  quorate snapshot inspect - -o json");
  command->callback([=, &exit] { exit = Inspect(arguments->file, arguments->format == "json"); });
}

void AddRestore(CLI::App& snapshot, ExitCode& exit) {
  CLI::App* command =
      snapshot.add_subcommand("restore", "Make the data directory of one member of a new group");
  struct Arguments {
    app::RestoreOptions options;
    std::string format = "text";
  };
  const auto arguments = std::make_shared<Arguments>();
  app::RestoreOptions& options = arguments->options;
  command->add_option("file", options.file, "The snapshot file")->required();
  command->add_option("--data", options.data_dir, "The directory to make; not there yet, or empty")
      ->required();
  command->add_option("--group-id", options.group_id, "Number of the new group (default: drawn)");
  command->add_option("--replica-id", options.replica_id, "Number of the member whose directory it is")
      ->required();
  command
      ->add_option("--members,--member", options.members,
                   "1=ip:port,2=ip:port,... of all members of the new group; 4=ip:port/learner has no vote")
      ->delimiter(',')
      ->required();
  AddFormatFlag(*command, arguments->format);
  command->footer(
      "Every member's directory is made from the same file, with the same --group-id and --members. Nothing "
      "runs\non them meanwhile, and the group that the file is of may go on: the two are strangers.\n"
      "Examples:\n"
      "  quorate snapshot restore org.snapshot --data d1 --group-id 9 --replica-id 1 --members "
      "1=127.0.0.1:7101");
  command->callback([=, &exit] { exit = Restore(arguments->options, arguments->format == "json"); });
}

}  // namespace

void RegisterSnapshot(CLI::App& app, ExitCode& exit) {
  CLI::App* snapshot = app.add_subcommand("snapshot", "Save, inspect and restore a group's whole state");
  snapshot->require_subcommand(1);
  snapshot->footer(kExitCodeHelp);
  AddSave(*snapshot, exit);
  AddInspect(*snapshot, exit);
  AddRestore(*snapshot, exit);
}

}  // namespace quorate::cli
