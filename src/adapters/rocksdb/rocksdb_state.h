#pragma once

#include <memory>
#include <string>

#include "adapters/rocksdb/disk_room.h"
#include "stores/state_store.h"

namespace coeval::rocksdb_adapter {

/// A state in a folder of RocksDB's. Keys are the part as four bytes, high first, and the unit's
/// key, so that a part is a range in the order of its keys; the position stands under part kNoPart.
/// A write is one batch, with its write-ahead log synced.
///
/// RocksDB's checksums are verified with every read. What it does in the background (flushes,
/// compactions) runs on its own threads.
///
/// A full disk: a write is refused, disk_full, before RocksDB is touched when the disk has less
/// room than the write and what it may set off take (disk_room.h), and can be tried again. Where
/// the disk fills up all the same, reads go on, and the next write that finds room opens the folder
/// anew, which reads wait for. `free_bytes`: for tests of that.
std::unique_ptr<stores::StateStores> make_rocksdb_states(FreeBytes free_bytes = free_bytes_of_disk);

}  // namespace coeval::rocksdb_adapter

/// The one symbol of the module coeval_rocksdb.so, found by dlsym. Stores a StateStores that the
/// caller deletes in `*out` and returns 0; returns 1 and leaves `*out` alone if it cannot be made.
/// The module must stay loaded as long as anything that came from it lives: do not dlclose it.
extern "C" __attribute__((visibility("default"))) int coeval_state_stores_v1(
    coeval::stores::StateStores** out);
