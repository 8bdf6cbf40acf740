#include "api/http/zone_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "zone/child_records.h"

namespace quorate::api {
namespace {

constexpr uint32_t kDefaultTtl = 3600;

// Beside owner and rdata, in a command.
constexpr size_t kRRsetOverhead = 8, kRecordOverhead = 2;

dns::Name Below(std::string_view label, const dns::Name& apex) {
  std::string wire(1, static_cast<char>(label.size()));
  wire += label;
  return dns::Name::Concatenate(wire, apex).value_or(apex);
}

bool Has(const std::vector<dns::RRset>& rrsets, const dns::Name& owner, dns::RRType type) {
  return std::any_of(rrsets.begin(), rrsets.end(),
                     [&](const dns::RRset& rrset) { return rrset.type == type && rrset.owner == owner; });
}

}  // namespace

ZoneTextReader::ZoneTextReader(const dns::Name& apex, uint32_t default_ttl, size_t piece_bytes)
    : apex_(apex),
      piece_bytes_(piece_bytes),
      parser_(
          {.origin = apex, .default_ttl = default_ttl},
          [this](dns::TextRecord&& record) { return Add(std::move(record)); },
          [this](dns::TextError&& error) {
            error_ = std::move(error);
            return false;
          }) {}

std::string ZoneTextReader::Add(dns::TextRecord&& record) {
  if (!record.owner.IsAtOrBelow(apex_))
    return fmt::format("{} is outside the zone {}", record.owner.ToText(), apex_.ToText());
  if (auto why = zone::WhyNoChildRecord(apex_, record.owner, record.type, record.rdata))
    return *std::move(why);
  if (record.type == dns::RRType::kCDS) cds_.push_back(record.rdata);
  if (record.type == dns::RRType::kCDNSKEY) cdnskey_.push_back(record.rdata);
  has_soa_ |= record.type == dns::RRType::kSOA && record.owner == apex_;
  ++records_;
  if (bytes_ >= piece_bytes_) {
    pieces_.push_back(std::exchange(rrsets_, {}));
    bytes_ = 0;
  }
  bytes_ += record.rdata.size() + kRecordOverhead;
  const bool joins = !rrsets_.empty() && rrsets_.back().type == record.type &&
                     rrsets_.back().ttl == record.ttl && rrsets_.back().owner.wire() == record.owner.wire();
  if (!joins) {
    bytes_ += record.owner.wire().size() + kRRsetOverhead;
    rrsets_.push_back({.owner = std::move(record.owner), .type = record.type, .ttl = record.ttl});
  }
  rrsets_.back().rdata.push_back(std::move(record.rdata));
  return {};
}

std::optional<dns::TextError> ZoneTextReader::Feed(std::string_view part) {
  parser_.Feed(part);
  return error_;
}

std::optional<dns::TextError> ZoneTextReader::Finish() {
  parser_.Finish();
  if (error_) return error_;
  if (!has_soa_)
    return dns::TextError{.what = fmt::format("there is no SOA record at the apex {}", apex_.ToText())};
  auto why = zone::WhyNoChildRRset(dns::RRType::kCDS, cds_);
  if (!why) why = zone::WhyNoChildRRset(dns::RRType::kCDNSKEY, cdnskey_);
  if (why) return dns::TextError{.what = *std::move(why)};
  return std::nullopt;
}

std::vector<dns::RRset> ZoneTextReader::Take() {
  if (!pieces_.empty()) {
    std::vector<dns::RRset> piece = std::move(pieces_.front());
    pieces_.pop_front();
    return piece;
  }
  bytes_ = 0;
  return std::exchange(rrsets_, {});
}

Result<std::vector<dns::RRset>, dns::TextError> RRsetsOfZoneText(const dns::Name& apex,
                                                                 std::string_view text) {
  ZoneTextReader reader(apex, kDefaultTtl);
  auto error = reader.Feed(text);
  if (!error) error = reader.Finish();
  if (error) return *std::move(error);
  return reader.Take();
}

void AddApexDefaults(const dns::Name& apex, const std::vector<dns::Name>& nameservers,
                     std::vector<dns::RRset>& rrsets) {
  std::vector<dns::Name> names = nameservers;
  if (names.empty()) names.push_back(Below("ns1", apex));
  if (!Has(rrsets, apex, dns::RRType::kNS)) {
    dns::RRset ns{.owner = apex, .type = dns::RRType::kNS, .ttl = kDefaultTtl};
    for (const dns::Name& name : names) ns.rdata.emplace_back(name.wire());
    dns::Canonicalize(ns);
    rrsets.push_back(std::move(ns));
  }
  if (!Has(rrsets, apex, dns::RRType::kSOA)) {
    const dns::Soa soa{.mname = names.front(),
                       .rname = Below("hostmaster", apex),
                       .serial = {1},
                       .refresh = 10800,
                       .retry = 3600,
                       .expire = 604800,
                       .minimum = 3600};
    rrsets.push_back(
        {.owner = apex, .type = dns::RRType::kSOA, .ttl = kDefaultTtl, .rdata = {dns::EncodeSoa(soa)}});
  }
}

}  // namespace quorate::api
