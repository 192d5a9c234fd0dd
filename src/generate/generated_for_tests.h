#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "data/column.h"
#include "generate/produce.h"

namespace coeval::generate {

/// All rows of a portion as one batch.
inline data::Batch rows_of(const Generator& generator, const Portion& portion = {},
                           int threads = 1) {
  const auto range = pieces_of(generator, portion);
  COEVAL_CHECK(range.has_value());
  std::vector<data::Batch> batches;
  const auto take = [&](const data::Batch& batch) -> Status {
    batches.push_back(batch);
    return {};
  };
  const auto produced =
      produce(generator, *range, threads, take, [](std::int64_t, std::int64_t) {});
  COEVAL_CHECK(produced.has_value());
  if (batches.empty()) return {generator.schema(range->first, range->end), {}, 0};
  auto all = data::concatenate(batches);
  COEVAL_CHECK(all.has_value());
  COEVAL_CHECK(all->rows == produced->rows);
  return std::move(*all);
}

/// A good generator out of a result.
inline std::unique_ptr<Generator> good(Result<std::unique_ptr<Generator>> made) {
  COEVAL_CHECK(made.has_value());
  return std::move(*made);
}

template <class T>
std::vector<T> numbers(const data::Batch& batch, const std::string& name) {
  const auto values = batch.find(name)->values<T>();
  return {values.begin(), values.end()};
}

inline std::vector<bool> booleans(const data::Batch& batch, const std::string& name) {
  std::vector<bool> all;
  for (std::int64_t row = 0; row < batch.rows; ++row) all.push_back(batch.find(name)->bit(row));
  return all;
}

}  // namespace coeval::generate
