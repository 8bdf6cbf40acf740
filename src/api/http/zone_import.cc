// PUT zonefile: a zone becomes what a master file says, in one change, however large. The text is read in
// parts as it comes; what is more than one piece waits in the log's map (ZoneStage) for the command that puts
// the pieces together. Here is never more than a piece and a part.
#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"
#include "api/http/zone_names.h"
#include "api/http/zone_text.h"
#include "base/check.h"
#include "base/limits.h"
#include "rsm/command_tags.h"
#include "rsm/read.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using Outcome = Result<rsm::CommandResult, HttpResponse>;

constexpr size_t kStageIdBytes = 16;
constexpr Duration kAppliedPerPiece = std::chrono::seconds(2);  // at the worst

json SummaryOf(const rsm::CommandResult& result, size_t records) {
  return {{"revision", result.revision.value},
          {"serial", result.serial.value},
          {"changed", result.changed},
          {"records", records},
          {"rrsets_added", result.rrsets_added},
          {"rrsets_removed", result.rrsets_removed},
          {"rrsets_changed", result.rrsets_changed}};
}

// A retry has the same, so that its last command is the same; without a key nobody can retry.
std::string StageIdOf(const rsm::Command& command, const dns::Name& apex) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  std::string from = command.idempotency_key;
  if (command.session) from = fmt::format("{} {}", command.session->id, command.session->sequence);
  if (from.empty()) {
    CHECK_EQ(RAND_bytes(digest, sizeof digest), 1);
  } else {
    from += apex.Folded().wire();
    SHA256(reinterpret_cast<const unsigned char*>(from.data()), from.size(), digest);
  }
  return std::string(reinterpret_cast<const char*>(digest), kStageIdBytes);
}

// One import. One thing after the other: a part is read only when the pieces before it are in the log.
class Import : public std::enable_shared_from_this<Import> {
 public:
  Import(ContextPtr context, HttpRequest request, rsm::Command command, const dns::Name& apex,
         Respond respond)
      : context_(std::move(context)),
        parts_(std::move(request.parts)),
        command_(std::move(command)),
        apex_(apex),
        respond_(std::move(respond)),
        stage_id_(StageIdOf(command_, apex_)),
        may_stage_(context_->backend.client->Status().raft.configuration.feature_level >=
                   rsm::kFeatureLevelOfDns),
        reader_(apex_, rsm::GetZoneSettings(*context_->backend.map, Revision{0}, apex_).default_ttl,
                may_stage_ ? context_->import_piece_bytes : limits::kCommandBytesMax) {}

  void AskForPart() {
    parts_([self = shared_from_this()](absl::StatusOr<std::string> part) {
      self->OnWorker([self, part = std::move(part)] { self->Take(part); });
    });
  }

 private:
  void OnWorker(std::function<void()> job) {
    if (!context_->worker.TryPost(std::move(job)))
      respond_(NotProposedResponse(replica::Refusal::kQueueFull));
  }

  void Take(const absl::StatusOr<std::string>& part) {
    if (absl::IsOutOfRange(part.status())) return respond_(NotProposedResponse(replica::Refusal::kTooLarge));
    if (!part.ok()) return respond_(ErrorResponse(400, "malformed", "the zone file did not come whole"));
    whole_ = part->empty();
    const auto error = whole_ ? reader_.Finish() : reader_.Feed(*part);
    if (error) return respond_(BadZoneText(*error));
    if (reader_.has_piece() && !may_stage_) return respond_(NotProposedResponse(replica::Refusal::kTooLarge));
    GoOn();
  }

  void GoOn() {
    if (reader_.has_piece() || (whole_ && pieces_ > 0 && !reader_.is_empty())) return Stage();
    if (whole_) return Finish();
    AskForPart();
  }

  // Staging the same piece again changes nothing: it needs no key.
  void Stage() {
    rsm::Command stage{
        .idempotency_key = {}, .session = {}, .if_revision = {}, .origin = command_.origin, .body = {}};
    stage.body = rsm::ZoneStage{.id = stage_id_, .piece = pieces_++, .rrsets = reader_.Take()};
    context_->Propose(std::move(stage), [self = shared_from_this()](const Outcome& outcome) {
      if (!outcome.ok()) return self->StageFailed(outcome.error());
      self->OnWorker([self] { self->GoOn(); });
    });
  }

  // Whatever became of the piece, the zone is as it was.
  void StageFailed(const HttpResponse& why) {
    if (why.status != 504) return respond_(why);
    HttpResponse response = ErrorResponse(503, "busy", "a piece of the zone file was not taken in time",
                                          "nothing was changed; try again");
    response.headers.emplace_back("Retry-After", "1");
    respond_(std::move(response));
  }

  void Finish() {
    if (pieces_ == 0) {
      command_.body = rsm::ZoneReplace{.apex = apex_, .rrsets = reader_.Take()};
    } else {
      command_.body =
          rsm::ZoneReplaceStaged{.apex = apex_, .id = stage_id_, .pieces = pieces_, .transferred = false};
    }
    context_->Propose(
        std::move(command_),
        [self = shared_from_this()](const Outcome& outcome) {
          if (!outcome.ok()) return self->respond_(outcome.error());
          self->respond_(Stamped({.body = Dump(SummaryOf(*outcome, self->reader_.records()))}, *outcome));
        },
        kAppliedPerPiece * pieces_);
  }

  const ContextPtr context_;
  const BodyParts parts_;
  rsm::Command command_;
  const dns::Name apex_;
  const Respond respond_;
  const std::string stage_id_;
  const bool may_stage_;
  ZoneTextReader reader_;
  uint32_t pieces_ = 0;
  bool whole_ = false;
};

void HandleImport(const ContextPtr& context, HttpRequest request, const Respond& respond) {
  const auto apex = ZoneOf(request);
  if (!apex.ok()) return respond(apex.error());
  auto command = CommandFor(request);
  if (!command.ok()) return respond(command.error());
  const bool taken = context->worker.TryPost(
      [context, request = std::move(request), command = *std::move(command), apex = *apex, respond] {
        std::make_shared<Import>(context, request, command, apex, respond)->AskForPart();
      });
  if (!taken) respond(NotProposedResponse(replica::Refusal::kQueueFull));
}

}  // namespace

void AddZoneImportRoute(const ContextPtr& context, Router& router) {
  router.Add(
      {.method = "PUT",
       .pattern = "/api/v1/servers/{server}/zones/{zone}/zonefile",
       .handler = [context](HttpRequest request,
                            const Respond& respond) { HandleImport(context, std::move(request), respond); },
       .body_bytes_max = limits::kZoneTextBytesMax,
       .body_in_parts = true,
       .writes = true});
}

}  // namespace quorate::api
