#include "rsm/staging.h"

#include <fmt/format.h>

#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "rsm/codec.h"

namespace quorate::rsm::staging {
namespace {

constexpr std::string_view kHeads = "ph", kPieces = "ps";
constexpr size_t kExpirePieces = 16;  // of about 1 MiB, in one command

struct Head {
  Duration deadline{0};
  uint32_t pieces = 0;  // how many are kept
  uint64_t bytes = 0;
};

std::string HeadKey(std::string_view id) { return std::string(kHeads) + std::string(id); }

std::string PiecePrefix(std::string_view id) {
  return std::string(kPieces) + static_cast<char>(id.size()) + std::string(id);
}

std::string PieceKey(std::string_view id, uint32_t piece) {
  std::string key = PiecePrefix(id);
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(piece >> shift));
  return key;
}

std::string Encode(const Head& head) {
  ByteWriter out;
  out.U64(static_cast<uint64_t>(head.deadline.count()));
  out.U32(head.pieces);
  out.U64(head.bytes);
  return out.Take();
}

Head Decode(std::string_view value) {
  ByteReader in(value);
  Head head;
  head.deadline = Duration(static_cast<int64_t>(in.U64()));
  head.pieces = in.U32();
  head.bytes = in.U64();
  if (!in.AtEnd()) FailStop("the state holds a stage that does not decode");
  return head;
}

// Those that are over do not count, though they are not gone yet.
size_t Living(const kv::MapReader& map, Duration now) {
  size_t count = 0;
  const std::unique_ptr<kv::MapIterator> it = map.NewIterator();
  for (it->Seek(kHeads); it->Valid() && it->key().starts_with(kHeads); it->Next())
    count += Decode(it->value()).deadline >= now ? 1 : 0;
  return count;
}

}  // namespace

std::optional<Refusal> Keep(const kv::MapReader& map, const ZoneStage& stage, Duration now,
                            kv::MapBatch& batch) {
  Head head;
  if (const auto value = map.Get(HeadKey(stage.id))) {
    head = Decode(*value);
  } else if (Living(map, now) >= limits::kStagesMax) {
    return Refusal{Refused::kTableFull, "too many imports are under way just now"};
  }
  ByteWriter out;
  codec::PutRRsets(out, stage.rrsets);
  const std::string key = PieceKey(stage.id, stage.piece);
  const auto before = map.Get(key);
  head.bytes = head.bytes + out.str().size() - (before ? before->size() : 0);
  head.pieces += before ? 0 : 1;
  head.deadline = now + kStageLifetime;
  if (head.bytes > limits::kStageBytesMax) {
    return Refusal{Refused::kTableFull,
                   fmt::format("the import is larger than {} octets", limits::kStageBytesMax)};
  }
  batch.push_back({key, out.Take()});
  batch.push_back({HeadKey(stage.id), Encode(head)});
  return std::nullopt;
}

std::optional<Refusal> Take(const kv::MapReader& map, const std::string& id, uint32_t pieces,
                            const std::function<void(const dns::RRset&)>& visit, kv::MapBatch& batch) {
  const auto head = map.Get(HeadKey(id));
  if (!head || Decode(*head).pieces != pieces) {
    return Refusal{Refused::kUnknown,
                   "the pieces of this import are not all here: it was finished before, or took longer than "
                   "they are kept"};
  }
  const std::string prefix = PiecePrefix(id);
  uint32_t found = 0;
  kv::MapBatch gone;
  const std::unique_ptr<kv::MapIterator> it = map.NewIterator();
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next(), ++found) {
    if (it->key() != PieceKey(id, found))
      return Refusal{Refused::kUnknown, fmt::format("piece {} of this import is not here", found)};
    ByteReader in(it->value());
    for (const dns::RRset& rrset : codec::GetRRsets(in)) visit(rrset);
    if (!in.AtEnd()) FailStop("the state holds a piece of an import that does not decode");
    gone.push_back({std::string(it->key()), std::nullopt});
  }
  gone.push_back({HeadKey(id), std::nullopt});
  batch.insert(batch.end(), std::make_move_iterator(gone.begin()), std::make_move_iterator(gone.end()));
  return std::nullopt;
}

void Expire(const kv::MapReader& map, Duration now, std::string_view in_use, kv::MapBatch& batch) {
  const std::unique_ptr<kv::MapIterator> heads = map.NewIterator();
  for (heads->Seek(kHeads); heads->Valid() && heads->key().starts_with(kHeads); heads->Next()) {
    if (Decode(heads->value()).deadline >= now) continue;
    const std::string id(heads->key().substr(kHeads.size())), prefix = PiecePrefix(id);
    if (id == in_use) continue;
    size_t dropped = 0;
    const std::unique_ptr<kv::MapIterator> it = map.NewIterator();
    for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
      if (dropped++ == kExpirePieces) return;  // the rest, and the head, by a later command
      batch.push_back({std::string(it->key()), std::nullopt});
    }
    batch.push_back({HeadKey(id), std::nullopt});
    return;
  }
}

}  // namespace quorate::rsm::staging
