#include "app/snapshot_summary.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/status_macros.h"
#include "raft/codec.h"
#include "replica/state_worker.h"
#include "rsm/replicated_state.h"
#include "zone/settings.h"
#include "zone/store_keys.h"

namespace quorate::app {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

absl::Status Damaged(std::string what) { return absl::DataLossError(std::move(what)); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace

absl::Status SnapshotCheck::Add(std::string_view key, std::string_view value) {
  if (key == rsm::ReplicatedState::kAppliedKey) {
    applied_ = rsm::ReplicatedState::ParseApplied(value);
    if (!applied_) return Damaged("the state's applied mark is none");
  }
  if (key == replica::kConfigurationKey && !raft::DecodeConfiguration(value))
    return Damaged("the group's configuration does not decode");
  auto live = live_.Add(key, value);
  if (!live.ok()) return Damaged(live.error());
  if (!live->has_value()) return absl::OkStatus();
  const kv::LiveScan::Live& pair = **live;
  if (pair.key.starts_with(zone::kDnsKeyspace)) return AddRecord(pair);
  if (pair.key.starts_with(zone::kSettingsKeyspace)) return AddSettings(pair);
  return absl::OkStatus();
}

absl::Status SnapshotCheck::AddRecord(const kv::LiveScan::Live& pair) {
  const auto key = zone::ParseRecordKey(pair.key);
  const auto rrset = key ? zone::DecodeRRset(key->type, pair.value) : std::nullopt;
  if (!rrset) return Damaged(fmt::format("the DNS record at `{}` does not decode", pair.key));
  if (!builder_ || !(apex_ == key->zone)) {
    RETURN_IF_ERROR(FinishZone());
    apex_ = key->zone;
    builder_.emplace(apex_);
  }
  builder_->Add(*rrset);
  return absl::OkStatus();
}

// Settings come after all zones.
absl::Status SnapshotCheck::AddSettings(const kv::LiveScan::Live& pair) {
  if (zone::ParseSettingsKey(pair.key) && zone::SettingsFromText(pair.value)) return FinishZone();
  return Damaged(fmt::format("the settings at `{}` do not decode", pair.key));
}

absl::Status SnapshotCheck::FinishZone() {
  if (!builder_) return absl::OkStatus();
  auto built = std::move(*builder_).Build();
  builder_.reset();
  if (const auto* refusal = std::get_if<zone::Refusal>(&built))
    return Damaged(fmt::format("the zone {} is not valid: {}", apex_.ToText(), refusal->reason));
  const zone::Zone& zone = *std::get<zone::ZonePtr>(built);
  zones_.push_back({apex_.ToText(), zone.serial().value, zone.record_count()});
  return absl::OkStatus();
}

absl::Status SnapshotCheck::Finish(const storage::SnapshotFileMeta& meta) {
  RETURN_IF_ERROR(FinishZone());
  if (!applied_) return Damaged("it holds no state: there is no applied mark");
  if (applied_->index != meta.index || applied_->term != meta.term || applied_->hash != meta.state_hash) {
    return Damaged(fmt::format("its header says entry {} of term {}, but its state is of entry {} of term {}",
                               meta.index.value, meta.term.value, applied_->index.value,
                               applied_->term.value));
  }
  if (live_.revision() != meta.revision) {
    return Damaged(fmt::format("its header says revision {}, but its store is at {}", meta.revision.value,
                               live_.revision().value));
  }
  return absl::OkStatus();
}

absl::Status ReadInPieces(const std::string& path,
                          const std::function<absl::Status(std::string_view)>& feed) {
  const Descriptor file(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    return absl::NotFoundError(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const ssize_t n = read(file.get(), piece.data(), piece.size());
    if (n == 0) return absl::OkStatus();
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return absl::UnavailableError(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    RETURN_IF_ERROR(feed(std::string_view(piece).substr(0, static_cast<size_t>(n))));
  }
}

absl::StatusOr<SnapshotSummary> CheckSnapshotFile(const std::string& path) {
  storage::SnapshotFileReader reader;
  SnapshotCheck check;
  absl::Status damage;
  const absl::Status read = ReadInPieces(path, [&](std::string_view piece) {
    return damage = reader.Feed(
               piece, [&](std::string_view key, std::string_view value) { return check.Add(key, value); });
  });
  if (!read.ok() && damage.ok()) return read;
  if (damage.ok()) damage = reader.Finish();
  if (damage.ok()) damage = check.Finish(*reader.meta());
  if (!damage.ok()) return absl::Status(damage.code(), fmt::format("{}: {}", path, MessageOf(damage)));
  return SnapshotSummary{*reader.meta(), reader.bytes(), reader.count(), check.keys(), check.zones()};
}

}  // namespace quorate::app
