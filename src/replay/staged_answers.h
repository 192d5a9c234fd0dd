#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "kernel/kernel.h"
#include "replay/dataset.h"

namespace coeval::replay {

/// Answers questions whose keys other views find, block by block: within a block the views of one
/// stage after those before it, each over the whole past up to the block's last question.
class StagedAnswers {
 public:
  /// All arguments must outlive it.
  static Result<std::unique_ptr<StagedAnswers>> create(
      std::shared_ptr<const define::Project> project, const Past& past, const Questions& questions,
      const define::RowSchema& row, int threads);

  /// The next questions in the order of T: the columns of RowSchema::view_features.
  Result<std::vector<data::Column>> next(std::span<const std::int64_t> rows);

 private:
  StagedAnswers(const Past& past, const Questions& questions, const define::RowSchema& row,
                int threads);
  Status ask(std::span<const int> views, const data::Batch& questions,
             std::span<const std::int64_t> at_us, std::vector<data::Column>& columns);

  const Past& past_;
  const Questions& questions_;
  const define::RowSchema& row_;
  WorkerPool pool_;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::vector<kernel::EventBlock> events_;  // by source
  std::vector<std::size_t> next_event_;     // by view
};

}  // namespace coeval::replay
