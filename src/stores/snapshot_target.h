#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "stores/snapshot_file.h"
#include "stores/state_origin.h"
#include "stores/state_units.h"

namespace coeval::stores {

/// Where the snapshots of one state go: files (snapshots.h) or a store of its units
/// (stored_state.h).
///
/// Threading: one thread at a time.
class SnapshotTarget {
 public:
  virtual ~SnapshotTarget() = default;

  /// Whether the next snapshot must have every unit: there is nothing that it could build on.
  virtual bool needs_all() const = 0;
  /// Of the newest snapshot that there is.
  virtual std::optional<Position> position() const = 0;
  /// A snapshot (of the log before `at`) is begin(), add() as often as it takes, and publish(),
  /// after which it is durable. After an error of any of them it is given up. Errors: io,
  /// disk_full; the older snapshots stay.
  virtual Status begin(LogPoint at, std::vector<SnapshotPart> parts) = 0;
  virtual Status add(const UnitFrame& frame) = 0;
  virtual Status publish() = 0;
  /// Puts what was published in order where it is time to. After publish(); may take as long as
  /// writing the whole state. Errors: io, disk_full, snapshot_corrupt: then needs_all().
  virtual Status tidy() = 0;
};

}  // namespace coeval::stores
