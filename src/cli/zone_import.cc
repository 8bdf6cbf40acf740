// `quorate zone import`: a zone becomes what a file says, in one change, however large. The file is read
// twice: all errors are told before anything is sent, and neither text nor records are held in memory.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/report.h"
#include "cli/zone_check.h"
#include "cli/zone_command.h"
#include "cli/zone_file.h"

namespace quorate::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kPartBytes = size_t{64} << 10;
constexpr Duration kAttempt = std::chrono::minutes(20);  // a slow network and some millions of records

// A line that is written over, where somebody watches.
class ProgressLine {
 public:
  explicit ProgressLine(std::string label) : label_(std::move(label)) {}
  ~ProgressLine() {
    if (shown_) fmt::print(stderr, "\n");
  }
  void Show(size_t records, size_t of, bool last) {
    if (!watched_) return;
    const auto now = SteadyClock::now();
    if (!last && now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    shown_ = true;
    fmt::print(stderr, "\r{}: {} of {} records sent{}", label_, records, of,
               last ? "; waiting until they are applied ..." : " ...");
    std::fflush(stderr);
  }

 private:
  const std::string label_;
  const bool watched_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  SteadyClock::time_point last_{};
};

// The file's records as master-file lines with everything said: no $INCLUDE, no TTL left out.
BodyReader TextOf(const ZoneFile& file, const dns::Name& zone, uint32_t default_ttl, size_t records,
                  const std::shared_ptr<ProgressLine>& progress) {
  struct State {
    std::unique_ptr<ZoneFile::Reader> reader;
    std::string text;
    size_t sent = 0;
    bool failed = false, whole = false;
  };
  const auto state = std::make_shared<State>();
  state->reader = file.Read(
      zone, default_ttl,
      [s = state.get()](dns::TextRecord&& record) -> std::string {
        s->text += fmt::format("{} {} IN {} {}\n", record.owner.ToText(), record.ttl,
                               dns::TypeToText(record.type), dns::RdataToText(record.type, record.rdata));
        ++s->sent;
        return {};
      },
      [s = state.get()](dns::TextError&&) { return !(s->failed = true); });
  return [state, records, progress]() -> std::optional<std::string> {
    while (!state->whole && state->text.size() < kPartBytes) state->whole = !state->reader->Step();
    if (state->failed) return std::nullopt;  // it was read before without an error: it was changed meanwhile
    progress->Show(state->sent, records, state->whole);
    return std::exchange(state->text, {});
  };
}

CliError ImportError(const HttpReply& reply) {
  const json body = json::parse(reply.body, nullptr, false);
  if (body.is_object() && body.contains("reason") && body["reason"].is_string())
    return {ExitCode::kFailed, body["reason"].get<std::string>() + "; nothing was changed"};
  return ErrorOf(reply);
}

std::string ImportText(const HttpReply& reply) {
  const json body = json::parse(reply.body, nullptr, false);
  if (!body.is_object()) return "imported";
  return fmt::format("imported: {} RRsets added, {} changed, {} removed", body.value("rrsets_added", 0),
                     body.value("rrsets_changed", 0), body.value("rrsets_removed", 0));
}

CallPolicy ImportPolicy(const Target& target) {
  CallPolicy policy = WholeZonePolicy(target);
  if (!target.timeout_given) policy.attempt = kAttempt;
  return policy;
}

}  // namespace

ExitCode ImportFile(const ZoneArguments& arguments, const dns::Name& zone,
                    const std::vector<GroupZone>& holders) {
  const auto file = ZoneFile::Open(arguments.file);
  if (!file.ok()) return Fail(file.error());
  Report report(arguments.target->json());
  for (const GroupZone& at : holders) {
    const uint32_t default_ttl = DefaultTtlAt(at, *arguments.target);
    const ZoneFaults faults = CheckRecords(*file, zone, default_ttl);
    if (!faults.errors.empty()) {
      PrintFaults(faults);
      report.Failed(at, {ExitCode::kFailed, "the zone file is not good; nothing was changed"});
      continue;
    }
    const auto progress = std::make_shared<ProgressLine>(at.group.Label());
    const GroupRequest request =
        Conditional({.method = "PUT",
                     .path = ZonePath(zone) + "/zonefile",
                     .body = {},
                     .open_body = [&] { return TextOf(*file, zone, default_ttl, faults.records, progress); },
                     .content_type = "text/dns"},
                    arguments.if_revision);
    const GroupReply reply = GroupClient(ImportPolicy(*arguments.target)).Call(at.group, request);
    if (!reply.ok()) {
      report.Failed(at, reply.error());
    } else if (reply->status != 200) {
      report.Failed(at, ImportError(*reply));
    } else {
      report.Applied(at, ImportText(*reply), *reply);
    }
  }
  return report.Finish();
}

ExitCode Import(const ZoneArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto holders = Holders(arguments, *zone, true);
  if (!holders.ok()) return Fail(holders.error());
  return ImportFile(arguments, *zone, *holders);
}

}  // namespace quorate::cli
