// Runs tests/scenario/zone/*.txt and tests/conformance/rfc2136/*.txt. A file is a list of blocks
//   # comment
//   command argument
//   input lines
//   ----
//   expected output
// ended by an empty line. With QUORATE_REWRITE=1 in the environment the files are rewritten with what came
// out: read the diff. Commands:
//   zone APEX        master-file text: the zone becomes this (an import, if there is one already)
//   query            lines "NAME TYPE": the zone is found as for a real question, then looked up
//   edit APEX        lines "replace|add OWNER TTL TYPE RDATA", "remove OWNER TYPE RDATA", "delete OWNER
//   TYPE"; lines of
//                    one verb, owner and type that follow each other are one edit of the RRset
//   update APEX      RFC 2136, lines as nsupdate takes them: "prereq yxdomain|nxdomain NAME", "prereq
//                    yxrrset|nxrrset NAME TYPE [RDATA]", "add OWNER TTL TYPE RDATA", "delete OWNER [TYPE
//                    [RDATA]]"; "raw prereq|update OWNER CLASS TTL TYPE [RDATA]" is any record; "may NAME"
//                    grants what is at or below it, else everything is granted; "serial POLICY SECONDS"
//   glue, addresses  lines "NAME"; found in the zone of the name's parent
//   tree APEX        every node, its children and records
//   keys APEX        the keys in the store
//   drop APEX        the zone goes
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "zone/edit.h"
#include "zone/store_keys.h"
#include "zone/update_test_util.h"
#include "zone/zone_set.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {
namespace {

using dns::Name;
using dns::RRType;

struct Block {
  std::vector<std::string> comments;
  std::string command, argument;
  std::vector<std::string> input;
  std::string expected;
};

std::string Joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

std::vector<Block> ReadBlocks(std::istream& in) {
  std::vector<Block> blocks;
  Block block;
  enum { kBefore, kInput, kOutput } where = kBefore;
  std::string line;
  while (std::getline(in, line)) {
    if (where == kBefore && (line.empty() || line[0] == '#')) {
      block.comments.push_back(line);
    } else if (where == kBefore) {
      std::istringstream(line) >> block.command >> block.argument;
      where = kInput;
    } else if (where == kInput && line == "----") {
      where = kOutput;
    } else if (where == kInput) {
      block.input.push_back(line);
    } else if (line.empty()) {
      blocks.push_back(std::move(block));
      block = Block();
      where = kBefore;
    } else {
      block.expected += line + "\n";
    }
  }
  if (where == kOutput || !block.comments.empty()) blocks.push_back(std::move(block));
  return blocks;
}

std::string Refused(const Refusal& refusal) {
  return "refused " + std::string(RefusalName(refusal.code)) + ": " + refusal.reason + "\n";
}

std::string Text(const RRsetView& view, const std::string& prefix = "") {
  if (view.empty()) return "";
  std::istringstream lines(dns::RRsetToText(view.Materialize()));
  std::string out, line;
  while (std::getline(lines, line)) out += prefix + line + "\n";
  return out;
}

std::string KindText(const LookupResult& found) {
  switch (found.kind) {
    case LookupKind::kAnswer:
      return "answer";
    case LookupKind::kCname:
      return "cname";
    case LookupKind::kDname:
      return "dname";
    case LookupKind::kDelegation:
      return "delegation";
    case LookupKind::kNoData:
      return "nodata";
    case LookupKind::kNxDomain:
      return "nxdomain";
    case LookupKind::kOutOfZone:
      return "out of zone";
  }
  return "";
}

class Scenario {
 public:
  std::string Run(const Block& block) {
    if (block.command == "zone") return Import(N(block.argument), Joined(block.input));
    if (block.command == "query") return EachLine(block, [this](auto& words) { return Query(words); });
    if (block.command != "zone" && !block.argument.empty() &&
        zones_.Get(N(block.argument).wire()) == nullptr) {
      return "no zone " + block.argument + "\n";
    }
    if (block.command == "edit") return Edit(N(block.argument), block.input);
    if (block.command == "update") return Update(N(block.argument), block.input);
    if (block.command == "glue")
      return EachLine(block, [this](auto& words) { return Addresses(words, FindGlue); });
    if (block.command == "addresses") {
      return EachLine(block, [this](auto& words) { return Addresses(words, FindAddresses); });
    }
    if (block.command == "tree") return Shape(*zones_.Get(N(block.argument).wire()));
    if (block.command == "keys") return Keys(*zones_.Get(N(block.argument).wire()));
    if (block.command == "drop") return zones_.Remove(N(block.argument).wire()), "gone\n";
    return "unknown command " + block.command + "\n";
  }

 private:
  template <class Visit>
  static std::string EachLine(const Block& block, Visit visit) {
    std::string out;
    for (const std::string& line : block.input) {
      std::istringstream words(line);
      out += visit(words);
    }
    return out;
  }

  std::string Import(const Name& apex, const std::string& text) {
    ZoneBuilder builder(apex);
    const auto error = dns::ParseZoneText(text, {.origin = apex}, [&](dns::TextRecord&& record) {
      builder.Add(record.owner, record.type, record.ttl, record.rdata);
      return std::string();
    });
    if (error) {
      return "line " + std::to_string(error->line) + " column " + std::to_string(error->column) + ": " +
             error->what + "\n";
    }
    auto built = std::move(builder).Build();
    if (const auto* refusal = std::get_if<Refusal>(&built)) return Refused(*refusal);
    const ZonePtr old = zones_.Get(apex.wire());
    const auto outcome = ReplaceZone(old, std::get<ZonePtr>(built));
    if (old != nullptr) return Conclude(outcome);
    const ZonePtr& zone = std::get<EditResult>(outcome).zone;
    zones_.Put(zone);
    return "serial " + std::to_string(zone->serial().value) + ", " + std::to_string(zone->record_count()) +
           " records, " + std::to_string(zone->node_count()) + " nodes" +
           (zone->is_signed() ? ", signed" : "") + "\n";
  }

  std::string Conclude(const EditOutcome& outcome) {
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) return Refused(*refusal);
    const auto& [zone, changeset] = std::get<EditResult>(outcome);
    if (changeset.empty()) return "no change, serial " + std::to_string(zone->serial().value) + "\n";
    zones_.Put(zone);
    std::string out = "serial " + std::to_string(changeset.to->value) + "\n";
    for (const RRsetChange& change : changeset.changes) {
      for (const auto& [set, sign] : {std::pair{&change.before, "- "}, std::pair{&change.after, "+ "}}) {
        if (!*set) continue;
        std::istringstream lines(dns::RRsetToText(**set));
        for (std::string line; std::getline(lines, line);) out += sign + line + "\n";
      }
    }
    return out;
  }

  std::string Edit(const Name& apex, const std::vector<std::string>& lines) {
    ZoneEdit edit;
    for (const std::string& line : lines) {
      std::istringstream in(line);
      RRsetEdit one;
      std::string verb, owner, type, rdata;
      in >> verb >> owner;
      if (verb == "replace" || verb == "add") in >> one.ttl;
      in >> type >> std::ws;
      std::getline(in, rdata);
      one.kind = verb == "replace"  ? RRsetEdit::Kind::kReplace
                 : verb == "add"    ? RRsetEdit::Kind::kAddRecords
                 : verb == "remove" ? RRsetEdit::Kind::kRemoveRecords
                                    : RRsetEdit::Kind::kDelete;
      one.owner = N(owner, apex);
      one.type = dns::TypeFromText(type).value();
      if (!rdata.empty()) one.rdata = {RdataOf(one.type, rdata, apex)};
      Append(std::move(one), edit);
    }
    return Conclude(ApplyEdit(zones_.Get(apex.wire()), edit));
  }

  std::string Update(const Name& apex, const std::vector<std::string>& lines) {
    zone::Update update;
    SerialRule serial;
    std::vector<Name> granted;
    for (const std::string& line : lines) ReadUpdateLine(line, apex, update, serial, granted);
    const auto may = [&](const UpdateRecord& record) {
      return std::any_of(granted.begin(), granted.end(),
                         [&](const Name& name) { return record.owner.IsAtOrBelow(name); });
    };
    auto outcome = ApplyUpdate(zones_.Get(apex.wire()), update, serial,
                               granted.empty() ? std::function<bool(const UpdateRecord&)>() : may);
    if (const auto* refusal = std::get_if<UpdateRefusal>(&outcome))
      return UpdateRcodeText(refusal->rcode) + ": " + refusal->reason + "\n";
    return Conclude(std::get<EditResult>(std::move(outcome)));
  }

  static void Append(RRsetEdit one, ZoneEdit& edit) {
    if (!edit.edits.empty()) {
      RRsetEdit& last = edit.edits.back();
      if (last.kind == one.kind && last.owner == one.owner && last.type == one.type) {
        last.ttl = one.ttl;
        last.rdata.insert(last.rdata.end(), one.rdata.begin(), one.rdata.end());
        return;
      }
    }
    edit.edits.push_back(std::move(one));
  }

  std::string Query(std::istringstream& words) {
    std::string name_text, type_text;
    words >> name_text >> type_text;
    const Name name = N(name_text);
    const RRType type = dns::TypeFromText(type_text).value();
    std::string out = name_text + " " + type_text + " -> ";
    const Zone* zone = zones_.FindZoneFor(name.wire(), type);
    if (zone == nullptr) return out + "no zone\n";
    const LookupResult found = Lookup(*zone, name.wire(), type);
    out += KindText(found) + (found.synthesized ? ", synthesized" : "") + ", zone " + zone->apex().ToText();
    out += ", closest encloser " + Name::FromView(found.closest_encloser->owner()).ToText() + "\n";
    const bool any = type == RRType::kANY && found.kind == LookupKind::kAnswer;
    if (any) {
      for (const dns::RRset& set : found.node->Materialize()) out += "  " + dns::TypeToText(set.type) + "\n";
      return out;
    }
    return out + Text(found.rrset, "  ") + Text(found.ds, "  ");
  }

  std::string Addresses(std::istringstream& words, zone::Addresses (*find)(const Zone&, dns::NameView)) {
    std::string name_text;
    words >> name_text;
    const Name name = N(name_text);
    const Zone* zone = zones_.FindZone(dns::ParentOf(name.wire()));
    if (zone == nullptr) return name_text + " -> no zone\n";
    const auto found = find(*zone, name.wire());
    return name_text + " ->" + (found.empty() ? " none" : "") + "\n" + Text(found.a, "  ") +
           Text(found.aaaa, "  ");
  }

  static std::string Keys(const Zone& zone) {
    std::string out;
    for (const RRsetChange& change : Diff(nullptr, &zone).changes) {
      out += RecordKey(zone.apex(), change.owner, change.type) + "\n";
    }
    return out;
  }

  ZoneSet zones_;
};

class ZoneScenario : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ZoneScenario, HasTheOutcomeItTells) {
  std::ifstream in(GetParam());
  std::vector<Block> blocks = ReadBlocks(in);
  in.close();
  Scenario scenario;
  std::string rewritten;
  const bool rewrite = std::getenv("QUORATE_REWRITE") != nullptr;
  for (const Block& block : blocks) {
    rewritten += Joined(block.comments);
    if (block.command.empty()) continue;
    const std::string output = scenario.Run(block);
    if (!rewrite) {
      EXPECT_EQ(output, block.expected) << block.command << " " << block.argument << "\n"
                                        << Joined(block.input);
    }
    rewritten += block.command + (block.argument.empty() ? "" : " " + block.argument) + "\n" +
                 Joined(block.input) + "----\n" + output + "\n";
  }
  if (rewrite) std::ofstream(GetParam()) << rewritten;
}

std::vector<std::filesystem::path> ScenarioFiles() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"/tests/scenario/zone", "/tests/conformance/rfc2136"}) {
    for (const auto& entry : std::filesystem::directory_iterator(QUORATE_SOURCE_DIR + std::string(folder))) {
      if (entry.path().extension() == ".txt") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

INSTANTIATE_TEST_SUITE_P(Files, ZoneScenario, testing::ValuesIn(ScenarioFiles()), [](const auto& info) {
  std::string name = info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
});

}  // namespace
}  // namespace quorate::zone
