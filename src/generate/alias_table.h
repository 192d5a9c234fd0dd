#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generate/philox.h"

namespace coeval::generate {

/// Picks one of n with given weights in constant time.
/// Source: Walker 1977, Vose 1991. Determinism: a function of the weights' bits.
class AliasTable {
 public:
  AliasTable() = default;
  /// Weights are finite, not negative, and not all zero; at most 2^31 of them.
  explicit AliasTable(std::span<const double> weights);
  /// Two words of a block, of which neither may be used for anything else.
  std::uint32_t pick(std::uint32_t column, std::uint32_t height) const {
    const Column& one = columns_[below(column, static_cast<std::uint32_t>(columns_.size()))];
    return height < one.share ? one.own : one.other;
  }
  /// Probability of each, as the table has it: for tests.
  std::vector<double> probabilities() const;

 private:
  struct Column {
    std::uint64_t share;  // of 2^32
    std::uint32_t own, other;
  };
  std::vector<Column> columns_;
};

/// Weights 1, 2^−s, 3^−s, …: few are popular, most are rare.
std::vector<double> zipf_weights(std::size_t n, double s);

}  // namespace coeval::generate
