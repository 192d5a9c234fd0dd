#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "data/column.h"
#include "stores/spill_file.h"

namespace coeval::replay {

/// Rows that wait on the disk, divided into partitions; those of one partition stay in the order in
/// which they came.
///
/// Threading: one thread.
class SpilledRows {
 public:
  /// A file in `folder`. Errors: those of SpillFile::create.
  static Result<SpilledRows> create(const std::string& folder, data::Schema schema,
                                    std::size_t partitions);

  /// Appends rows of `batch`: rows[p] are those of partition p. Works in parts side by side.
  Status append(const data::Batch& batch, const std::vector<std::vector<std::int64_t>>& rows,
                WorkerPool& pool);
  /// Appends all rows of a batch to one partition.
  Status append(const data::Batch& batch, std::size_t partition);

  std::int64_t rows(std::size_t partition) const { return parts_[partition].rows; }
  /// All rows of a partition. Errors: bad_file, io.
  Result<data::Batch> read(std::size_t partition) const;

  /// Reads a partition from its begin on, some rows after the others; it holds a block at a time.
  class Cursor {
   public:
    /// Adds the next `count` rows, which must be there, to `pieces`.
    Status take(const SpilledRows& rows, std::size_t partition, std::int64_t count,
                std::vector<data::Batch>& pieces);

   private:
    std::size_t next_block_ = 0;
    data::Batch block_;
    std::int64_t given_ = 0;  // of block_
  };

 private:
  struct Part {
    std::vector<stores::SpillFile::Block> blocks;
    std::int64_t rows = 0;
  };
  SpilledRows(data::Schema schema, stores::SpillFile file, std::size_t partitions)
      : schema_(std::move(schema)), file_(std::move(file)), parts_(partitions) {}
  Status append(const stores::SpillFile::Packed& packed, std::size_t partition, std::int64_t rows);
  Result<data::Batch> read(const stores::SpillFile::Block& block) const;

  data::Schema schema_;
  stores::SpillFile file_;
  std::vector<Part> parts_;
};

}  // namespace coeval::replay
