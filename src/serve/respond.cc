#include "serve/respond.h"

#include <algorithm>

#include "base/check.h"
#include "serve/answer.h"
#include "wire/query.h"
#include "wire/writer.h"

namespace quorate::serve {
namespace {

using dns::Opcode;
using dns::Rcode;
using dns::RRClass;
using dns::RRType;
using wire::MessageWriter;
using wire::QueryVerdict;

constexpr size_t kEdeBytes = 6;             // an EDE option without text
constexpr uint16_t kUdpSizeOffered = 1232;  // what we take, in our OPT

size_t ResponseLimit(const wire::QueryView& query, Transport transport, const RespondConfig& config) {
  if (IsStream(transport)) return wire::kMessageBytesMax;
  if (!query.edns) return kResponseBytesMin;
  return std::max<size_t>(kResponseBytesMin, std::min(query.edns->udp_size, config.udp_size_max));
}

// One response in the making: the header's flags, the question and OPT are here; what lies between them is
// not.
class Exchange {
 public:
  Exchange(const Request& request, const RespondConfig& config, std::span<uint8_t> out,
           ExtendedError error = ExtendedError::kNone)
      : parse_(request.parse),
        transport_(request.asker.transport),
        config_(config),
        error_(error),
        writer_(out, ResponseLimit(parse_.view, transport_, config)) {
    CHECK_GE(out.size(), kResponseBytesMin);
    if (parse_.verdict == QueryVerdict::kOtherOpcode) return;  // the header says all (RFC 8906 3.1.4)
    if (query().edns) has_room_for_opt_ = writer_.Reserve(OptBytes());
    if (query().has_question)
      writer_.AddQuestion(query().qname, static_cast<uint16_t>(query().qtype),
                          static_cast<uint16_t>(query().qclass));
  }

  // What needs no zone, or nullopt.
  std::optional<size_t> WithoutZones() {
    switch (parse_.verdict) {
      case QueryVerdict::kDrop:
        return 0;
      case QueryVerdict::kOtherOpcode:
        return Finish({.rcode = Rcode::kNotImp});
      case QueryVerdict::kFormErr:
        return Finish({.rcode = Rcode::kFormErr});
      case QueryVerdict::kQuery:
        break;
    }
    if (query().edns && query().edns->version != 0) return Finish({.rcode = Rcode::kBadVers});
    if (!query().has_question) return Finish({});  // a COOKIE alone (RFC 7873 5.4), of which we know nothing
    if (query().qclass == RRClass::kCH) return Chaos();
    if (query().qclass != RRClass::kIN) return Finish({.rcode = Rcode::kRefused});
    if (query().qtype == RRType::kAXFR && transport_ == Transport::kUdp)
      return Finish({.rcode = Rcode::kFormErr});  // RFC 5936 4.2
    if (query().qtype == RRType::kAXFR || query().qtype == RRType::kIXFR)
      return Finish({.rcode = Rcode::kNotImp});
    return std::nullopt;
  }

  size_t FromZones(const zone::ZoneSet& zones, Visits& visits) {
    return Finish(AnswerQuestion(zones, query().qname, query().qtype, IsStream(transport_) ? Transport::kTcp : Transport::kUdp, writer_, visits));
  }

  size_t Finish(const AnswerStatus& status) {
    const auto rcode = static_cast<uint16_t>(status.rcode);
    if (has_room_for_opt_) {
      // RFC 8914 2: code 15, two octets, INFO-CODE.
      const auto code = static_cast<uint16_t>(error_);
      const char option[kEdeBytes] = {0, 15, 0, 2, static_cast<char>(code >> 8), static_cast<char>(code)};
      writer_.Release(OptBytes());
      writer_.AddOpt({.udp_size = kUdpSizeOffered,
                      .extended_rcode = static_cast<uint8_t>(rcode >> 4),
                      .dnssec_ok = query().edns->dnssec_ok,
                      .options = {option, OptBytes() - wire::kOptBytes}});
    }
    const uint16_t copied = query().header.flags & (0x7800 | wire::kFlagRD | wire::kFlagCD);
    return writer_.Finish(query().header.id, static_cast<uint16_t>(wire::kFlagQR | copied | (rcode & 0xf) |
                                                                   (status.aa ? wire::kFlagAA : 0) |
                                                                   (status.tc ? wire::kFlagTC : 0)));
  }

 private:
  const wire::QueryView& query() const { return parse_.view; }
  size_t OptBytes() const { return wire::kOptBytes + (error_ == ExtendedError::kNone ? 0 : kEdeBytes); }

  size_t Chaos() {
    const bool is_text = query().qtype == RRType::kTXT || query().qtype == RRType::kANY;
    if (is_text && dns::SameName(query().qname, std::string_view("\6leader\6health\7quorate\0", 23)))
      return Health();
    if (config_.chaos && is_text) {
      if (dns::SameName(query().qname, std::string_view("\7version\4bind\0", 14)) ||
          dns::SameName(query().qname, std::string_view("\7version\6server\0", 16)))
        return ChaosText(config_.version);
      if (dns::SameName(query().qname, std::string_view("\2id\6server\0", 11)) ||
          dns::SameName(query().qname, std::string_view("\10hostname\4bind\0", 15)))
        return ChaosText(config_.id);
    }
    return Finish({.rcode = Rcode::kRefused});
  }

  size_t Health() {
    switch (config_.health) {
      case LeaderHealth::kNoLeader:
        break;
      case LeaderHealth::kFollower:
        return ChaosText("follower");
      case LeaderHealth::kLeader:
        return ChaosText("leader");
    }
    return Finish({.rcode = Rcode::kServFail});
  }

  size_t ChaosText(std::string_view text) {
    char rdata[256];
    const size_t size = std::min<size_t>(text.size(), 255);
    rdata[0] = static_cast<char>(size);
    std::copy_n(text.data(), size, rdata + 1);
    const bool fits = writer_.AddRecord(wire::Section::kAnswer, query().qname, RRType::kTXT, RRClass::kCH, 0,
                                        {rdata, size + 1});
    return Finish({.aa = true, .tc = !fits});
  }

  const wire::QueryParse& parse_;
  const Transport transport_;
  const RespondConfig& config_;
  const ExtendedError error_;
  MessageWriter writer_;
  bool has_room_for_opt_ = false;
};

}  // namespace

bool IsForSlowDoor(const Request& request) {
  const wire::QueryView& view = request.parse.view;
  if (request.parse.verdict == QueryVerdict::kOtherOpcode)
    return view.header.opcode() == Opcode::kUpdate || view.header.opcode() == Opcode::kNotify;
  if (request.parse.verdict != QueryVerdict::kQuery) return false;
  return view.has_tsig ||
         (view.has_question && (view.qtype == RRType::kAXFR || view.qtype == RRType::kIXFR));
}

Response Respond(const Request& request, const zone::View& view, const RespondConfig& config,
                 std::span<uint8_t> out, LogIndex through, ExtendedError error) {
  Exchange exchange(request, config, out, error);
  if (const auto size = exchange.WithoutZones()) return {.size = *size};
  Visits visits(view.pending.get(), through);
  const size_t size = exchange.FromZones(*view.zones, visits);
  return {.size = size, .touched = visits.touched(), .consistency = visits.consistency()};
}

size_t Respond(wire::Bytes query, const zone::ZoneSet& zones, const Asker& asker,
               const RespondConfig& config, std::span<uint8_t> out) {
  const Request request(query, asker);
  Exchange exchange(request, config, out);
  if (const auto size = exchange.WithoutZones()) return *size;
  Visits visits(nullptr, zone::kWholeLog);
  return exchange.FromZones(zones, visits);
}

std::optional<size_t> RespondWithoutZones(const Request& request, const RespondConfig& config,
                                          std::span<uint8_t> out) {
  return Exchange(request, config, out).WithoutZones();
}

size_t RespondServFail(const Request& request, const RespondConfig& config, std::span<uint8_t> out,
                       ExtendedError error) {
  if (!IsForSlowDoor(request)) {
    // What needs no zone is no failure.
    if (const auto size = RespondWithoutZones(request, config, out)) return *size;
  }
  return Exchange(request, config, out, error).Finish({.rcode = Rcode::kServFail});
}

}  // namespace quorate::serve
