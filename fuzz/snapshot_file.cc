// A snapshot file, from a disk or from whoever gave it to us: read in pieces or as a whole it is judged
// alike, and what is accepted is written again as a file that says the same.
#include <map>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "storage/memory/memory_state_store.h"
#include "storage/snapshot_file.h"

namespace {

using namespace quorate;

struct Read {
  absl::Status status;
  std::optional<storage::SnapshotFileMeta> meta;
  std::map<std::string, std::string> pairs;
};

Read ReadAll(std::string_view file, size_t piece) {
  storage::SnapshotFileReader reader;
  Read read;
  for (size_t at = 0; at < file.size() && read.status.ok(); at += piece) {
    read.status = reader.Feed(file.substr(at, piece), [&](std::string_view key, std::string_view value) {
      read.pairs.emplace(key, value);
      return absl::OkStatus();
    });
  }
  if (read.status.ok()) read.status = reader.Finish();
  read.meta = reader.meta();
  return read;
}

void PutU32(std::string& file, size_t at, uint32_t value) {
  ByteWriter out;
  out.U32(value);
  file.replace(at, 4, out.str());
}

// Makes the sums right, so that the fuzzer gets past them.
std::string WithRightSums(std::string file) {
  if (file.size() < 40) return file;
  ByteReader in(std::string_view(file).substr(12));
  const size_t header = 16 + size_t{in.U32()} + 4;
  if (header + 20 > file.size()) return file;
  PutU32(file, header - 4, Crc32c(std::string_view(file).substr(0, header - 4)));
  const size_t trailer = file.size() - 16;
  if (trailer >= header + 4)
    PutU32(file, trailer - 4, Crc32c(std::string_view(file).substr(header, trailer - 4 - header)));
  ByteWriter length;
  length.U64(trailer);
  file.replace(trailer, 8, length.str());
  PutU32(file, file.size() - 4, Crc32c(std::string_view(file).substr(0, file.size() - 4)));
  return file;
}

std::string Write(const Read& read) {
  storage::MemoryStateStore store;
  for (const auto& [key, value] : read.pairs) store.map().Write({{key, value}});
  storage::SnapshotFileWriter writer(*read.meta, store.TakeSnapshot());
  std::string all;
  for (auto part = writer.Next(1000); part.ok() && !part->empty(); part = writer.Next(1000)) all += *part;
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string given(reinterpret_cast<const char*>(data), size);
  for (const std::string& file : {given, WithRightSums(given)}) {
    const Read whole = ReadAll(file, file.size() + 1), pieces = ReadAll(file, 7);
    CHECK(whole.status.ok() == pieces.status.ok());
    if (!whole.status.ok()) continue;
    const Read again = ReadAll(Write(whole), 1 << 20);
    CHECK(again.status.ok());
    CHECK(again.meta == whole.meta);
    CHECK(again.pairs == whole.pairs);
  }
  return 0;
}
