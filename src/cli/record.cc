// `quorate record`: one RRset of a zone.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/rdata_arguments.h"
#include "cli/report.h"
#include "cli/target.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

struct RecordArguments {
  std::shared_ptr<Target> target;
  std::string name, type, zone, consistency;
  std::vector<std::string> contents;
  int64_t ttl = -1;
  int64_t if_revision = -1;
};
using Arguments = std::shared_ptr<RecordArguments>;

constexpr int64_t kDefaultTtl = 3600;

// The groups that hold the name, in every region that has it.
CliResult<std::vector<GroupZone>> Holders(const RecordArguments& arguments, const dns::Name& owner,
                                          dns::RRType type) {
  auto groups = arguments.target->Groups();
  if (!groups.ok()) return groups.error();
  if (arguments.zone.empty()) {
    auto holders = ChooseGroups(*groups, owner, type);
    if (!holders.empty()) return holders;
    return CliError{
        ExitCode::kNotFound,
        fmt::format("no group serves a zone of {}; `quorate zone list` shows the zones", owner.ToText())};
  }
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return zone.error();
  if (!owner.IsAtOrBelow(*zone)) {
    return CliError{ExitCode::kUsage,
                    fmt::format("{} is not in the zone {}", owner.ToText(), zone->ToText())};
  }
  auto holders = GroupsOfZone(*groups, *zone);
  if (!holders.empty()) return holders;
  return CliError{
      ExitCode::kNotFound,
      fmt::format("no group serves the zone {}; `quorate zone list` shows the zones", zone->ToText())};
}

CliResult<json> ChangeOf(const RecordArguments& arguments, const char* change, const dns::Name& owner,
                         dns::RRType type) {
  json rrset = {{"name", owner.ToText()}, {"type", dns::TypeToText(type)}, {"changetype", change}};
  const bool replaces = std::string_view(change) == "REPLACE", adds = std::string_view(change) == "EXTEND";
  if (arguments.ttl >= 0) {
    rrset["ttl"] = arguments.ttl;
  } else if (replaces) {
    rrset["ttl"] = kDefaultTtl;
  }
  if (!arguments.contents.empty()) {
    const auto contents = RecordContents(type, arguments.contents);
    if (!contents.ok()) return contents.error();
    for (const std::string& content : *contents) {
      rrset["records"].push_back({{"content", content}, {"disabled", false}});
    }
  } else if (replaces || adds) {
    return CliError{ExitCode::kUsage, "no record content was given, as in `A 192.0.2.7`"};
  }
  return rrset;
}

ExitCode Change(const RecordArguments& arguments, const char* change, const char* what) {
  const auto owner = NameArgument(arguments.name);
  if (!owner.ok()) return Fail(owner.error());
  const auto type = TypeArgument(arguments.type);
  if (!type.ok()) return Fail(type.error());
  const auto rrset = ChangeOf(arguments, change, *owner, *type);
  if (!rrset.ok()) return Fail(rrset.error());
  const auto holders = Holders(arguments, *owner, *type);
  if (!holders.ok()) return Fail(holders.error());
  GroupRequest request{.method = "PATCH",
                       .path = ZonePath(holders->front().zone),
                       .body = json({{"rrsets", json::array({*rrset})}}).dump()};
  if (arguments.if_revision >= 0)
    request.headers.emplace_back("If-Match", fmt::format("\"{}\"", arguments.if_revision));
  return WriteToAll(GroupClient(arguments.target->Policy()), *holders, request,
                    fmt::format("{} {} {}", what, owner->ToText(), dns::TypeToText(*type)),
                    arguments.target->json());
}

void PrintRRset(const json& rrset) {
  for (const json& record : rrset.at("records")) {
    fmt::print("{} {} IN {} {}\n", rrset.at("name").get<std::string>(), rrset.at("ttl").get<uint32_t>(),
               rrset.at("type").get<std::string>(), record.at("content").get<std::string>());
  }
}

// Of every region: each holds the zone by itself.
ExitCode PrintRRsets(const RecordArguments& arguments, const std::vector<GroupZone>& holders,
                     const std::string& query, const std::string& what) {
  const GroupClient client(arguments.target->Policy());
  json results = json::array();
  ExitCode exit = ExitCode::kOk;
  bool found = false;
  for (const GroupZone& at : holders) {
    const GroupReply reply = client.Call(at.group, {.path = ZonePath(at.zone) + "/rrsets" + query});
    if (!reply.ok() || reply->status != 200) {
      exit = Worse(exit, Fail(reply.ok() ? ErrorOf(*reply) : reply.error()));
      continue;
    }
    json body = json::parse(reply->body, nullptr, false);
    if (!body.is_object() || !body.contains("rrsets")) {
      return Fail({ExitCode::kFailed, at.group.Label() + " gave no records; is it a replica?"});
    }
    found |= !body["rrsets"].empty();
    if (!arguments.target->json()) {
      if (holders.size() > 1) fmt::print("; {}\n", at.group.Label());
      for (const json& rrset : body["rrsets"]) PrintRRset(rrset);
    }
    body["region"] = at.group.region;
    body["group"] = at.group.name;
    results.push_back(std::move(body));
  }
  if (arguments.target->json()) fmt::print("{}\n", json({{"results", std::move(results)}}).dump(2));
  if (exit == ExitCode::kOk && !found) return Fail({ExitCode::kNotFound, "there is no " + what});
  return exit;
}

ExitCode Get(const RecordArguments& arguments) {
  const auto owner = NameArgument(arguments.name);
  if (!owner.ok()) return Fail(owner.error());
  std::string query = ConsistencyQuery(arguments.consistency) + "&name=" + PercentEncode(owner->ToText());
  dns::RRType type = dns::RRType::kA;
  if (!arguments.type.empty()) {
    const auto given = TypeArgument(arguments.type);
    if (!given.ok()) return Fail(given.error());
    type = *given;
    query += "&type=" + dns::TypeToText(type);
  }
  const auto holders = Holders(arguments, *owner, type);
  if (!holders.ok()) return Fail(holders.error());
  return PrintRRsets(arguments, *holders, query,
                     "record of " + owner->ToText() + (arguments.type.empty() ? "" : " " + arguments.type));
}

ExitCode List(const RecordArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto holders = Holders(arguments, *zone, dns::RRType::kSOA);
  if (!holders.ok()) return Fail(holders.error());
  return PrintRRsets(arguments, *holders, ConsistencyQuery(arguments.consistency),
                     "record in " + zone->ToText());
}

CLI::App* AddCommand(CLI::App& record, const char* name, const char* help, const Arguments& arguments) {
  CLI::App* command = record.add_subcommand(name, help);
  arguments->target = AddTargetFlags(*command);
  return command;
}

void AddChange(CLI::App& record, ExitCode& exit, const char* name, const char* help, const char* examples,
               const char* change, const char* what) {
  const auto arguments = std::make_shared<RecordArguments>();
  CLI::App* command = AddCommand(record, name, help, arguments);
  command->add_option("name", arguments->name, "Owner, absolute also without the final dot")->required();
  command->add_option("type", arguments->type, "A, AAAA, MX, TXT, TYPE65280, ...")->required();
  command->add_option("rdata", arguments->contents,
                      "One argument a record; a single record also as its fields");
  command->add_option("--ttl", arguments->ttl, "Seconds")->check(CLI::Range(int64_t{0}, int64_t{0x7fffffff}));
  command->add_option("--zone", arguments->zone,
                      "The zone, where it is not the longest match (a delegation)");
  command->add_option("--if-revision", arguments->if_revision, "Only if the RRset has not changed since")
      ->check(CLI::NonNegativeNumber);
  command->footer(std::string("Examples:\n") + examples);
  command->callback([=, &exit] {
    // Without contents `delete` takes the RRset, with them only those records.
    const bool prunes = std::string_view(change) == "DELETE" && !arguments->contents.empty();
    exit = Change(*arguments, prunes ? "PRUNE" : change, what);
  });
}

void AddReads(CLI::App& record, ExitCode& exit) {
  const auto get = std::make_shared<RecordArguments>();
  CLI::App* command = AddCommand(record, "get", "Print the records of a name", get);
  command->add_option("name", get->name, "Owner")->required();
  command->add_option("type", get->type, "Only this type");
  command->add_option("--zone", get->zone, "The zone, where it is not the longest match");
  AddConsistencyFlag(*command, get->consistency);
  command->footer(
      "Examples:\n  quorate record get bar.example.org\n  quorate record get example.org. SOA -o json");
  command->callback([=, &exit] { exit = Get(*get); });

  const auto list = std::make_shared<RecordArguments>();
  command = AddCommand(record, "list", "Print all records of a zone", list);
  command->add_option("zone", list->zone, "The zone")->required();
  AddConsistencyFlag(*command, list->consistency);
  command->footer(
      "Examples:\n  quorate record list example.org.\n  quorate record list . --region us-east-1");
  command->callback([=, &exit] { exit = List(*list); });
}

}  // namespace

void RegisterRecord(CLI::App& app, ExitCode& exit) {
  CLI::App* record = app.add_subcommand("record", "Read and change records");
  record->require_subcommand(1);
  record->footer(kExitCodeHelp);
  AddChange(*record, exit, "set", "Make an RRset be exactly these records",
            "  quorate record set bar.example.org. A 192.0.2.7 192.0.2.8 --ttl 60\n"
            "  quorate record set example.org. MX '10 mail.example.org.' '20 mail2.example.org.'\n"
            "  quorate record set org. NS ns1.org. ns2.org. --zone .   (the delegation, in the parent)",
            "REPLACE", "set");
  AddChange(*record, exit, "add", "Add records to an RRset",
            "  quorate record add bar.example.org. A 192.0.2.9\n"
            "  quorate record add example.org. TXT 'v=spf1 -all' --ttl 300",
            "EXTEND", "added to");
  AddChange(*record, exit, "delete", "Delete an RRset, or some of its records",
            "  quorate record delete bar.example.org. A\n"
            "  quorate record delete bar.example.org. A 192.0.2.9",
            "DELETE", "deleted from");
  AddReads(*record, exit);
}

}  // namespace quorate::cli
