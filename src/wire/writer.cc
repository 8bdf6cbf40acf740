#include "wire/writer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "wire/endian.h"
#include "wire/rdata.h"

namespace quorate::wire {
namespace {

constexpr uint16_t kPointerBits = 0xc000;
constexpr size_t kPointerReach = 0x4000;

uint32_t HashLabel(uint32_t hash, const char* label, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) hash = (hash ^ static_cast<uint8_t>(label[i])) * 16777619u;
  return hash;
}

// The length of the uncompressed name at the front of `bytes`; 0: there is none.
size_t PlainNameBytes(std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const auto length = static_cast<uint8_t>(bytes[at]);
    if (length > 63) return 0;
    at += 1u + length;
    if (length == 0) return at <= 255 ? at : 0;
  }
  return 0;
}

}  // namespace

MessageWriter::MessageWriter(std::span<uint8_t> buffer, size_t limit)
    : out_(buffer.data()), limit_(std::min({limit, buffer.size(), kMessageBytesMax})) {
  CHECK_GE(limit_, kHeaderBytes);
}

bool MessageWriter::WriteBytes(std::string_view bytes) {
  if (bytes.size() > room()) return false;
  if (bytes.empty()) return true;  // memcpy takes no null
  std::memcpy(out_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

bool MessageWriter::WritePointer(uint16_t offset) {
  if (room() < 2) return false;
  StoreU16(out_ + size_, static_cast<uint16_t>(kPointerBits | offset));
  size_ += 2;
  return true;
}

// Compares `suffix`, case and all, with the name that this writer itself put at `offset`.
bool MessageWriter::SuffixIsAt(dns::NameView suffix, size_t offset) const {
  size_t at = offset;
  for (size_t i = 0; i < suffix.size();) {
    while ((out_[at] & 0xc0) == 0xc0) at = LoadU16(out_ + at) & 0x3fff;
    const size_t bytes = 1u + static_cast<uint8_t>(suffix[i]);
    if (out_[at] != static_cast<uint8_t>(suffix[i])) return false;
    if (std::memcmp(out_ + at, suffix.data() + i, bytes) != 0) return false;
    i += bytes;
    at += bytes;
  }
  return true;
}

bool MessageWriter::WriteName(dns::NameView name) {
  uint8_t starts[kLabelsMax];
  uint32_t hashes[kLabelsMax];
  size_t labels = 0;
  for (size_t at = 0; at < name.size() && name[at] != 0 && labels < kLabelsMax;
       at += 1u + static_cast<uint8_t>(name[at]))
    starts[labels++] = static_cast<uint8_t>(at);
  uint32_t hash = 2166136261u;
  for (size_t i = labels; i-- > 0;)
    hashes[i] = hash = HashLabel(hash, name.data() + starts[i], 1u + static_cast<uint8_t>(name[starts[i]]));

  size_t known = labels;  // the first label from where on the name is in the message already
  uint16_t target = 0;
  for (size_t i = 0; i < labels && known == labels; ++i) {
    for (size_t s = 0; s < suffix_count_; ++s) {
      if (suffixes_[s].hash != hashes[i] || !SuffixIsAt(name.substr(starts[i]), suffixes_[s].offset))
        continue;
      known = i;
      target = suffixes_[s].offset;
      break;
    }
  }
  const size_t at = size_;
  const size_t plain = known == labels ? name.size() : starts[known];
  if (!WriteBytes(name.substr(0, plain))) return false;
  if (known < labels && !WritePointer(target)) return false;
  for (size_t i = 0; i < known && suffix_count_ < kSuffixesMax; ++i)
    if (at + starts[i] < kPointerReach)
      suffixes_[suffix_count_++] = {hashes[i], static_cast<uint16_t>(at + starts[i])};
  return true;
}

bool MessageWriter::WriteOwner(dns::NameView owner) {
  if (owner.size() > 1 && dns::SameName(owner, question_)) return WritePointer(kHeaderBytes);
  return WriteName(owner);
}

bool MessageWriter::AddQuestion(dns::NameView name, uint16_t type, uint16_t rr_class) {
  const Mark before = Save();
  if (!WriteName(name) || room() < 4) {
    Rollback(before);
    return false;
  }
  StoreU16(out_ + size_, type);
  StoreU16(out_ + size_ + 2, rr_class);
  size_ += 4;
  if (counts_[0]++ == 0) question_ = {reinterpret_cast<const char*>(out_) + kHeaderBytes, name.size()};
  return true;
}

bool MessageWriter::WriteCompressedRdata(std::string_view layout, std::string_view rdata) {
  for (const char field : layout) {
    const size_t bytes = field == 'n' ? PlainNameBytes(rdata) : static_cast<size_t>(field - '0');
    if (bytes == 0 || bytes > rdata.size()) break;
    if (field == 'n' ? !WriteName(rdata.substr(0, bytes)) : !WriteBytes(rdata.substr(0, bytes))) return false;
    rdata.remove_prefix(bytes);
  }
  return WriteBytes(rdata);  // data that is not of its type's form goes out as it is
}

bool MessageWriter::AddRecord(Section section, dns::NameView owner, dns::RRType type, dns::RRClass rr_class,
                              uint32_t ttl, std::string_view rdata) {
  const Mark before = Save();
  const auto fail = [&] { return Rollback(before), false; };
  uint16_t& count = counts_[static_cast<size_t>(section)];
  if (count == 0xffff || !WriteOwner(owner) || room() < 10) return fail();
  StoreU16(out_ + size_, static_cast<uint16_t>(type));
  StoreU16(out_ + size_ + 2, static_cast<uint16_t>(rr_class));
  StoreU32(out_ + size_ + 4, ttl);
  const size_t length_at = size_ + 8;
  size_ += 10;
  if (MayCompressRdata(type) ? !WriteCompressedRdata(RdataLayout(type), rdata) : !WriteBytes(rdata))
    return fail();
  StoreU16(out_ + length_at, static_cast<uint16_t>(size_ - length_at - 2));
  ++count;
  return true;
}

bool MessageWriter::AddOpt(const OptFields& opt) {
  const uint32_t ttl = static_cast<uint32_t>(opt.extended_rcode) << 24 |
                       static_cast<uint32_t>(opt.version) << 16 | (opt.dnssec_ok ? 0x8000u : 0u);
  return AddRecord(Section::kAdditional, dns::NameView("\0", 1), dns::RRType::kOPT,
                   static_cast<dns::RRClass>(opt.udp_size), ttl, opt.options);
}

bool MessageWriter::Reserve(size_t octets) {
  if (octets > room()) return false;
  limit_ -= octets;
  return true;
}

MessageWriter::Mark MessageWriter::Save() const {
  Mark mark{.size = size_, .suffixes = suffix_count_};
  std::copy(std::begin(counts_), std::end(counts_), mark.counts);
  return mark;
}

void MessageWriter::Rollback(const Mark& mark) {
  size_ = mark.size;
  suffix_count_ = mark.suffixes;
  std::copy(std::begin(mark.counts), std::end(mark.counts), counts_);
}

size_t MessageWriter::Finish(uint16_t id, uint16_t flags) {
  Header header{.id = id, .flags = flags};
  std::copy(std::begin(counts_), std::end(counts_), header.counts);
  StoreHeader(header, out_);
  return size_;
}

}  // namespace quorate::wire
