#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "define/expr.h"
#include "kernel/evaluate.h"

namespace coeval::kernel::testing {

/// A column of one row each.
inline data::Column column_of(data::Type type, const std::vector<data::Value>& values) {
  data::ColumnBuilder builder(type);
  for (const auto& value : values) builder.append(value);
  return builder.finish();
}

/// A batch with one column, called x.
inline data::Batch batch_of(data::Type type, const std::vector<data::Value>& values) {
  data::Batch batch;
  batch.schema = {{{"x", type, true}}};
  batch.columns.push_back(column_of(type, values));
  batch.rows = static_cast<std::int64_t>(values.size());
  return batch;
}

/// The expression's values over a batch.
inline data::Column evaluated(const std::string& text, const data::Batch& batch,
                              EvaluationCounts& counts) {
  const auto expr = define::compile_expression(text, batch.schema, false, "test");
  if (!expr) FAIL(text << ": " << one_line(expr.error()));
  return evaluate(**expr, batch, {}, counts);
}

/// The value of an expression that reads nothing, or a message where it is refused.
inline data::Value value_of(const std::string& text) {
  data::Batch batch;
  batch.rows = 1;
  EvaluationCounts counts;
  const auto expr = define::compile_expression(text, batch.schema, false, "test");
  if (!expr) return "refused: " + expr.error().message;
  return evaluate(**expr, batch, {}, counts).value(0);
}

}  // namespace coeval::kernel::testing
