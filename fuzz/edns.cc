// Any OPT record to a good question: the hot path's parser and the thorough one agree on it, and the response
// has an OPT of ours exactly where one was asked for (RFC 6891 6, 7).
#include <algorithm>

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

const wire::EdnsOption* Find(const wire::Edns& edns, uint16_t code) {
  for (const wire::EdnsOption& option : edns.options)
    if (option.code == code) return &option;
  return nullptr;
}

// Nothing that was not asked for, but for errors and, on TLS, padding (RFC 5001, 7314, 7828, 7873, 9660).
void CheckOptions(const wire::Edns& asked, const wire::Edns& told) {
  constexpr uint16_t kCookie = 10, kPadding = 12, kExtendedError = 15;
  constexpr uint16_t kWhenAsked[] = {3, 9, kCookie, 11, kPadding, 19};
  for (const wire::EdnsOption& option : told.options) {
    if (option.code == kExtendedError) continue;
    CHECK(std::find(std::begin(kWhenAsked), std::end(kWhenAsked), option.code) != std::end(kWhenAsked));
    CHECK(Find(asked, option.code) != nullptr);
  }
  if (const wire::EdnsOption* cookie = Find(told, kCookie)) {
    CHECK_EQ(cookie->data.size(), 24u);
    CHECK(Find(asked, kCookie)->data.starts_with(cookie->data.substr(0, 8)));
  }
}

void CheckResponse(const wire::QueryParse& query, const wire::Message* asked, wire::Bytes response) {
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
  if (query.view.edns->version == 0) CHECK(parsed->rcode != dns::Rcode::kBadVers);
  CheckOptions(*asked->edns, *parsed->edns);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  static const zone::ZoneSet zones = [] {
    zone::Keyring keyring;
    keyring.cookies.emplace();
    zone::ZoneSet made = zone::ZoneSet().WithKeyring(std::make_shared<const zone::Keyring>(keyring));
    made.Put(fuzz::MakeOddZone());
    return made;
  }();
  static const serve::RespondConfig config{.nsid = "n", .keepalive = 100};
  static uint8_t out[65535];
  if (size > 60000) return 0;
  const std::string query = MakeQuery({reinterpret_cast<const char*>(data), size});
  const wire::Bytes bytes(reinterpret_cast<const uint8_t*>(query.data()), query.size());
  const wire::QueryParse parsed = wire::ParseQuery(bytes);
  const auto thorough = wire::ParseMessage(bytes);
  CheckParsers(parsed, thorough);
  for (const serve::Transport by : {serve::Transport::kUdp, serve::Transport::kTcp, serve::Transport::kTls}) {
    const size_t answered = serve::Respond(bytes, zones, by, config, out);
    CHECK(answered > 0);
    CheckResponse(parsed, thorough.ok() ? &*thorough : nullptr, {out, answered});
  }
  return 0;
}
