#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "data/column.h"
#include "define/expr.h"

namespace coeval::kernel {

/// Values that evaluation had to turn into null, counted so that a report can say so. (semantics:
/// V5)
struct EvaluationCounts {
  std::int64_t integer_overflows = 0;
  std::int64_t integer_zero_divisions = 0;
  std::int64_t failed_casts = 0;  ///< of `cast`, not `try_cast`
  std::int64_t long_texts = 0;    ///< kMaxTextBytes, kMaxResultBytes
  /// Not a null: answers of sketches, above the cap of distinct values. (semantics: A4)
  std::int64_t approximate_answers = 0;
  /// Texts that a result had no room for, beyond kMaxColumnBytes of distinct ones: who evaluates
  /// more than 2^17 rows refuses such a result.
  std::int64_t texts_without_room = 0;

  EvaluationCounts& operator+=(const EvaluationCounts& other) {
    integer_overflows += other.integer_overflows;
    integer_zero_divisions += other.integer_zero_divisions;
    failed_casts += other.failed_casts;
    long_texts += other.long_texts;
    approximate_answers += other.approximate_answers;
    texts_without_room += other.texts_without_room;
    return *this;
  }
  friend bool operator==(const EvaluationCounts&, const EvaluationCounts&) = default;
};

/// The longest text that a function makes, and the longest text or packed list that an expression
/// other than a bare column gives; a longer one is null, and counted.
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxResultBytes = std::size_t{1} << 14;
/// The text that one column can hold: its offsets are of 32 bits.
inline constexpr std::size_t kMaxColumnBytes = (std::size_t{1} << 31) - 1;

/// Evaluates a typed expression over the rows of a batch whose columns are those of the row schema
/// that the expression was checked against. `at` (one µs time a row) may be empty when the
/// expression does not read the question's time.
///
/// Null: three-valued logic (V4). Determinism: the same bits for one row or a million (A6); a NaN
/// that was computed is the one quiet NaN. The result has expr.type and batch.rows rows; a bare
/// column is returned without copying. Memory: beside the result, kTextBudgetBytes of text and a
/// few values a row of a block and node. A text result of more than `max_column_bytes` is coded,
/// each distinct text once; those that there is still no room for are null, and counted.
data::Column evaluate(const define::Expr& expr, const data::Batch& batch,
                      std::span<const std::int64_t> at, EvaluationCounts& counts,
                      std::size_t max_column_bytes = kMaxColumnBytes);

struct BlockLoops;
/// The same by loops of the caller's choice (block_loops.h): for tests and benches.
data::Column evaluate_by(const BlockLoops& loops, const define::Expr& expr,
                         const data::Batch& batch, std::span<const std::int64_t> at,
                         EvaluationCounts& counts, std::size_t max_column_bytes = kMaxColumnBytes);

}  // namespace coeval::kernel
