#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace coeval::stats {

/// A symmetric matrix, kept as its lower triangle in whole rows: row r has its columns 0 … r, and
/// room for the others.
class SymmetricMatrix {
 public:
  explicit SymmetricMatrix(std::size_t size = 0) : size_(size), cells_(size * size) {}
  std::size_t size() const { return size_; }
  double* row(std::size_t index) { return cells_.data() + index * size_; }
  const double* row(std::size_t index) const { return cells_.data() + index * size_; }
  double& at(std::size_t row, std::size_t column) { return cells_[row * size_ + column]; }
  double at(std::size_t row, std::size_t column) const { return cells_[row * size_ + column]; }
  void clear() { cells_.assign(cells_.size(), 0.0); }
  void add(const SymmetricMatrix& other) {
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] += other.cells_[i];
  }
  /// Copies the lower triangle to the upper.
  void mirror();

 private:
  std::size_t size_;
  std::vector<double> cells_;
};

/// Solves A x = b by Cholesky, in place of both: `matrix` becomes the factor, `right` becomes x.
/// The lower triangle is read. Returns false when a pivot is not above 0: A is not positive
/// definite. Determinism: sums in eight lanes of a fixed order.
bool solve_positive(SymmetricMatrix& matrix, std::span<double> right);

}  // namespace coeval::stats
