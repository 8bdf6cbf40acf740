// Any OPT record to a good question: the hot path's parser and the thorough one agree on it, and the response
// has an OPT of ours exactly where one was asked for (RFC 6891 6, 7).
#include "base/bytes.h"
#include "fuzz/odd_zone.h"
#include "serve/respond.h"
#include "wire/message.h"
#include "wire/query.h"

namespace quorate {
namespace {

constexpr std::string_view kQuestion("\0\1\0\0\0\1\0\0\0\0\0\1\1c\7example\0\0\1\0\1", 27);

// The input: how many OPT records, then for each its class, TTL and data.
std::string MakeQuery(std::string_view input) {
  std::string query(kQuestion);
  const size_t records = input.empty() ? 1 : 1 + (static_cast<uint8_t>(input[0]) == 0xff ? 1 : 0);
  query[11] = static_cast<char>(records);
  input.remove_prefix(input.empty() ? 0 : 1);
  for (size_t i = 0; i < records; ++i) {
    std::string fixed(input.substr(0, 6));
    fixed.resize(6, '\0');
    input.remove_prefix(std::min<size_t>(input.size(), 6));
    const std::string_view data = i + 1 == records ? input : input.substr(0, input.size() / 2);
    input.remove_prefix(data.size());
    query += std::string("\0\0\51", 3) + fixed;
    query.push_back(static_cast<char>(data.size() >> 8));
    query.push_back(static_cast<char>(data.size()));
    query += data;
  }
  return query;
}

std::string OptionsOf(const wire::Edns& edns) {
  std::string out;
  for (const wire::EdnsOption& option : edns.options) {
    for (const size_t value : {size_t{option.code}, option.data.size()}) {
      out.push_back(static_cast<char>(value >> 8));
      out.push_back(static_cast<char>(value));
    }
    out += option.data;
  }
  return out;
}

void CheckParsers(const wire::QueryParse& hot, const Result<wire::Message, wire::WireError>& thorough) {
  CHECK_EQ(hot.verdict == wire::QueryVerdict::kQuery, thorough.ok());
  if (!thorough.ok()) return;
  CHECK(thorough->edns && hot.view.edns);
  CHECK(OptionsOf(*thorough->edns) == hot.view.edns->options);
  CHECK_EQ(std::max<uint16_t>(thorough->edns->udp_size, 512), hot.view.edns->udp_size);
  CHECK_EQ(thorough->edns->version, hot.view.edns->version);
  CHECK_EQ(thorough->edns->dnssec_ok, hot.view.edns->dnssec_ok);
}

void CheckResponse(const wire::QueryParse& query, wire::Bytes response) {
  const auto parsed = wire::ParseMessage(response);
  CHECK(parsed.ok());
  CHECK(parsed->response);
  if (query.verdict != wire::QueryVerdict::kQuery) {
    CHECK(parsed->rcode == dns::Rcode::kFormErr);
    return;
  }
  CHECK(parsed->edns.has_value());
  CHECK_EQ(parsed->edns->version, 0);
  CHECK_EQ(parsed->edns->dnssec_ok, query.view.edns->dnssec_ok);
  CHECK_EQ(parsed->rcode == dns::Rcode::kBadVers, query.view.edns->version != 0);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  static const zone::ZoneSet zones = [] {
    zone::ZoneSet made;
    made.Put(fuzz::MakeOddZone());
    return made;
  }();
  static uint8_t out[65535];
  if (size > 60000) return 0;
  const std::string query = MakeQuery({reinterpret_cast<const char*>(data), size});
  const wire::Bytes bytes(reinterpret_cast<const uint8_t*>(query.data()), query.size());
  const wire::QueryParse parsed = wire::ParseQuery(bytes);
  CheckParsers(parsed, wire::ParseMessage(bytes));
  for (const serve::Transport transport : {serve::Transport::kUdp, serve::Transport::kTcp}) {
    const size_t answered = serve::Respond(bytes, zones, transport, {}, out);
    CHECK(answered > 0);
    CheckResponse(parsed, {out, answered});
  }
  return 0;
}
