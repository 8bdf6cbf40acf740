#include "kv/key_layout.h"

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::kv {
namespace {

constexpr std::string_view kRecordSpace = "kd";
constexpr std::string_view kAfterRecordSpace = "ke";
constexpr std::string_view kTerminator{"\x00\x01", 2};
constexpr size_t kRevisionBytes = 8;

enum RecordKind : uint8_t { kLive = 1, kTombstone = 2 };

template <class T>
void AppendBigEndian(T v, std::string& out) {
  for (int shift = 8 * (sizeof(T) - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(v >> shift));
}
template <class T>
T ReadBigEndian(std::string_view in) {
  T v = 0;
  for (size_t i = 0; i < sizeof(T); ++i) v = static_cast<T>(v << 8 | static_cast<uint8_t>(in[i]));
  return v;
}

}  // namespace

std::string RecordPrefix(std::string_view key) {
  std::string out(kRecordSpace);
  out.reserve(key.size() + kRecordSpace.size() + kTerminator.size() + kRevisionBytes);
  for (char c : key) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xff');
  }
  out.append(kTerminator);
  return out;
}

std::string RecordKeyFromPrefix(std::string_view prefix, Revision at) {
  std::string out(prefix);
  AppendBigEndian<uint64_t>(~at.value, out);
  return out;
}

std::string RecordKey(std::string_view key, Revision at) {
  std::string out = RecordPrefix(key);
  AppendBigEndian<uint64_t>(~at.value, out);
  return out;
}

std::string AfterPrefix(std::string_view prefix) {
  std::string out(prefix);
  ++out.back();  // the terminator's 0x01
  return out;
}

std::optional<RecordPlace> ParseRecordKey(std::string_view map_key) {
  if (!map_key.starts_with(kRecordSpace)) return std::nullopt;
  if (map_key.size() < kRecordSpace.size() + kTerminator.size() + kRevisionBytes) return std::nullopt;
  const size_t split = map_key.size() - kRevisionBytes;
  return RecordPlace{map_key.substr(0, split), Revision{~ReadBigEndian<uint64_t>(map_key.substr(split))}};
}

std::string KeyOfPrefix(std::string_view prefix) {
  CHECK_GE(prefix.size(), kRecordSpace.size() + kTerminator.size());
  prefix.remove_prefix(kRecordSpace.size());
  prefix.remove_suffix(kTerminator.size());
  std::string out;
  out.reserve(prefix.size());
  for (size_t i = 0; i < prefix.size(); ++i) {
    out.push_back(prefix[i]);
    if (prefix[i] == '\0') ++i;
  }
  return out;
}

RecordBounds BoundsOf(const KeyRange& range) {
  RecordBounds bounds{RecordPrefix(range.key), ""};
  if (range.Single()) {
    bounds.to = AfterPrefix(bounds.from);
  } else {
    bounds.to = range.Unbounded() ? std::string(kAfterRecordSpace) : RecordPrefix(range.end);
  }
  return bounds;
}

std::string IndexKey(IndexPlace place) {
  std::string out(kIndexPrefix);
  AppendBigEndian<uint64_t>(place.revision.value, out);
  AppendBigEndian<uint32_t>(place.sub, out);
  return out;
}

std::optional<IndexPlace> ParseIndexKey(std::string_view map_key) {
  if (!map_key.starts_with(kIndexPrefix) || map_key.size() != kIndexPrefix.size() + 12) return std::nullopt;
  map_key.remove_prefix(kIndexPrefix.size());
  return IndexPlace{Revision{ReadBigEndian<uint64_t>(map_key)}, ReadBigEndian<uint32_t>(map_key.substr(8))};
}

std::string EncodeRecord(const Record& record) {
  ByteWriter out(record.value.size() + 24);
  if (record.tombstone) {
    out.U8(kTombstone);
    return out.Take();
  }
  out.U8(kLive);
  out.Varint(record.create_revision.value);
  out.Varint(record.version);
  out.Varint(static_cast<uint64_t>(record.lease));
  out.Raw(record.value);
  return out.Take();
}

std::optional<Record> ParseRecord(std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t kind = in.U8();
  Record record;
  record.tombstone = kind == kTombstone;
  if (kind == kLive) {
    record.create_revision = {in.Varint()};
    record.version = in.Varint();
    record.lease = static_cast<int64_t>(in.Varint());
    record.value = in.Raw(in.remaining());
  }
  if (!in.AtEnd() || (kind != kLive && kind != kTombstone)) return std::nullopt;
  return record;
}

Record DecodeRecord(std::string_view bytes) {
  const std::optional<Record> record = ParseRecord(bytes);
  if (!record) FailStop("the store holds a record that is none");
  return *record;
}

std::string EncodeRevision(Revision revision) {
  std::string out;
  AppendBigEndian<uint64_t>(revision.value, out);
  return out;
}

std::optional<Revision> ParseRevision(std::string_view bytes) {
  if (bytes.size() != kRevisionBytes) return std::nullopt;
  return Revision{ReadBigEndian<uint64_t>(bytes)};
}

Revision DecodeRevision(std::string_view bytes) {
  const std::optional<Revision> revision = ParseRevision(bytes);
  if (!revision) FailStop("the store holds a revision that is none");
  return *revision;
}

}  // namespace quorate::kv
