#include "stats/symmetric_matrix.h"

#include <array>
#include <cmath>

namespace coeval::stats {
namespace {

// Eight sums side by side, for the compiler may not reorder one.
double dot(const double* a, const double* b, std::size_t count) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  double rest = 0;
  for (; i < count; ++i) rest += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) +
         rest;
}

bool factor(SymmetricMatrix& matrix) {
  for (std::size_t row = 0; row < matrix.size(); ++row) {
    double* of_row = matrix.row(row);
    for (std::size_t column = 0; column < row; ++column) {
      const double* of_column = matrix.row(column);
      of_row[column] = (of_row[column] - dot(of_row, of_column, column)) / of_column[column];
    }
    const double pivot = of_row[row] - dot(of_row, of_row, row);
    if (!(pivot > 0) || !std::isfinite(pivot)) return false;
    of_row[row] = std::sqrt(pivot);
  }
  return true;
}

}  // namespace

void SymmetricMatrix::mirror() {
  for (std::size_t row = 0; row < size_; ++row)
    for (std::size_t column = 0; column < row; ++column) at(column, row) = at(row, column);
}

bool solve_positive(SymmetricMatrix& matrix, std::span<double> right) {
  if (!factor(matrix)) return false;
  const std::size_t size = matrix.size();
  for (std::size_t row = 0; row < size; ++row)
    right[row] = (right[row] - dot(matrix.row(row), right.data(), row)) / matrix.at(row, row);
  for (std::size_t row = size; row-- > 0;) {
    right[row] /= matrix.at(row, row);
    for (std::size_t above = 0; above < row; ++above)
      right[above] -= matrix.at(row, above) * right[row];
  }
  return true;
}

}  // namespace coeval::stats
