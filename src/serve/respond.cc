#include "serve/respond.h"

#include <algorithm>

#include "base/check.h"
#include "serve/answer.h"
#include "serve/cookies.h"
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

// Options with their heads.
constexpr size_t kEdeBytes = 6;  // without text
constexpr size_t kExpireBytes = 8, kCookieBytes = 28, kKeepaliveBytes = 6, kZoneVersionBytes = 10;
constexpr uint16_t kUdpSizeOffered = 1232;  // what we take, in our OPT

size_t ResponseLimit(const wire::QueryView& query, Transport transport, const RespondConfig& config) {
  size_t limit = wire::kMessageBytesMax;
  if (!IsStream(transport)) {
    const size_t allowed = query.edns ? std::min(query.edns->udp_size, config.udp_size_max) : 0;
    limit = std::max<size_t>(kResponseBytesMin, allowed);
  }
  return limit - std::min<size_t>(config.room_for_tsig, limit - wire::kHeaderBytes);
}

// One response in the making: the header's flags, the question and OPT are here; what lies between them is
// not.
class Exchange {
 public:
  Exchange(const Request& request, const zone::Keyring& keyring, const RespondConfig& config,
           std::span<uint8_t> out, ExtendedError error = ExtendedError::kNone)
      : parse_(request.parse),
        asker_(request.asker),
        config_(config),
        error_(error),
        writer_(out, ResponseLimit(parse_.view, asker_.transport, config)) {
    CHECK_GE(out.size(), kResponseBytesMin);
    if (parse_.verdict == QueryVerdict::kOtherOpcode) return;  // the header says all (RFC 8906 3.1.4)
    if (query().edns) {
      asked_ = ReadOptions(query().edns->options, asker_.transport);
      if (keyring.cookies && !asked_.cookie.empty() && !asked_.malformed)
        cookie_ = CheckCookie(*keyring.cookies, asked_.cookie, asker_.address, config.wall_seconds);
      reserved_ = OptBytes();
      has_room_for_opt_ = writer_.Reserve(reserved_);
    }
    if (query().has_question)
      writer_.AddQuestion(query().qname, static_cast<uint16_t>(query().qtype),
                          static_cast<uint16_t>(query().qclass));
  }

  bool cookie_valid() const { return cookie_ && cookie_->valid; }

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
    if (asked_.malformed) return Finish({.rcode = Rcode::kFormErr});
    if (RejectsCookie()) return Finish({.rcode = Rcode::kBadCookie});
    if (!query().has_question) return Finish({});  // a COOKIE alone (RFC 7873 5.4)
    if (query().qclass == RRClass::kCH) return Chaos();
    if (query().qclass != RRClass::kIN) return Finish({.rcode = Rcode::kRefused});
    if (query().qtype == RRType::kAXFR && !IsStream(asker_.transport))
      return Finish({.rcode = Rcode::kFormErr});  // RFC 5936 4.2
    if (query().qtype == RRType::kAXFR || query().qtype == RRType::kIXFR)
      return Finish({.rcode = Rcode::kNotImp});
    return std::nullopt;
  }

  size_t FromZones(const zone::ZoneSet& zones, Visits& visits) {
    const AnswerStatus status =
        AnswerQuestion(zones,
                       {.qname = query().qname,
                        .qtype = query().qtype,
                        .transport = IsStream(asker_.transport) ? Transport::kTcp : Transport::kUdp,
                        .dnssec_ok = query().edns && query().edns->dnssec_ok},
                       writer_, visits);
    zone_ = visits.zone();
    zone_is_primary_ = zone_ != nullptr && !zones.SettingsOf(*zone_).is_secondary();
    return Finish(status);
  }

  size_t Finish(const AnswerStatus& status) {
    const auto rcode = static_cast<uint16_t>(status.rcode);
    if (has_room_for_opt_) {
      OptionWriter options;
      writer_.Release(reserved_);
      if (status.rcode != Rcode::kBadVers) WriteOptions(status, options);
      writer_.AddOpt({.udp_size = kUdpSizeOffered,
                      .extended_rcode = static_cast<uint8_t>(rcode >> 4),
                      .dnssec_ok = query().edns->dnssec_ok,
                      .options = options.view()});
    }
    const uint16_t copied = query().header.flags & (0x7800 | wire::kFlagRD | wire::kFlagCD);
    return writer_.Finish(query().header.id, static_cast<uint16_t>(wire::kFlagQR | copied | (rcode & 0xf) |
                                                                   (status.aa ? wire::kFlagAA : 0) |
                                                                   (status.tc ? wire::kFlagTC : 0)));
  }

 private:
  const wire::QueryView& query() const { return parse_.view; }

  // What WriteOptions may take at most, but for padding, and an error that was not foreseen: there is little
  // beside it.
  size_t OptBytes() const {
    return wire::kOptBytes + (error_ == ExtendedError::kNone ? 0 : kEdeBytes) +
           (asked_.nsid ? OptionWriter::kHeadBytes + config_.nsid.size() : 0) +
           (asked_.expire ? kExpireBytes : 0) + (cookie_ ? kCookieBytes : 0) +
           (asked_.keepalive ? kKeepaliveBytes : 0) + (asked_.zone_version ? kZoneVersionBytes : 0);
  }

  // RFC 7873 5.4 for a cookie alone; else only where the operator wants it so (5.2.3).
  bool RejectsCookie() const {
    if (!cookie_ || cookie_->valid) return false;
    if (!query().has_question) return asked_.cookie.size() > kClientCookieBytes;
    return config_.require_cookies && !IsStream(asker_.transport);
  }

  void WriteOptions(const AnswerStatus& status, OptionWriter& options) const {
    if (asked_.nsid && !config_.nsid.empty()) options.Add(kOptionNsid, config_.nsid);
    if (cookie_) {
      char data[kClientCookieBytes + kServerCookieBytes];
      std::copy_n(asked_.cookie.data(), kClientCookieBytes, data);
      std::copy_n(cookie_->next.begin(), kServerCookieBytes, data + kClientCookieBytes);
      options.Add(kOptionCookie, {data, sizeof data});
    }
    if (asked_.keepalive && config_.keepalive > 0) options.AddU16(kOptionKeepalive, config_.keepalive);
    if (zone_ != nullptr && HasZoneSay(status.rcode)) WriteZoneOptions(options);
    const ExtendedError error = status.error == ExtendedError::kNone ? error_ : status.error;
    if (error != ExtendedError::kNone && writer_.room() >= wire::kOptBytes + options.size() + kEdeBytes)
      options.AddU16(kOptionExtendedError, static_cast<uint16_t>(error));
    if (asked_.padding && asker_.transport == Transport::kTls)
      options.Pad(writer_.size() + wire::kOptBytes, writer_.room() - wire::kOptBytes - options.size());
  }

  static bool HasZoneSay(Rcode rcode) {
    return rcode == Rcode::kNoError || rcode == Rcode::kNXDomain || rcode == Rcode::kYXDomain;
  }

  void WriteZoneOptions(OptionWriter& options) const {
    // RFC 7314 3.3.1. Of a secondary it would take the time since it was refreshed.
    if (asked_.expire && query().qtype == RRType::kSOA && zone_is_primary_ &&
        dns::SameName(query().qname, zone_->apex().wire())) {
      uint8_t data[4];
      wire::StoreU32(data, zone_->soa().expire);
      options.Add(kOptionExpire, {reinterpret_cast<const char*>(data), sizeof data});
    }
    if (!asked_.zone_version) return;
    // RFC 9660 2: the labels of the zone's name, type 0 (SOA-SERIAL), the serial.
    uint8_t data[6] = {static_cast<uint8_t>(dns::LabelCountOf(zone_->apex().wire())), 0};
    wire::StoreU32(data + 2, zone_->serial().value);
    options.Add(kOptionZoneVersion, {reinterpret_cast<const char*>(data), sizeof data});
  }

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
  const Asker& asker_;
  const RespondConfig& config_;
  const ExtendedError error_;
  MessageWriter writer_;
  OptionsAsked asked_;
  std::optional<CookieCheck> cookie_;  // the group has secrets, and the client sent a cookie
  size_t reserved_ = 0;                // for OPT
  bool has_room_for_opt_ = false;
  const zone::Zone* zone_ = nullptr;  // that the question belongs to
  bool zone_is_primary_ = false;
};

}  // namespace

bool IsForSlowDoor(const Request& request) {
  const wire::QueryView& view = request.parse.view;
  if (request.parse.verdict == QueryVerdict::kOtherOpcode)
    return view.header.opcode() == Opcode::kUpdate || view.header.opcode() == Opcode::kNotify;
  if (request.parse.verdict != QueryVerdict::kQuery) return false;
  return view.has_tsig || (view.has_question && (view.qtype == RRType::kAXFR || view.qtype == RRType::kIXFR));
}

Response Respond(const Request& request, const zone::View& view, const RespondConfig& config,
                 std::span<uint8_t> out, LogIndex through, ExtendedError error) {
  Exchange exchange(request, view.zones->keyring(), config, out, error);
  if (const auto size = exchange.WithoutZones())
    return {.size = *size, .cookie_valid = exchange.cookie_valid()};
  Visits visits(view.pending.get(), through, request.asker);
  const size_t size = exchange.FromZones(*view.zones, visits);
  return {.size = size,
          .touched = visits.touched(),
          .consistency = visits.consistency(),
          .cookie_valid = exchange.cookie_valid(),
          .rate_name = visits.rate_name()};
}

size_t Respond(wire::Bytes query, const zone::ZoneSet& zones, const Asker& asker, const RespondConfig& config,
               std::span<uint8_t> out) {
  const Request request(query, asker);
  Exchange exchange(request, zones.keyring(), config, out);
  if (const auto size = exchange.WithoutZones()) return *size;
  Visits visits(nullptr, zone::kWholeLog, asker);
  return exchange.FromZones(zones, visits);
}

std::optional<size_t> RespondWithoutZones(const Request& request, const zone::View& view,
                                          const RespondConfig& config, std::span<uint8_t> out) {
  return Exchange(request, view.zones->keyring(), config, out).WithoutZones();
}

size_t RespondServFail(const Request& request, const zone::View& view, const RespondConfig& config,
                       std::span<uint8_t> out, ExtendedError error) {
  if (!IsForSlowDoor(request)) {
    // What needs no zone is no failure.
    if (const auto size = RespondWithoutZones(request, view, config, out)) return *size;
  }
  return Exchange(request, view.zones->keyring(), config, out, error).Finish({.rcode = Rcode::kServFail});
}

size_t RespondTruncated(const Request& request, const zone::View& view, const RespondConfig& config,
                        std::span<uint8_t> out) {
  if (const auto size = RespondWithoutZones(request, view, config, out)) return *size;  // no larger
  return Exchange(request, view.zones->keyring(), config, out).Finish({.tc = true});
}

}  // namespace quorate::serve
