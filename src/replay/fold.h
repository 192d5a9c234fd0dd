#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "define/project.h"
#include "kernel/kernel.h"
#include "replay/history.h"
#include "stores/event_log.h"

namespace coeval::kernel {
class EventIndexes;
}

namespace coeval::replay {

/// What folding a source's file gave, for the report.
struct FoldedSource {
  int source = -1;
  std::string path, sha256;
  std::int64_t rows = 0;  ///< accepted and known before the cut
  quality::Conservation conservation;
};

/// What a fold does between two pieces, so that a state which is larger than memory can be written
/// as it grows.
struct FoldInPieces {
  std::int64_t rows = 1 << 18;  ///< of a piece
  /// Called after each piece, with the position in the log that the state goes on from: of files 0.
  std::function<Status(Position)> after;
};

/// Folds the files of `sources` up to the cut into every view that the kernel keeps, views on up to
/// `threads` threads; and the names of their events into `names`. (semantics: T7 T9)
Result<std::vector<FoldedSource>> fold_files(kernel::Kernel& kernel, kernel::EventIndexes& names,
                                             const std::vector<int>& sources,
                                             const OpenFormat& formats,
                                             std::optional<std::int64_t> cut_us, int threads);
/// The same in pieces, which a kernel that pages needs, on one thread. A file's columns are in
/// memory all the same. Errors: those of `pieces.after` too.
Result<std::vector<FoldedSource>> fold_files_in_pieces(
    kernel::Kernel& kernel, kernel::EventIndexes& names, const std::vector<int>& sources,
    const OpenFormat& formats, std::optional<std::int64_t> cut_us, const FoldInPieces& pieces);

/// Folds the log's events from `from` on, in order, of the sources of the kernel's views and of
/// those with names. Returns how many.
Result<std::int64_t> fold_log(kernel::Kernel& kernel, kernel::EventIndexes& names,
                              const stores::EventLog& log, Position from,
                              const FoldInPieces& pieces = {});

/// Prepares rows that follow, in position order, on all that `names` and the kernel have seen.
Result<kernel::EventBlock> prepare_next(kernel::Kernel& kernel, kernel::EventIndexes& names,
                                        int source, const data::Batch& rows,
                                        std::span<const std::int64_t> known_us);

/// The sources of views, and those whose events have names, ascending.
std::vector<int> sources_to_fold(const define::Project& project, std::span<const int> views,
                                 const kernel::EventIndexes& names);

}  // namespace coeval::replay
