#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "quality/checks.h"
#include "replay/dataset.h"
#include "replay/history.h"

namespace coeval::replay {

/// How answers are found within a limit of memory.
struct SpillOptions {
  std::int64_t memory_bytes = 0;
  std::string folder;  ///< for spill files; it must be there
  /// Rows known at or after it do not exist.
  std::optional<std::int64_t> as_of_us;
  std::int64_t partitions = 0;  ///< of each view's entities; 0 = as the limit asks. For tests.
  /// Called with the rows of a source's file once it was read.
  std::function<void(int source, const quality::Conservation& counts)> read;
};

/// What answer() does, with the same bits, by way of the disk: the events of each view are divided
/// by entity into partitions, which are answered one after the other; their answers wait in a file
/// until all are there. Only the questions stay in memory, 24 bytes each beside their columns
/// and 2 more for each view. A spill file of each view holds its source's rows, another its
/// answers.
///
/// The limit is kept by an estimate of what a row of a source needs, which is meant to be too large
/// by half. The files of sources should be read in batches, as Parquet is.
///
/// Errors: those of answer() and of load_history(); usage when the limit is too small, with what is
/// needed; unsupported for lookups, names of events and keys that other views find; disk_full, io.
Status answer_spilled(std::shared_ptr<const define::Project> project, const OpenFormat& formats,
                      const Questions& questions, const define::RowSchema& row,
                      std::span<const define::Input> inputs, const AnswerOptions& options,
                      const SpillOptions& spill, const std::function<Status(Answers)>& sink);

}  // namespace coeval::replay
