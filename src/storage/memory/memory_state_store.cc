#include "storage/memory/memory_state_store.h"

#include <utility>

#include "base/check.h"
#include "base/status_macros.h"
#include "storage/snapshot_stream.h"

namespace quorate::storage {
namespace {

class ImageIterator final : public kv::MapIterator {
 public:
  explicit ImageIterator(PersistentMap image) : image_(std::move(image)) {}
  bool Valid() const override { return at_ != nullptr; }
  void Seek(std::string_view key) override { at_ = image_.First(key); }
  void SeekForPrev(std::string_view key) override { at_ = image_.Last(key); }
  void Next() override {
    CHECK(Valid());
    at_ = image_.FirstAfter(at_->key);
  }
  void Prev() override {
    CHECK(Valid());
    at_ = image_.LastBefore(at_->key);
  }
  std::string_view key() const override { return at_->key; }
  std::string_view value() const override { return at_->value; }

 private:
  const PersistentMap image_;
  const PersistentMap::Pair* at_ = nullptr;
};

class ImageReader final : public kv::MapReader {
 public:
  explicit ImageReader(PersistentMap image) : image_(std::move(image)) {}
  std::optional<std::string> Get(std::string_view key) const override {
    const PersistentMap::Pair* pair = image_.Find(key);
    if (pair == nullptr) return std::nullopt;
    return pair->value;
  }
  std::unique_ptr<kv::MapIterator> NewIterator() const override {
    return std::make_unique<ImageIterator>(image_);
  }

 private:
  const PersistentMap image_;
};

}  // namespace

class MemoryStateStore::Map final : public kv::OrderedMap {
 public:
  explicit Map(MemoryStateStore& store) : store_(store) {}

  std::optional<std::string> Get(std::string_view key) const override {
    return ImageReader(Image()).Get(key);
  }
  std::unique_ptr<kv::MapIterator> NewIterator() const override { return ImageReader(Image()).NewIterator(); }
  void Write(const kv::MapBatch& batch) override {
    PersistentMap next = Image();
    for (const kv::MapWrite& write : batch) {
      if (write.value.has_value()) {
        next.Put(write.key, *write.value);
      } else {
        next.Erase(write.key);
      }
    }
    std::unique_lock lock(store_.mu_);
    std::swap(store_.current_, next);
  }

 private:
  PersistentMap Image() const {
    std::shared_lock lock(store_.mu_);
    return store_.current_;
  }
  MemoryStateStore& store_;
};

class MemoryStateStore::Sink final : public SnapshotSink {
 public:
  explicit Sink(MemoryStateStore& store) : store_(store) {}

  absl::Status Write(std::string_view bytes) override {
    return decoder_.Feed(bytes, [this](std::string_view key, std::string_view value) {
      restored_.Put(key, value);
      return absl::OkStatus();
    });
  }
  absl::StatusOr<const kv::MapReader*> Verify() override {
    RETURN_IF_ERROR(decoder_.Finish());
    verified_ = std::make_unique<ImageReader>(restored_);
    return verified_.get();
  }
  absl::Status Commit() override {
    CHECK(verified_ != nullptr);
    std::unique_lock lock(store_.mu_);
    store_.current_ = restored_;
    store_.flushed_ = restored_;
    return absl::OkStatus();
  }

 private:
  MemoryStateStore& store_;
  SnapshotDecoder decoder_;
  PersistentMap restored_;
  std::unique_ptr<ImageReader> verified_;
};

MemoryStateStore::MemoryStateStore(PersistentMap image)
    : current_(image), flushed_(std::move(image)), map_(std::make_unique<Map>(*this)) {}

MemoryStateStore::~MemoryStateStore() = default;

kv::OrderedMap& MemoryStateStore::map() { return *map_; }

absl::Status MemoryStateStore::Flush() {
  std::unique_lock lock(mu_);
  flushed_ = current_;
  return absl::OkStatus();
}

std::unique_ptr<SnapshotSource> MemoryStateStore::TakeSnapshot() {
  return StreamSnapshot(map_->NewIterator());
}

absl::StatusOr<std::unique_ptr<SnapshotSink>> MemoryStateStore::BeginRestore() {
  return std::make_unique<Sink>(*this);
}

PersistentMap MemoryStateStore::FlushedImage() const {
  std::shared_lock lock(mu_);
  return flushed_;
}

}  // namespace quorate::storage
