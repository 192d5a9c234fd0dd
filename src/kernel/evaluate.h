#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "data/column.h"
#include "define/expr.h"

namespace coeval::kernel {

/// Values that arithmetic had to turn into null, counted so that a report can say so. (semantics:
/// V5)
struct EvaluationCounts {
  std::int64_t integer_overflows = 0;
  std::int64_t integer_zero_divisions = 0;

  EvaluationCounts& operator+=(const EvaluationCounts& other) {
    integer_overflows += other.integer_overflows;
    integer_zero_divisions += other.integer_zero_divisions;
    return *this;
  }
};

/// Evaluates a typed expression over the rows of a batch whose columns are those of the row schema
/// that the expression was checked against. `at` (one µs time a row) may be empty when the
/// expression does not read the question's time.
///
/// Null: three-valued logic (V4). Determinism: the same bits for one row or a million (A6). The
/// result has expr.type and batch.rows rows; a bare column is returned without copying.
data::Column evaluate(const define::Expr& expr, const data::Batch& batch,
                      std::span<const std::int64_t> at, EvaluationCounts& counts);

}  // namespace coeval::kernel
