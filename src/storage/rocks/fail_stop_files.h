// RocksDB's files, under a file system that ends the process at the first write that fails.
#pragma once

namespace rocksdb {
class Env;
}

namespace quorate::storage::rocks {

// The machine's files, but a failed write, sync, creation or rename of any of them is a FailStop: RocksDB
// itself would go on after some of these, or try again, and a sync that is tried again can lie. Its diary
// (LOG) and removals are excepted: nobody relies on them. Lives as long as the process.
rocksdb::Env* FailStopEnv();

}  // namespace quorate::storage::rocks
