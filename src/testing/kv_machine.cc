#include "testing/kv_machine.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace quorate::testing {
namespace {

constexpr std::string_view kMark = "mark";
constexpr char kData = 'd';

uint64_t Mix(uint64_t hash, std::string_view bytes) {
  return (hash ^ Crc32c(bytes)) * 0x9e3779b97f4a7c15ULL + (hash >> 29);
}

}  // namespace

rsm::Outcome KvMachine::Apply(const rsm::Entry& entry) {
  if (before_apply) before_apply();
  CHECK_EQ(entry.index, index_ + 1);
  index_ = entry.index;
  term_ = entry.term;
  hash_ = Mix(hash_ + entry.term.value, entry.payload);
  kv::MapBatch batch;
  rsm::Outcome outcome;
  if (entry.is_command) {
    const auto stamped = rsm::ParseStamped(entry.payload);
    const size_t split = stamped ? stamped->command.find('=') : std::string_view::npos;
    if (split == std::string_view::npos) {
      outcome = "refused";
    } else {
      CHECK_GE(stamped->stamp.group_time, group_time_);
      group_time_ = stamped->stamp.group_time;
      const std::string key = kData + std::string(stamped->command.substr(0, split));
      outcome = map_.Get(key).value_or("");
      batch.push_back({key, std::string(stamped->command.substr(split + 1))});
    }
  }
  ByteWriter mark;
  mark.U64(index_.value);
  mark.U64(term_.value);
  mark.U64(static_cast<uint64_t>(group_time_.count()));
  mark.U64(hash_);
  batch.push_back({std::string(kMark), mark.Take()});
  map_.Write(batch);
  return outcome;
}

void KvMachine::Reload() {
  const std::string bytes = map_.Get(kMark).value_or(std::string(32, '\0'));
  ByteReader in(bytes);
  index_ = {in.U64()};
  term_ = {in.U64()};
  group_time_ = Duration(static_cast<int64_t>(in.U64()));
  hash_ = in.U64();
  CHECK(in.AtEnd());
}

std::optional<rsm::AppliedAt> KvMachine::AppliedIn(const kv::MapReader& map) const {
  const std::string bytes = map.Get(kMark).value_or("");
  ByteReader in(bytes);
  rsm::AppliedAt at;
  at.index = {in.U64()};
  at.term = {in.U64()};
  at.group_time = Duration(static_cast<int64_t>(in.U64()));
  at.hash = in.U64();
  return in.AtEnd() ? std::optional(at) : std::nullopt;
}

std::string KvMachine::Get(std::string_view key) const {
  return map_.Get(kData + std::string(key)).value_or("");
}

}  // namespace quorate::testing
