#include "api/xfr/arrival.h"

#include <future>

#include "api/xfr/random_id.h"
#include "base/limits.h"
#include "base/overloaded.h"
#include "base/status_macros.h"
#include "rsm/outcome.h"

namespace quorate::api::xfr {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(30);

size_t BytesOf(const dns::RRset& rrset) {
  size_t bytes = rrset.owner.wire().size() + 16;
  for (const std::string& rdata : rrset.rdata) bytes += rdata.size() + 4;
  return bytes;
}

}  // namespace

absl::Status ProposeAndWait(replica::Client& client, const rsm::Command& command, Duration timeout) {
  auto promise = std::make_shared<std::promise<replica::ProposeOutcome>>();
  client.Propose(rsm::EncodeCommand(command), timeout,
                 [promise](replica::ProposeOutcome outcome) { promise->set_value(std::move(outcome)); });
  const replica::ProposeOutcome outcome = promise->get_future().get();
  return std::visit(
      Overloaded{
          [](const replica::Decided& decided) {
            const auto result = rsm::DecodeResult(decided.outcome);
            if (!result) return absl::InternalError("an outcome that does not decode");
            if (result->refused != rsm::Refused::kNot) return absl::AbortedError(result->reason);
            return absl::OkStatus();
          },
          [](const replica::NotProposed&) { return absl::UnavailableError("the group takes no writes now"); },
          [](const replica::OutcomeUnknown&) {
            return absl::UnknownError("whether the group took it is not known");
          },
      },
      outcome);
}

Arrival::Arrival(replica::Client& client, dns::Name apex, Revision since, size_t piece_bytes)
    : client_(client), apex_(std::move(apex)), since_(since), piece_bytes_(piece_bytes) {}

void Arrival::Begin() {
  stage_ = RandomHex(12);
  pieces_ = 0;
  rrsets_.clear();
  bytes_ = 0;
}

absl::Status Arrival::Add(dns::RRset&& rrset) {
  bytes_ += BytesOf(rrset);
  rrsets_.push_back(std::move(rrset));
  return bytes_ >= piece_bytes_ ? Stage() : absl::OkStatus();
}

absl::Status Arrival::Stage() {
  bytes_ = 0;
  return Propose(rsm::ZoneStage{stage_, pieces_++, std::exchange(rrsets_, {})}, false);
}

absl::Status Arrival::FinishFull() {
  if (pieces_ == 0)
    return Propose(rsm::ZoneTransferIn{apex_, std::nullopt, std::exchange(rrsets_, {}), {}}, true);
  if (!rrsets_.empty()) RETURN_IF_ERROR(Stage());
  return Propose(rsm::ZoneReplaceStaged{apex_, stage_, pieces_, true}, true);
}

absl::Status Arrival::Incremental(dns::Serial from, std::vector<zone::RRsetEdit> edits) {
  return Propose(rsm::ZoneTransferIn{apex_, from, {}, std::move(edits)}, true);
}

absl::Status Arrival::Propose(decltype(rsm::Command::body) body, bool conditional) {
  rsm::Command command;
  command.origin = "transfer";
  command.body = std::move(body);
  if (conditional) command.if_revision = since_;
  return ProposeAndWait(client_, command, kTimeout);
}

}  // namespace quorate::api::xfr
