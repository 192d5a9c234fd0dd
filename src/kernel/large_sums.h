#pragma once

#include <cstddef>
#include <vector>

#include "exact/exact_sum.h"
#include "exact/integer_sum.h"
#include "kernel/power_sum.h"
#include "kernel/record_layout.h"
#include "kernel/tally.h"

namespace coeval::kernel {

/// Running sums at the bounds of windows that are more than 64-bit integers, one bound after the
/// other: of 64-bit integers, reals and powers.
struct LargeSums {
  std::vector<exact::Int128> wide;
  std::vector<exact::ExactSum> reals;
  std::vector<PowerSum> powers;

  /// Whether a layout has any.
  static bool needed(const RecordLayout& layout) {
    return layout.summed_wide + layout.summed_real + layout.powers.size() > 0;
  }
  /// Sums of nothing at so many bounds.
  void start(const RecordLayout& layout, std::size_t bounds);
  /// Adds one record (sign 1) at a bound, or takes it away (−1).
  void count(const RecordLayout& layout, std::size_t bound, const std::byte* record,
             std::int64_t sign);
  /// The same with all events of a tally.
  void count(const RecordLayout& layout, std::size_t bound, TallyParts tally, std::int64_t sign);
};

/// What lies between two bounds, and what was folded before the first, which may be null.
struct LargeDifference {
  const LargeSums* sums;
  std::size_t now, then;  ///< bounds
  const Tally* base;

  exact::Int128 wide(std::size_t i, const RecordLayout& layout) const {
    return sums->wide[now * layout.summed_wide + i] - sums->wide[then * layout.summed_wide + i] +
           (base != nullptr ? base->wide[i] : 0);
  }
  exact::ExactSum real(std::size_t i, const RecordLayout& layout) const {
    exact::ExactSum sum = sums->reals[now * layout.summed_real + i];
    sum.unmerge(sums->reals[then * layout.summed_real + i]);
    if (base != nullptr) sum.merge(base->reals[i]);
    return sum;
  }
  PowerSum power(std::size_t i, const RecordLayout& layout) const {
    PowerSum sum = sums->powers[now * layout.powers.size() + i];
    sum.combine(sums->powers[then * layout.powers.size() + i], -1);
    if (base != nullptr) sum.combine(base->powers[i], 1);
    return sum;
  }
};

}  // namespace coeval::kernel
