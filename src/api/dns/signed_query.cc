#include "api/dns/signed_query.h"

#include "wire/header.h"
#include "wire/writer.h"

namespace quorate::api::door {
namespace {

wire::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

serve::Asker AskerOf(const Exchange& exchange) {
  return {exchange.transport(), exchange.client(), exchange.peer().key};
}

// "The question section and the TSIG only", with TC.
std::string Truncated(const serve::Request& request, std::string_view answer) {
  std::string out(wire::kMessageBytesMax, '\0');
  wire::MessageWriter writer({reinterpret_cast<uint8_t*>(out.data()), out.size()}, out.size());
  const wire::QueryView& query = request.parse.view;
  if (query.has_question)
    writer.AddQuestion(query.qname, static_cast<uint16_t>(query.qtype), static_cast<uint16_t>(query.qclass));
  const wire::Header header = wire::LoadHeader(AsBytes(answer));
  out.resize(writer.Finish(header.id, header.flags | wire::kFlagTC));
  return out;
}

}  // namespace

std::string AnswerSignedQuery(const Exchange& exchange, const zone::View& view, serve::RespondConfig config,
                              Consistency* consistency) {
  const serve::Request request(AsBytes(exchange.message()), AskerOf(exchange));
  config.room_for_tsig = static_cast<uint16_t>(exchange.signature_bytes());
  std::string out(wire::kMessageBytesMax, '\0');
  const serve::Response response =
      serve::Respond(request, view, config, {reinterpret_cast<uint8_t*>(out.data()), out.size()});
  if (consistency != nullptr) *consistency = response.consistency;
  out.resize(response.size);
  if (out.size() < wire::kHeaderBytes) return {};
  return wire::LoadHeader(AsBytes(out)).has(wire::kFlagTC) ? Truncated(request, out) : out;
}

std::string FailSignedQuery(const Exchange& exchange, const zone::View& view, serve::RespondConfig config) {
  const serve::Request request(AsBytes(exchange.message()), AskerOf(exchange));
  config.room_for_tsig = static_cast<uint16_t>(exchange.signature_bytes());
  std::string out(serve::kResponseBytesMin, '\0');
  out.resize(serve::RespondServFail(request, view, config,
                                    {reinterpret_cast<uint8_t*>(out.data()), out.size()},
                                    serve::ExtendedError::kNetworkError));
  return out;
}

}  // namespace quorate::api::door
