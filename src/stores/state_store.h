#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "stores/state_units.h"

namespace coeval::stores {

/// Names one unit.
struct UnitKey {
  std::uint32_t part = 0;
  std::string_view key;
};

/// A state outside memory: units by part and key, all as of one position of the log. What brings a
/// server up from it is the position, the units, and the log from there on.
///
/// Versions: make_memory_state(); FaultyStateStore (faulty_state_store.h) decorates another; the
/// RocksDB adapter. An adapter runs state_store_conformance.h.
///
/// Ownership: one process at a time has a folder open. Threading: one thread at a time, but read()
/// may be called while another thread is in write(), and gives each unit as it was before or as it
/// was after; what a store does in the background is its own affair.
class StateStore {
 public:
  virtual ~StateStore() = default;

  /// Of the newest write; nothing for a store that was never written.
  virtual Result<std::optional<Position>> position() = 0;
  /// Puts units in the place of those with their keys, takes out those without bytes, and sets the
  /// position: all of it or nothing, and durable once this returns. Of units with equal keys the
  /// last counts. Writing the same again changes nothing. Errors: out_of_range for a position
  /// before that of the store, or a part that is kNoPart; io, disk_full. After an error the store
  /// is as it was, or as it was to become; reopen it to know.
  virtual Status write(std::span<const StateUnit> units, Position position) = 0;
  /// The bytes of units in the order of their keys, nothing for those that are not there. Errors:
  /// io, snapshot_corrupt.
  virtual Result<std::vector<std::optional<std::string>>> read(std::span<const UnitKey> keys) = 0;
  /// Calls `take` for every unit of a part in the order of the keys' bytes, as they were when the
  /// scan began; `take` may not write. Errors: those of `take`; io, snapshot_corrupt.
  virtual Status scan(std::uint32_t part, const TakeUnit& take) = 0;
  /// Looks at every checksum of what it keeps. Errors: io, snapshot_corrupt.
  virtual Status verify() { return {}; }
  /// Bytes that it takes on disk or in memory, about.
  virtual Result<std::uint64_t> size_bytes() = 0;

  static constexpr std::uint32_t kNoPart = 0xFFFFFFFF;
};

/// What every version refuses of a write to a store at position `present`.
Status check_write(std::span<const StateUnit> units, Position position,
                   const std::optional<Position>& present);

/// The plain version: a sorted map.
std::unique_ptr<StateStore> make_memory_state();

struct StateStoreOptions {
  std::uint64_t cache_bytes = 64u << 20;  ///< of blocks that were read
  /// Of what was written and is not yet in a file of its own; what is written at once comes on top.
  std::uint64_t write_buffer_bytes = 16u << 20;
};
/// Stores in folders. An adapter's module gives one.
class StateStores {
 public:
  virtual ~StateStores() = default;
  /// Opens the store in a folder, which is made where it is missing. Errors: io, disk_full,
  /// snapshot_corrupt; log_locked when another process has it open.
  virtual Result<std::unique_ptr<StateStore>> open(const std::string& folder,
                                                   const StateStoreOptions& options) = 0;
  /// The same of a folder that there is, which is not changed by it; writes are refused. Errors:
  /// no_such_file, io, snapshot_corrupt; log_locked when a process has it open for writing.
  virtual Result<std::unique_ptr<StateStore>> open_for_reading(
      const std::string& folder, const StateStoreOptions& options) = 0;
};

}  // namespace coeval::stores
