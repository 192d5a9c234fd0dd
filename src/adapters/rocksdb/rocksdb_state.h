#pragma once

#include <memory>
#include <string>

#include "stores/state_store.h"

namespace coeval::rocksdb_adapter {

/// A state in a folder of RocksDB's. Keys are the part as four bytes, high first, and the unit's
/// key, so that a part is a range in the order of its keys; the position stands under part kNoPart.
/// A write is one batch, with its write-ahead log synced.
///
/// RocksDB's checksums are verified with every read. What it does in the background (flushes,
/// compactions) runs on its own threads.
std::unique_ptr<stores::StateStores> make_rocksdb_states();

}  // namespace coeval::rocksdb_adapter

/// The one symbol of the module coeval_rocksdb.so, found by dlsym. Stores a StateStores that the
/// caller deletes in `*out` and returns 0; returns 1 and leaves `*out` alone if it cannot be made.
/// The module must stay loaded as long as anything that came from it lives: do not dlclose it.
extern "C" __attribute__((visibility("default"))) int coeval_state_stores_v1(
    coeval::stores::StateStores** out);
