#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "data/column.h"
#include "exact/moments.h"
#include "exact/product_sum.h"

namespace coeval::quality {

/// Pearson's correlation of two columns of numbers over the rows where both are there and finite:
/// (n·Σxy − Σx·Σy) / √((n·Σx² − (Σx)²)·(n·Σy² − (Σy)²)), the three differences exact. So the state
/// is a function of the multiset of pairs, as a profile's is (semantics: A1 A5), and nothing
/// cancels. Booleans count as 0 and 1, dates as days, timestamps as µs; an integer beyond 2^53 as
/// the nearest float64. Complexity: about 30 ns a pair of values.
class Correlation {
 public:
  /// Adds the rows of two columns of equal length, neither of texts nor of lists.
  void add(const data::Column& x, const data::Column& y);
  void merge(const Correlation& other);

  std::int64_t rows() const { return count_; }
  /// In [−1, 1], within 3 ulp of the exact quotient; the same bits on every machine. Null under two
  /// rows and where one column is constant.
  std::optional<double> value() const;

  /// Canonical bytes; read_bytes takes them off the front.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  std::int64_t count_ = 0;
  exact::ExactSum x_, y_;
  exact::SquareSum xx_, yy_;
  exact::ProductSum xy_;
};

/// One pair of a batch's columns.
struct CorrelatedColumns {
  int x = -1, y = -1;  ///< indexes of columns, x < y
  std::int64_t rows = 0;
  std::optional<double> value;
};
/// Of each two of the columns, ascending by x, then y. Errors: type_mismatch for a column of texts
/// or lists, unknown_column for an index that is none.
Result<std::vector<CorrelatedColumns>> correlations(const data::Batch& batch,
                                                    std::span<const int> columns,
                                                    WorkerPool* pool = nullptr);

}  // namespace coeval::quality
