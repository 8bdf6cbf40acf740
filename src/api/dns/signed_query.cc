#include "api/dns/signed_query.h"

#include <algorithm>

#include "wire/header.h"
#include "wire/writer.h"

namespace quorate::api::door {
namespace {

wire::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

serve::Asker AskerOf(const Exchange& exchange) { return {exchange.transport(), exchange.client()}; }

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

size_t LimitOf(const serve::Request& request, const serve::RespondConfig& config) {
  if (serve::IsStream(request.asker.transport)) return wire::kMessageBytesMax;
  const auto& edns = request.parse.view.edns;
  const size_t allowed = edns ? std::min<size_t>(edns->udp_size, config.udp_size_max) : 0;
  return std::max(serve::kResponseBytesMin, allowed);
}

}  // namespace

std::string AnswerSignedQuery(const Exchange& exchange, const zone::View& view, serve::RespondConfig config,
                              Consistency* consistency) {
  const serve::Request request(AsBytes(exchange.message()), AskerOf(exchange));
  const size_t limit = LimitOf(request, config), room = limit - exchange.signature_bytes();
  std::string out(wire::kMessageBytesMax, '\0');
  const std::span space(
      reinterpret_cast<uint8_t*>(out.data()),
      std::max(serve::kResponseBytesMin, serve::IsStream(exchange.transport()) ? room : limit));
  // Respond itself never fills less than 512 octets.
  config.udp_size_max =
      static_cast<uint16_t>(std::max(serve::kResponseBytesMin, std::min<size_t>(room, config.udp_size_max)));
  const serve::Response response = serve::Respond(request, view, config, space);
  if (consistency != nullptr) *consistency = response.consistency;
  out.resize(response.size);
  if (out.size() < wire::kHeaderBytes) return {};
  const bool truncated = wire::LoadHeader(AsBytes(out)).has(wire::kFlagTC);
  return out.size() > room || truncated ? Truncated(request, out) : out;
}

std::string FailSignedQuery(const Exchange& exchange, const serve::RespondConfig& config) {
  const serve::Request request(AsBytes(exchange.message()), AskerOf(exchange));
  std::string out(serve::kResponseBytesMin, '\0');
  out.resize(serve::RespondServFail(request, config, {reinterpret_cast<uint8_t*>(out.data()), out.size()},
                                    serve::ExtendedError::kNetworkError));
  return out;
}

}  // namespace quorate::api::door
