#include "api/xfr/ixfr_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "dns/presentation.h"
#include "dns/rdata.h"

namespace quorate::api::xfr {
namespace {

using dns::RRType;
using State = TransferReader::State;

constexpr size_t kRecordOverhead = 64;

std::optional<dns::Serial> SerialOf(const wire::Record& record) {
  const auto soa = dns::ParseSoa(record.rdata);
  return soa ? std::optional(soa->serial) : std::nullopt;
}

std::string Describe(const wire::Record& record) {
  return fmt::format("{} {}", record.name.ToText(), dns::TypeToText(record.type));
}

}  // namespace

TransferReader::TransferReader(dns::Name apex, zone::ZonePtr have, std::function<void(dns::RRset&&)> rrset,
                               size_t bytes_max)
    : apex_(std::move(apex)), have_(std::move(have)), rrset_(std::move(rrset)), bytes_max_(bytes_max) {}

State TransferReader::Fail(std::string why) {
  why_ = std::move(why);
  touched_.clear();
  open_ = {};
  return state_ = State::kFailed;
}

State TransferReader::Add(wire::Bytes bytes, uint16_t id, bool datagram) {
  if (state_ != State::kMore) return Fail("a message behind the end");
  const auto message = wire::ParseMessage(bytes);
  if (!message.ok()) return Fail(fmt::format("malformed: {}", wire::FaultText(message.error().fault)));
  if (!message->response || message->id != id || message->opcode != dns::Opcode::kQuery)
    return Fail("not an answer to the question");
  rcode_ = message->rcode;
  if (rcode_ != dns::Rcode::kNoError)
    return Fail(fmt::format("the primary answers with RCODE {}", static_cast<int>(rcode_)));
  if (message->answer.empty()) return Fail("a message without records");
  for (const wire::Record& record : message->answer) {
    if (state_ != State::kMore) return Fail("records behind the end");
    bytes_ += record.name.wire().size() + record.rdata.size() + kRecordOverhead;
    if (bytes_ > bytes_max_) return Fail(fmt::format("the zone is larger than {} octets", bytes_max_));
    Take(record);
    if (state_ == State::kFailed) return state_;
  }
  if (part_ == Part::kSecond && state_ == State::kMore && datagram) {
    needs_stream_ = true;
    return Fail("it does not fit a datagram");
  }
  return state_;
}

void TransferReader::Take(const wire::Record& record) {
  const bool of_zone = record.rr_class == dns::RRClass::kIN && record.name.IsAtOrBelow(apex_);
  if (!of_zone || dns::IsMetaType(record.type) || !dns::IsValidRdata(record.type, record.rdata)) {
    Fail(fmt::format("{} cannot be in the zone", Describe(record)));
    return;
  }
  if (record.type == RRType::kSOA && (!(record.name == apex_) || !SerialOf(record))) {
    Fail("a SOA that is not the zone's");
    return;
  }
  switch (part_) {
    case Part::kFirst:
      return TakeFirst(record);
    case Part::kSecond:
      return TakeSecond(record);
    case Part::kFull:
      return TakeFull(record);
    case Part::kRemoved:
    case Part::kAdded:
      return record.type == RRType::kSOA ? TakeSoaOfDelta(record) : TakeChange(record);
  }
}

void TransferReader::TakeFirst(const wire::Record& record) {
  if (record.type != RRType::kSOA) {
    Fail("it does not begin with the SOA");
    return;
  }
  soa_ = record;
  serial_ = *SerialOf(record);
  part_ = Part::kSecond;
  // RFC 1995 2: its version is the newest, or ours is newer than that.
  if (have_ && (serial_ == have_->serial() || !dns::IsNewer(serial_, have_->serial())))
    state_ = State::kUpToDate;
}

void TransferReader::TakeSecond(const wire::Record& record) {
  if (record.type == RRType::kSOA) {
    const bool delta = have_ && *SerialOf(record) == have_->serial();
    if (!delta) {
      Fail(have_ ? "the first difference does not begin at our version" : "two SOAs and no other record");
      return;
    }
    at_ = have_->serial();
    part_ = Part::kRemoved;
    return;
  }
  part_ = Part::kFull;
  TakeFull(soa_);
  if (state_ == State::kMore) TakeFull(record);
}

void TransferReader::TakeFull(const wire::Record& record) {
  const bool soa = record.type == RRType::kSOA;
  if (soa && &record != &soa_) {
    Flush();
    if (record.rdata != soa_.rdata) {
      Fail("the last SOA is not the first one");
      return;
    }
    state_ = State::kFull;
    return;
  }
  const bool joins = !open_.rdata.empty() && open_.type == record.type && open_.ttl == record.ttl &&
                     open_.owner.wire() == record.name.wire() &&
                     open_.rdata.size() < limits::kRRsetRecordsMax;
  if (!joins) {
    Flush();
    open_ = {.owner = record.name, .type = record.type, .ttl = record.ttl, .rdata = {}};
  }
  open_.rdata.push_back(record.rdata);
}

void TransferReader::Flush() {
  if (!open_.rdata.empty()) rrset_(std::exchange(open_, {}));
}

// Between the parts of the deltas.
void TransferReader::TakeSoaOfDelta(const wire::Record& record) {
  const dns::Serial serial = *SerialOf(record);
  if (part_ == Part::kRemoved) {
    if (!dns::IsNewer(serial, at_)) {
      Fail("a difference that does not lead to a newer version");
      return;
    }
    at_ = serial;
    dns::RRset& soa = Touched(record);
    soa.ttl = record.ttl;
    soa.rdata = {record.rdata};
    part_ = Part::kAdded;
    return;
  }
  if (serial != at_) {
    Fail("the differences do not join");
    return;
  }
  if (at_ == serial_) {
    if (touched_.at({apex_, RRType::kSOA}).rdata.front() != soa_.rdata) {
      Fail("the last SOA is not the first one");
      return;
    }
    state_ = State::kIncremental;
    return;
  }
  part_ = Part::kRemoved;
}

dns::RRset& TransferReader::Touched(const wire::Record& record) {
  const auto [it, fresh] = touched_.try_emplace({record.name, record.type});
  if (!fresh) return it->second;
  it->second = {.owner = record.name, .type = record.type, .ttl = record.ttl, .rdata = {}};
  const zone::Node* node = have_->Find(record.name.wire());
  const zone::RRsetView before = node != nullptr ? node->Find(record.type) : zone::RRsetView();
  if (before) it->second = before.Materialize();
  return it->second;
}

void TransferReader::TakeChange(const wire::Record& record) {
  dns::RRset& rrset = Touched(record);
  const std::string canonical = dns::CanonicalRdata(record.type, record.rdata);
  const auto it = std::find_if(rrset.rdata.begin(), rrset.rdata.end(), [&](const std::string& rdata) {
    return rdata == record.rdata || dns::CanonicalRdata(record.type, rdata) == canonical;
  });
  if (part_ == Part::kRemoved) {
    if (it == rrset.rdata.end()) {
      Fail(fmt::format("{}: a record is removed that is not there", Describe(record)));
      return;
    }
    rrset.rdata.erase(it);
    return;
  }
  if (it != rrset.rdata.end() || rrset.rdata.size() >= limits::kRRsetRecordsMax) {
    Fail(fmt::format("{}: a record is added that is there", Describe(record)));
    return;
  }
  if (rrset.rdata.empty()) rrset.owner = record.name;
  rrset.ttl = record.ttl;
  rrset.rdata.push_back(record.rdata);
}

std::vector<zone::RRsetEdit> TransferReader::TakeEdits() {
  std::vector<zone::RRsetEdit> edits;
  for (auto& [key, rrset] : touched_) {
    edits.push_back({.owner = rrset.owner,
                     .type = rrset.type,
                     .kind = zone::RRsetEdit::Kind::kReplace,
                     .ttl = rrset.ttl,
                     .rdata = std::move(rrset.rdata)});
  }
  touched_.clear();
  return edits;
}

wire::Message TransferQuery(uint16_t id, const dns::Name& apex, const zone::Zone* have) {
  wire::Message query;
  query.id = id;
  query.questions = {{apex, have != nullptr ? RRType::kIXFR : RRType::kAXFR, dns::RRClass::kIN}};
  if (have != nullptr) {
    const zone::RRsetView soa = have->soa_rrset();
    query.authority = {{apex, RRType::kSOA, dns::RRClass::kIN, soa.ttl, std::string(*soa.begin())}};
  }
  return query;
}

}  // namespace quorate::api::xfr
