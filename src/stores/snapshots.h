#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

namespace coeval::stores {

/// A saved state: the fold of a history (named by `basis`) and of the log before `position`.
struct Snapshot {
  std::string basis;  ///< hash of the views, the history files and the cut
  Position position;  ///< the first log record that is not in it
  std::string state;  ///< Kernel::serialize()
};

class FileLayer;  // stores/append_file.h

struct SnapshotOptions {
  bool compress = true;              ///< zstd level 1
  std::shared_ptr<FileLayer> files;  ///< null = the disk
};
/// Writes to a temporary file, fsyncs, renames, fsyncs the folder; keeps the newest two. One writer
/// per folder (the holder of the log's lock). Errors: io, disk_full; the older snapshots stay then.
Status save_snapshot(const std::string& folder, const Snapshot& snapshot,
                     const SnapshotOptions& options = {});
/// The newest snapshot of this basis that passes its checksum and whose position is ≤ `end`;
/// nothing when there is none, or no folder. A damaged file is skipped and reported in `warning`
/// (may be null).
Result<std::optional<Snapshot>> load_snapshot(const std::string& folder, const std::string& basis,
                                              Position end, std::string* warning);

}  // namespace coeval::stores
