#include "storage/rocks/rocks_state_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "storage/rocks/fail_stop_files.h"
#include "storage/rocks/state_directory.h"
#include "storage/snapshot_stream.h"

namespace quorate::storage {
namespace {

using rocks::StateDirectory;

rocksdb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

absl::Status ToStatus(const std::string& path, const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat("applied state in ", path, ": ", status.ToString());
  if (status.IsNoSpace()) return DiskError(DiskFault::kFull, ENOSPC, message);
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsIOError()) return DiskError(DiskFault::kRead, EIO, message);  // writes: fail_stop_files.h
  return absl::UnavailableError(message);
}

void StopUnlessOk(const std::string& path, const rocksdb::Status& status) {
  if (!status.ok()) FailStop("the applied state cannot be used", ToStatus(path, status));
}

// A flush or compaction that failed in the background: what is applied can no longer be kept.
class StopOnBackgroundError final : public rocksdb::EventListener {
 public:
  explicit StopOnBackgroundError(std::string path) : path_(std::move(path)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    StopUnlessOk(path_, *status);
  }

 private:
  const std::string path_;
};

rocksdb::Options OptionsOf(const std::string& path, const RocksOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, /*num_shard_bits=*/2);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  rocksdb::Options out;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  out.env = rocks::FailStopEnv();
  out.listeners.push_back(std::make_shared<StopOnBackgroundError>(path));
  out.write_buffer_size = options.write_buffer_bytes;
  out.max_write_buffer_number = 2;
  out.max_background_jobs = options.background_jobs;
  out.max_open_files = options.open_files_max;
  out.max_bgerror_resume_count = 0;
  out.manifest_preallocation_size = 64 << 10;
  out.max_manifest_file_size = 4 << 20;
  // RocksDB's own diary; ours says what an operator needs.
  out.info_log_level = rocksdb::WARN_LEVEL;
  out.max_log_file_size = 1 << 20;
  out.keep_log_file_num = 2;
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
  out.skip_stats_update_on_db_open = true;
  return out;
}

// One open database. Removes itself from the disk when the last user has gone, once it is obsolete.
class Database {
 public:
  static absl::StatusOr<std::shared_ptr<Database>> Open(const std::string& path, const RocksOptions& options,
                                                        bool create) {
    rocksdb::Options rocks_options = OptionsOf(path, options);
    rocks_options.create_if_missing = create;
    rocks_options.error_if_exists = create;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(rocks_options, path, &db);
    // Without CREATE a missing database is "invalid argument".
    if (status.IsInvalidArgument() && !create) {
      return absl::DataLossError(
          absl::StrCat("applied state in ", path, " is not there: ", status.ToString()));
    }
    if (!status.ok()) return ToStatus(path, status);
    return std::shared_ptr<Database>(new Database(path, db));
  }
  ~Database() {
    db_.reset();
    // A leftover is removed at the next start.
    if (obsolete_) rocks::RemoveTree(path_).IgnoreError();
  }
  Database(const Database&) = delete;

  rocksdb::DB& db() const { return *db_; }
  const std::string& path() const { return path_; }
  void MakeObsolete() { obsolete_ = true; }

  void Write(rocksdb::WriteBatch& batch) {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    StopUnlessOk(path_, db_->Write(options, &batch));
  }
  absl::Status Flush() { return ToStatus(path_, db_->Flush(rocksdb::FlushOptions())); }

 private:
  Database(std::string path, rocksdb::DB* db) : path_(std::move(path)), db_(db) {}
  const std::string path_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<bool> obsolete_{false};
};

class Iterator final : public kv::MapIterator {
 public:
  Iterator(std::shared_ptr<Database> database, bool fill_cache) : database_(std::move(database)) {
    rocksdb::ReadOptions options;
    options.fill_cache = fill_cache;
    it_.reset(database_->db().NewIterator(options));
  }
  bool Valid() const override {
    if (it_->Valid()) return true;
    StopUnlessOk(database_->path(), it_->status());
    return false;
  }
  void Seek(std::string_view key) override { it_->Seek(SliceOf(key)); }
  void SeekForPrev(std::string_view key) override { it_->SeekForPrev(SliceOf(key)); }
  void Next() override { it_->Next(); }
  void Prev() override { it_->Prev(); }
  std::string_view key() const override { return ViewOf(it_->key()); }
  std::string_view value() const override { return ViewOf(it_->value()); }

 private:
  const std::shared_ptr<Database> database_;  // outlives it_
  std::unique_ptr<rocksdb::Iterator> it_;
};

class Map final : public kv::OrderedMap {
 public:
  explicit Map(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  std::optional<std::string> Get(std::string_view key) const override {
    const auto database = Current();
    std::string value;
    const rocksdb::Status status = database->db().Get(rocksdb::ReadOptions(), SliceOf(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    StopUnlessOk(database->path(), status);
    return value;
  }
  std::unique_ptr<kv::MapIterator> NewIterator() const override {
    return std::make_unique<Iterator>(Current(), /*fill_cache=*/true);
  }
  void Write(const kv::MapBatch& batch) override {
    rocksdb::WriteBatch writes;
    for (const kv::MapWrite& write : batch) {
      const rocksdb::Status status =
          write.value.has_value() ? writes.Put(write.key, *write.value) : writes.Delete(write.key);
      CHECK(status.ok());
    }
    Current()->Write(writes);
  }

  std::shared_ptr<Database> Current() const {
    std::shared_lock lock(mu_);
    return database_;
  }
  std::shared_ptr<Database> Exchange(std::shared_ptr<Database> next) {
    std::unique_lock lock(mu_);
    return std::exchange(database_, std::move(next));
  }

 private:
  mutable std::shared_mutex mu_;
  std::shared_ptr<Database> database_;  // guarded by mu_
};

class RocksStateStore final : public StateStore {
 public:
  RocksStateStore(StateDirectory directory, RocksOptions options, std::shared_ptr<Database> database)
      : directory_(std::move(directory)), options_(options), map_(std::move(database)) {}

  kv::OrderedMap& map() override { return map_; }
  absl::Status Flush() override { return map_.Current()->Flush(); }
  std::unique_ptr<SnapshotSource> TakeSnapshot() override {
    return StreamSnapshot(std::make_unique<Iterator>(map_.Current(), /*fill_cache=*/false));
  }
  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginRestore() override;

 private:
  class Sink;
  StateDirectory directory_;  // the restoring thread's
  const RocksOptions options_;
  Map map_;
};

// Fills a database of its own. It is obsolete until it is committed.
class RocksStateStore::Sink final : public SnapshotSink {
 public:
  Sink(RocksStateStore& store, uint64_t number, std::shared_ptr<Database> database)
      : store_(store), number_(number), database_(std::move(database)) {}
  ~Sink() override {
    if (database_ != nullptr) database_->MakeObsolete();
  }

  absl::Status Write(std::string_view bytes) override {
    rocksdb::WriteBatch writes;
    const absl::Status status = decoder_.Feed(bytes, [&](std::string_view key, std::string_view value) {
      return ToStatus(database_->path(), writes.Put(SliceOf(key), SliceOf(value)));
    });
    if (status.ok()) database_->Write(writes);
    return status;
  }

  absl::StatusOr<const kv::MapReader*> Verify() override {
    RETURN_IF_ERROR(decoder_.Finish());
    RETURN_IF_ERROR(database_->Flush());
    verified_ = std::make_unique<Map>(database_);
    return verified_.get();
  }

  absl::Status Commit() override {
    CHECK(database_ != nullptr && verified_ != nullptr);
    verified_.reset();
    RETURN_IF_ERROR(store_.directory_.Switch(number_));
    store_.map_.Exchange(std::exchange(database_, nullptr))->MakeObsolete();
    return absl::OkStatus();
  }

 private:
  RocksStateStore& store_;
  const uint64_t number_;
  std::shared_ptr<Database> database_;  // null once committed
  SnapshotDecoder decoder_;
  std::unique_ptr<Map> verified_;  // of database_
};

absl::StatusOr<std::unique_ptr<SnapshotSink>> RocksStateStore::BeginRestore() {
  const uint64_t number = directory_.NewNumber();
  ASSIGN_OR_RETURN(auto database, Database::Open(directory_.PathOf(number), options_, /*create=*/true));
  return std::make_unique<Sink>(*this, number, std::move(database));
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateStore>> OpenRocksState(const std::string& directory,
                                                           const RocksOptions& options) {
  ASSIGN_OR_RETURN(StateDirectory state, StateDirectory::Open(directory));
  const std::string path = state.PathOf(state.current());
  // The first database may not have been finished before a crash: RocksDB's own CURRENT is the last thing it
  // makes.
  const bool create = state.current() == 1 && !std::filesystem::exists(path + "/CURRENT");
  if (create) RETURN_IF_ERROR(rocks::RemoveTree(path));
  ASSIGN_OR_RETURN(auto database, Database::Open(path, options, create));
  return std::make_unique<RocksStateStore>(std::move(state), options, std::move(database));
}

}  // namespace quorate::storage
