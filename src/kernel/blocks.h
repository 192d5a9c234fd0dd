#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/large_allocator.h"
#include "kernel/kernel.h"
#include "kernel/record_layout.h"

namespace coeval::kernel {

/// A block's events as one view takes them. Views with equal record layouts share the records.
struct EventBlock::PerView {
  std::shared_ptr<const LargeVector<std::byte>> records;
  std::shared_ptr<const std::vector<data::Column>> strings;  ///< of the layout's string slots
  std::size_t stride = 0;
  std::vector<std::int32_t> entities;

  const std::byte* record(std::int64_t row) const {
    return records->data() + static_cast<std::size_t>(row) * stride;
  }
  std::int32_t entity(std::int64_t row) const { return entities[static_cast<std::size_t>(row)]; }
};

/// A block's keys as one view knows them, see KeyTable::find_rows.
struct QuestionBlock::PerView {
  std::vector<std::int32_t> entities;
  std::vector<std::string> unknown_keys;
};

/// Evaluated expressions of one batch by canonical text, so that views which share one evaluate it
/// once.
class ExpressionCache {
 public:
  ExpressionCache(const data::Batch& rows, EvaluationCounts& counts)
      : rows_(rows), counts_(counts) {}
  const data::Column& get(const define::Expr& expr);

 private:
  const data::Batch& rows_;
  EvaluationCounts& counts_;
  std::vector<std::pair<std::string, std::unique_ptr<const data::Column>>> columns_;
};

/// The records of all rows. Times are those of the block; a string slot holds its row.
LargeVector<std::byte> make_records(const RecordLayout& layout,
                                    std::span<const std::int64_t> event_time_us,
                                    std::span<const std::int64_t> known_us,
                                    ExpressionCache& expressions,
                                    const RunParts& run = run_in_turn);
/// The columns of the layout's string slots.
std::vector<data::Column> string_columns(const RecordLayout& layout, ExpressionCache& expressions);

}  // namespace coeval::kernel
