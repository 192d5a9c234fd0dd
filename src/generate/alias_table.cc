#include "generate/alias_table.h"

#include "exact/maths.h"

namespace coeval::generate {

AliasTable::AliasTable(std::span<const double> weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  const auto n = static_cast<std::uint32_t>(weights.size());
  std::vector<double> left(n);
  std::vector<std::uint32_t> small, large;
  for (std::uint32_t i = 0; i < n; ++i) {
    left[i] = weights[i] * n / sum;
    (left[i] < 1 ? small : large).push_back(i);
    columns_.push_back({std::uint64_t{1} << 32, i, i});
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back(), rich = large.back();
    small.pop_back();
    columns_[poor] = {static_cast<std::uint64_t>(left[poor] * 0x1p32), poor, rich};
    left[rich] -= 1 - left[poor];
    if (left[rich] < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
}

std::vector<double> AliasTable::probabilities() const {
  std::vector<double> all(columns_.size());
  for (const Column& column : columns_) {
    const double own = static_cast<double>(column.share) * 0x1p-32;
    all[column.own] += own / static_cast<double>(columns_.size());
    all[column.other] += (1 - own) / static_cast<double>(columns_.size());
  }
  return all;
}

std::vector<double> zipf_weights(std::size_t n, double s) {
  std::vector<double> weights(n);
  for (std::size_t i = 0; i < n; ++i) weights[i] = exact::pow(static_cast<double>(i + 1), -s);
  return weights;
}

}  // namespace coeval::generate
