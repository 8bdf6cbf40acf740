// The ordered map that the store lives in: RocksDB in the product, memory in tests and the simulator. Keys
// and values are bytes; keys sort bytewise, unsigned. An implementation that cannot read or write stops the
// process (FailStop): there is no error for a caller to handle.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quorate::kv {

class MapIterator {
 public:
  virtual ~MapIterator() = default;
  virtual bool Valid() const = 0;
  virtual void Seek(std::string_view key) = 0;         // the first key >= key
  virtual void SeekForPrev(std::string_view key) = 0;  // the last key <= key
  virtual void Next() = 0;                             // only while Valid()
  virtual void Prev() = 0;
  virtual std::string_view key() const = 0;  // valid until the iterator moves
  virtual std::string_view value() const = 0;
};

// Any thread. An iterator sees the map as it was when the iterator was made.
class MapReader {
 public:
  virtual ~MapReader() = default;
  virtual std::optional<std::string> Get(std::string_view key) const = 0;
  virtual std::unique_ptr<MapIterator> NewIterator() const = 0;
};

struct MapWrite {
  std::string key;
  std::optional<std::string> value;  // nullopt: delete
};
using MapBatch = std::vector<MapWrite>;  // later writes of a key win

class OrderedMap : public MapReader {
 public:
  // Atomic. One writer thread.
  virtual void Write(const MapBatch& batch) = 0;
};

}  // namespace quorate::kv
