#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "define/project.h"
#include "kernel/kernel.h"
#include "replay/history.h"
#include "stores/event_log.h"

namespace coeval::replay {

/// What folding a source's file gave, for the report.
struct FoldedSource {
  int source = -1;
  std::string path, sha256;
  std::int64_t rows = 0;  ///< accepted and known before the cut
  quality::Conservation conservation;
};

/// Folds the files of `sources` up to the cut into every view that the kernel keeps, views on up to
/// `threads` threads. (semantics: T9)
Result<std::vector<FoldedSource>> fold_files(kernel::Kernel& kernel,
                                             const std::vector<int>& sources,
                                             const OpenFormat& formats,
                                             std::optional<std::int64_t> cut_us, int threads);

/// Folds the log's events from `from` on, in order. Returns how many.
Result<std::int64_t> fold_log(kernel::Kernel& kernel, const stores::EventLog& log, Position from);

}  // namespace coeval::replay
