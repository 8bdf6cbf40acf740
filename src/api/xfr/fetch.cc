#include "api/xfr/fetch.h"

#include <fmt/format.h>

#include "api/xfr/ixfr_reader.h"
#include "api/xfr/random_id.h"
#include "base/status_macros.h"
#include "wire/tsig.h"

namespace quorate::api::xfr {
namespace {

using State = TransferReader::State;

constexpr Duration kDatagramWait = std::chrono::milliseconds(1500), kStreamWait = std::chrono::seconds(20);
constexpr int kDatagramAttempts = 2;

uint64_t Seconds(const Clock& clock) {
  const Duration now = clock.Wall().since_epoch;
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

wire::Bytes AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// One question and its answers, signed both ways if there is a key.
class Conversation {
 public:
  Conversation(const FetchRequest& request, const Clock& clock) : request_(request), clock_(clock) {}

  absl::StatusOr<std::string> Ask(const wire::Message& query) {
    auto bytes = wire::EncodeMessage(query);
    if (!bytes.ok()) return absl::InternalError("the question does not fit a message");
    std::string message = *std::move(bytes);
    if (!request_.key) return message;
    const zone::TsigKey& key = *request_.key;
    const wire::TsigKeyView view{key.name.wire(), key.algorithm, key.secret};
    wire::TsigSigner signer(view, "");
    if (!signer.Sign(message, Seconds(clock_)))
      return absl::InternalError("the key's algorithm is not to be had");
    verifier_.emplace(view, signer.mac());
    return message;
  }
  absl::Status Check(const std::string& answer) {
    if (!verifier_) return absl::OkStatus();
    const wire::TsigStatus status = verifier_->Verify(AsBytes(answer), Seconds(clock_));
    if (status == wire::TsigStatus::kVerified) {
      begun_ = true;
      return absl::OkStatus();
    }
    if (status == wire::TsigStatus::kUnsigned && begun_) return absl::OkStatus();
    return absl::PermissionDeniedError(
        fmt::format("the answer's signature: {}", wire::TsigStatusText(status)));
  }
  bool complete() const { return !verifier_ || verifier_->complete(); }

 private:
  const FetchRequest& request_;
  const Clock& clock_;
  std::optional<wire::TsigVerifier> verifier_;
  bool begun_ = false;  // the first message was signed (RFC 8945 5.3.1)
};

// The primary's serial, over UDP; whatever is wrong with the answer, the stream will tell better.
absl::StatusOr<dns::Serial> AskSerial(const FetchRequest& request, const FetchTools& tools) {
  Conversation conversation(request, *tools.clock);
  const wire::Message query = wire::MakeQuery(RandomId(), request.apex, dns::RRType::kSOA);
  ASSIGN_OR_RETURN(const std::string asked, conversation.Ask(query));
  ASSIGN_OR_RETURN(const std::string answer, AskDatagram(request.primary, tools.sources, asked, *tools.clock,
                                                         kDatagramWait, kDatagramAttempts, tools.stop));
  RETURN_IF_ERROR(conversation.Check(answer));
  const auto message = wire::ParseMessage(AsBytes(answer));
  if (!message.ok() || !conversation.complete() || !message->response ||
      message->questions != query.questions)
    return absl::UnavailableError("an answer that does not fit the question");
  for (const wire::Record& record : message->answer) {
    const auto soa = record.type == dns::RRType::kSOA && record.name == request.apex
                         ? dns::ParseSoa(record.rdata)
                         : std::nullopt;
    if (soa && message->aa) return soa->serial;
  }
  return absl::UnavailableError(
      fmt::format("the primary does not answer for the zone: RCODE {}", static_cast<int>(message->rcode)));
}

struct Transferred {
  std::optional<Fetched> fetched;  // nullopt: try the full form
  std::string why;
};

absl::StatusOr<Transferred> Transfer(const FetchRequest& request, const zone::ZonePtr& have,
                                     const FetchTools& tools) {
  ASSIGN_OR_RETURN(const auto stream,
                   Stream::Connect(request.primary, tools.sources, *tools.clock, kStreamWait, tools.stop));
  Conversation conversation(request, *tools.clock);
  const uint16_t id = RandomId();
  ASSIGN_OR_RETURN(const std::string asked, conversation.Ask(TransferQuery(id, request.apex, have.get())));
  RETURN_IF_ERROR(stream->Send(asked));
  absl::Status taken;
  tools.begin();
  TransferReader reader(request.apex, have, [&](dns::RRset&& rrset) {
    if (taken.ok()) taken = tools.rrset(std::move(rrset));
  });
  State state = State::kMore;
  while (state == State::kMore) {
    if (tools.stop()) return absl::CancelledError("this replica leads no more");
    ASSIGN_OR_RETURN(const std::string message, stream->Receive());
    RETURN_IF_ERROR(conversation.Check(message));
    state = reader.Add(AsBytes(message), id);
    RETURN_IF_ERROR(taken);
  }
  if (state == State::kFailed) {
    if (reader.incremental_failed()) return Transferred{std::nullopt, reader.why()};
    return absl::UnavailableError(reader.why());
  }
  if (!conversation.complete()) return absl::PermissionDeniedError("the end of the transfer is not signed");
  Fetched fetched;
  if (state == State::kFull) fetched.kind = Fetched::Kind::kFull;
  if (state == State::kIncremental) {
    fetched.kind = Fetched::Kind::kIncremental;
    fetched.edits = reader.TakeEdits();
  }
  return Transferred{std::move(fetched), ""};
}

}  // namespace

absl::StatusOr<Fetched> Fetch(const FetchRequest& request, const FetchTools& tools) {
  // Over TLS nothing goes outside it (RFC 9103 6.2); an IXFR says as well that nothing is newer.
  if (request.have && !request.primary.tls) {
    const auto serial = AskSerial(request, tools);
    if (serial.ok() && !dns::IsNewer(*serial, request.have->serial())) return Fetched{};
  }
  if (request.have) {
    ASSIGN_OR_RETURN(Transferred incremental, Transfer(request, request.have, tools));
    if (incremental.fetched) return *std::move(incremental.fetched);
  }
  ASSIGN_OR_RETURN(Transferred full, Transfer(request, nullptr, tools));
  if (full.fetched) return *std::move(full.fetched);
  return absl::UnavailableError(full.why);
}

}  // namespace quorate::api::xfr
