#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace coeval::stats {

/// Rows that a linear model is fitted to: row-major float32, a cell that is not finite is missing.
struct LinearRows {
  std::span<const float> values;  ///< rows × width
  std::size_t width = 0;
  std::span<const double> labels;  ///< rows; 0 or 1 where the loss is logistic
  std::span<const float> weights;  ///< rows, from 0 on; empty: each row counts 1
  std::size_t rows() const { return labels.size(); }
  double weight(std::size_t row) const {
    return weights.empty() ? 1.0 : static_cast<double>(weights[row]);
  }
};

/// The most coefficients of one model: the solver keeps a square matrix of them.
inline constexpr std::size_t kMaxCoefficients = 2048;

/// How the input columns become the columns of the design, whose coefficients are fitted.
///
/// A number becomes (x − mean) / scale, where mean and scale (the standard deviation) are of the
/// rows that have it, by weight; one that never changes has no coefficient. A missing number is 0,
/// which is the mean. A category has a column for each code that the rows have, 0 or 1: not
/// standardised, so that a penalty shrinks rare ones most. Where a column had missing cells,
/// another 0 or 1 tells of them. The numbers come first, so that they lie side by side.
/// Determinism: sums run in the order of the rows.
class LinearDesign {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Column {
    bool categorical = false;
    double mean = 0, scale = 1;        ///< of a number
    std::uint32_t first = kNone;       ///< coefficient of a number, or of a category's code 0
    std::uint32_t levels = 0;          ///< codes of a category
    std::uint32_t indicator = kNone;   ///< coefficient of being missing
    double missing_share = 0;          ///< of the rows' weight
    std::vector<double> level_shares;  ///< of the rows' weight, by code
  };

  /// `categorical` has a flag for each column. Errors: no_rows without weight; training_failed for
  /// weights or labels that are not finite or weights below 0, and for more than kMaxCoefficients,
  /// naming the widest column by its place.
  static Result<LinearDesign> fit(const LinearRows& rows, const std::vector<bool>& categorical);

  const std::vector<Column>& columns() const { return columns_; }
  std::size_t numbers() const { return numbers_; }  ///< coefficients of numbers
  std::size_t size() const { return size_; }        ///< coefficients in all
  double weight() const { return weight_; }         ///< of all rows

  /// Writes a row's numbers() standardised numbers, and the places of its other columns that are 1,
  /// ascending, of which there are at most one an input. Returns how many places.
  std::size_t write(std::span<const float> row, std::span<double> numbers,
                    std::span<std::uint32_t> ones) const;

 private:
  Status measure(const LinearRows& rows);
  Status place();
  std::vector<Column> columns_;
  std::size_t numbers_ = 0, size_ = 0;
  double weight_ = 0;
};

}  // namespace coeval::stats
