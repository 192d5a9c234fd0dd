// Model rows: the question's columns, view values, and the inputs computed from both.
#include "base/check.h"
#include "kernel/kernel.h"

namespace coeval::kernel {

namespace {

std::string type_name(data::Type type) { return std::string(data::name(type)); }

data::Column nulls(data::Type type, std::int64_t rows) {
  data::ColumnBuilder builder(type);
  builder.reserve(rows);
  for (std::int64_t i = 0; i < rows; ++i) builder.append_null();
  return builder.finish();
}

std::int64_t first_null(const data::Column& column) {
  for (std::int64_t row = 0; column.has_nulls() && row < column.size(); ++row)
    if (column.is_null(row)) return row;
  return -1;
}

Result<data::Column> question_column(const data::Field& field, const data::Batch& questions) {
  const data::Column* column = questions.find(field.name);
  if (column == nullptr && field.nullable) return nulls(field.type, questions.rows);
  if (column == nullptr)
    return fail(Code::missing_value, "the question has no column '" + field.name + "'",
                "give it a value");
  if (column->type() != field.type)
    return fail(Code::type_mismatch, "column '" + field.name + "' must be " +
                                         type_name(field.type) + ", found " +
                                         type_name(column->type()));
  const std::int64_t row = field.nullable ? -1 : first_null(*column);
  if (row >= 0)
    return fail(Code::missing_value,
                "column '" + field.name + "' is null in question " + std::to_string(row),
                "give it a value, or declare the column nullable");
  return *column;
}

}  // namespace

Result<data::Batch> assemble_row(const define::RowSchema& row, const data::Batch& questions,
                                 std::span<const data::Column> view_columns) {
  COEVAL_CHECK(view_columns.size() == row.view_features.size());
  data::Batch out;
  out.schema = row.schema;
  out.rows = questions.rows;
  const std::size_t own = row.schema.fields.size() - view_columns.size();
  for (std::size_t i = 0; i < own; ++i) {
    COEVAL_ASSIGN(data::Column column, question_column(row.schema.fields[i], questions));
    out.columns.push_back(std::move(column));
  }
  for (std::size_t i = 0; i < view_columns.size(); ++i) {
    const data::Field& field = row.schema.fields[own + i];
    if (view_columns[i].type() != field.type)
      return fail(Code::type_mismatch, "feature '" + field.name + "' must be " +
                                           type_name(field.type) + ", found " +
                                           type_name(view_columns[i].type()));
    out.columns.push_back(view_columns[i]);
  }
  return out;
}

data::Batch evaluate_inputs(std::span<const define::Input> inputs, const data::Batch& row,
                            std::span<const std::int64_t> at_us, EvaluationCounts& counts) {
  data::Batch out;
  out.rows = row.rows;
  for (const auto& input : inputs) {
    out.schema.fields.push_back({input.name, input.type, true});
    out.columns.push_back(evaluate(*input.expr, row, at_us, counts));
  }
  return out;
}

}  // namespace coeval::kernel
