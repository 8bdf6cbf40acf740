// Writes one message into memory of the caller's, never past a limit and never half a record. No allocation.
//
//   MessageWriter w(buffer, limit);
//   w.AddQuestion(qname, qtype, qclass);
//   w.Reserve(kOptBytes);                        // so that OPT fits whatever comes before it
//   const auto mark = w.Save();
//   if (!w.AddRRset(Section::kAnswer, ...)) { w.Rollback(mark); truncated = true; }
//   w.Release(kOptBytes);
//   w.AddOpt(...);
//   size_t bytes = w.Finish(id, flags);
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dns/name.h"
#include "dns/rr.h"
#include "wire/error.h"
#include "wire/header.h"

namespace quorate::wire {

enum class Section : uint8_t { kQuestion, kAnswer, kAuthority, kAdditional };

inline constexpr size_t kOptBytes = 11;  // an OPT record without options
inline constexpr size_t kMessageBytesMax = 65535;

struct OptFields {
  uint16_t udp_size = 1232;
  uint8_t extended_rcode = 0;  // the upper eight bits
  uint8_t version = 0;
  bool dnssec_ok = false;
  std::string_view options;  // as on the wire
};

class MessageWriter {
 public:
  // At most min(limit, buffer.size(), 65535) octets will be written; at least kHeaderBytes must be possible.
  MessageWriter(std::span<uint8_t> buffer, size_t limit);

  // All Add functions: false, and nothing written, when there is no room.

  // `name` is kept as it is, octet for octet (draft-vixie-dnsext-dns0x20).
  bool AddQuestion(dns::NameView name, uint16_t type, uint16_t rr_class);

  // An owner equal to the question's name (in whatever case) is written as a pointer to it; every other name
  // is compressed only against octets of the same case, so that a zone's case is kept (RFC 4343 4.1).
  bool AddRecord(Section section, dns::NameView owner, dns::RRType type, dns::RRClass rr_class, uint32_t ttl,
                 std::string_view rdata);

  // All records or none. `rdatas` is a range of things that convert to std::string_view.
  template <class Range>
  bool AddRRset(Section section, dns::NameView owner, dns::RRType type, dns::RRClass rr_class, uint32_t ttl,
                const Range& rdatas) {
    const Mark before = Save();
    for (const auto& rdata : rdatas) {
      if (AddRecord(section, owner, type, rr_class, ttl, std::string_view(rdata))) continue;
      Rollback(before);
      return false;
    }
    return true;
  }

  bool AddOpt(const OptFields& opt);

  // Takes `octets` from the room there is; false: not so many are left. Release gives them back.
  bool Reserve(size_t octets);
  void Release(size_t octets) { limit_ += octets; }

  struct Mark {
    size_t size = 0;
    uint16_t suffixes = 0;
    uint16_t counts[4] = {};
  };
  Mark Save() const;
  void Rollback(const Mark& mark);

  uint16_t count(Section section) const { return counts_[static_cast<size_t>(section)]; }
  size_t size() const { return size_; }
  size_t room() const { return limit_ - size_; }

  // Writes the header; returns the size of the message.
  size_t Finish(uint16_t id, uint16_t flags);

 private:
  // A name suffix that is in the message, and where. More than the table holds are not remembered: the
  // message is then a little larger, never wrong.
  struct Suffix {
    uint32_t hash;
    uint16_t offset;
  };
  static constexpr size_t kSuffixesMax = 96;
  static constexpr size_t kLabelsMax = 128;

  bool WriteName(dns::NameView name);
  bool WriteOwner(dns::NameView owner);
  bool WritePointer(uint16_t offset);
  bool WriteBytes(std::string_view bytes);
  bool WriteCompressedRdata(std::string_view layout, std::string_view rdata);
  bool SuffixIsAt(dns::NameView suffix, size_t offset) const;

  uint8_t* const out_;
  size_t limit_;
  size_t size_ = kHeaderBytes;
  uint16_t counts_[4] = {0, 0, 0, 0};
  dns::NameView question_;
  uint16_t suffix_count_ = 0;
  Suffix suffixes_[kSuffixesMax];
};

}  // namespace quorate::wire
