#pragma once

#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "quality/batch_checks.h"

namespace coeval::quality::for_tests {

using data::Value;
using define::Check;
using define::CheckKind;

/// Columns of the source of these tests, by their places.
enum Place : int { kAt, kId, kName, kX, kAmount, kTruth };

inline define::Source source() {
  define::Source source;
  source.name = "flights";
  source.time_index = kAt;
  const auto add = [&](std::string name, data::Type type) {
    define::SourceColumn column;
    column.name = std::move(name);
    column.type = type;
    column.nullable = true;
    source.schema.fields.push_back({column.name, type, true});
    source.columns.push_back(std::move(column));
  };
  add("at", data::Type::timestamp);
  add("id", data::Type::int64);
  add("name", data::Type::string);
  add("x", data::Type::float64);
  add("amount", data::decimal_type(9, 2));
  add("truth", data::Type::boolean);
  return source;
}

/// A row with its times and its place in the batch; unnamed columns are null.
struct Row {
  std::int64_t at = 0, known = 0, number = 0;
  std::vector<std::pair<int, Value>> values;
};

inline data::Batch batch_of(const define::Source& source, const std::vector<Row>& rows) {
  data::Batch batch{source.schema, {}, static_cast<std::int64_t>(rows.size())};
  for (std::size_t column = 0; column < source.columns.size(); ++column) {
    data::ColumnBuilder builder(source.columns[column].type);
    for (const Row& row : rows) {
      Value value;
      if (column == kAt) value = row.at;
      for (const auto& [place, given] : row.values)
        if (place == static_cast<int>(column)) value = given;
      builder.append(value);
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

inline void add(BatchAccumulator& to, const define::Source& source, const std::vector<Row>& rows,
                WorkerPool* pool = nullptr) {
  const data::Batch batch = batch_of(source, rows);
  std::vector<std::int64_t> known, numbers;
  for (const Row& row : rows) {
    known.push_back(row.known);
    numbers.push_back(row.number);
  }
  to.add({batch, known, numbers}, pool);
}

/// One row after another, numbered from 0, each known when it happened.
inline std::vector<Row> rows_of(int place, const std::vector<Value>& values) {
  std::vector<Row> rows;
  for (const Value& value : values) {
    const auto at = static_cast<std::int64_t>(rows.size());
    rows.push_back({at, at, at, {{place, value}}});
  }
  return rows;
}
inline std::vector<Row> rows_at(const std::vector<std::int64_t>& times) {
  std::vector<Row> rows;
  for (const std::int64_t time : times)
    rows.push_back({time, time, static_cast<std::int64_t>(rows.size()), {}});
  return rows;
}

inline Check check_of(CheckKind kind, std::vector<int> columns = {}) {
  Check check;
  check.name = "it";
  check.kind = kind;
  check.columns = std::move(columns);
  return check;
}

inline Result<ColumnReference> no_reference(const std::string&, const data::Field&) {
  return fail(Code::no_such_file, "there is no reference");
}

/// What one check finds in one piece.
inline BatchFinding found_by(const Check& check, const std::vector<Row>& rows,
                             const BatchContext& context = {},
                             const ReferenceReader& references = no_reference) {
  define::Source of = source();
  of.checks.push_back(check);
  const BatchChecks checks(of, define::Environment::train, references);
  BatchAccumulator accumulator = checks.start();
  add(accumulator, of, rows);
  return accumulator.finish(context).at(0);
}

}  // namespace coeval::quality::for_tests
