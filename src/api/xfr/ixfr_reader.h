// Reads what a primary sends: AXFR (RFC 5936 2.2), IXFR (RFC 1995 4) or an IXFR that is an AXFR. Pure; any
// bytes are safe; memory is bounded by what was received and limits::kTransferInBytesMax.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "wire/error.h"
#include "wire/message.h"
#include "zone/edit.h"
#include "zone/zone.h"

namespace quorate::api::xfr {

class TransferReader {
 public:
  enum class State : uint8_t {
    kMore,         // another message is to come
    kUpToDate,     // the primary has nothing newer
    kFull,         // the whole zone went through `rrset`
    kIncremental,  // TakeEdits() leads from the version asked with to the primary's
    kFailed,       // why() says what is wrong; nothing of it is to be used
  };

  // `have`: the version that an IXFR asks with; nullptr: an AXFR was asked. `rrset` gets the whole zone piece
  // by piece: RRsets, but the records of one need not come together.
  TransferReader(dns::Name apex, zone::ZonePtr have, std::function<void(dns::RRset&&)> rrset,
                 size_t bytes_max = limits::kTransferInBytesMax);

  // The next message of the answer to query `id`, its signature verified. Over UDP an answer that does not
  // fit is one SOA that is newer: kFailed too, and needs_stream().
  State Add(wire::Bytes message, uint16_t id, bool datagram = false);

  const std::string& why() const { return why_; }
  dns::Rcode rcode() const { return rcode_; }  // of a message that is an error
  bool needs_stream() const { return needs_stream_; }
  // It is the incremental form that failed, and a full transfer may do.
  bool incremental_failed() const { return state_ == State::kFailed && have_ != nullptr; }
  dns::Serial serial() const { return serial_; }  // the primary's; after the first message
  // In the order of owners and types: what each RRset becomes, the SOA too.
  std::vector<zone::RRsetEdit> TakeEdits();

 private:
  enum class Part : uint8_t { kFirst, kSecond, kFull, kRemoved, kAdded };
  using Key = std::pair<dns::Name, dns::RRType>;

  State Fail(std::string why);
  void Take(const wire::Record& record);
  void TakeFirst(const wire::Record& record);
  void TakeSecond(const wire::Record& record);
  void TakeFull(const wire::Record& record);
  void TakeSoaOfDelta(const wire::Record& record);
  void TakeChange(const wire::Record& record);
  void Flush();
  dns::RRset& Touched(const wire::Record& record);

  const dns::Name apex_;
  const zone::ZonePtr have_;
  const std::function<void(dns::RRset&&)> rrset_;
  const size_t bytes_max_;
  State state_ = State::kMore;
  Part part_ = Part::kFirst;
  std::string why_;
  dns::Rcode rcode_ = dns::Rcode::kNoError;
  bool needs_stream_ = false;
  size_t bytes_ = 0;
  dns::Serial serial_, at_;  // the primary's; where the deltas have led so far
  wire::Record soa_;         // the primary's
  dns::RRset open_;          // of the full form: records of one RRset that came together
  std::map<Key, dns::RRset> touched_;
};

// The request for a transfer. `have`: IXFR from that version.
wire::Message TransferQuery(uint16_t id, const dns::Name& apex, const zone::Zone* have);

}  // namespace quorate::api::xfr
