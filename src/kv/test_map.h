// An ordered map for the tests of this folder: a std::map that iterators hold a version of.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "kv/ordered_map.h"

namespace quorate::kv {

class TestMap final : public OrderedMap {
 public:
  using Data = std::map<std::string, std::string, std::less<>>;

  std::optional<std::string> Get(std::string_view key) const override {
    const auto it = data_->find(key);
    if (it == data_->end()) return std::nullopt;
    return it->second;
  }
  std::unique_ptr<MapIterator> NewIterator() const override { return std::make_unique<Iterator>(data_); }
  void Write(const MapBatch& batch) override {
    if (data_.use_count() > 1) data_ = std::make_shared<Data>(*data_);
    for (const MapWrite& write : batch) {
      if (write.value) {
        (*data_)[write.key] = *write.value;
      } else {
        data_->erase(write.key);
      }
    }
  }
  const Data& data() const { return *data_; }

 private:
  class Iterator final : public MapIterator {
   public:
    explicit Iterator(std::shared_ptr<const Data> data) : data_(std::move(data)), at_(data_->end()) {}
    bool Valid() const override { return at_ != data_->end(); }
    void Seek(std::string_view key) override { at_ = data_->lower_bound(key); }
    void SeekForPrev(std::string_view key) override {
      at_ = data_->upper_bound(key);
      Prev();
    }
    void Next() override { ++at_; }
    void Prev() override { at_ = at_ == data_->begin() ? data_->end() : std::prev(at_); }
    std::string_view key() const override { return at_->first; }
    std::string_view value() const override { return at_->second; }

   private:
    const std::shared_ptr<const Data> data_;
    Data::const_iterator at_;
  };

  std::shared_ptr<Data> data_ = std::make_shared<Data>();
};

}  // namespace quorate::kv
