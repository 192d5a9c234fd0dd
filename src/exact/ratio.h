#pragma once

#include <optional>

#include "exact/exact_sum.h"
#include "exact/integer_sum.h"

namespace coeval::exact {

/// a / b of exact sums, the exact quotient rounded once to the nearest float64. (semantics: A7)
/// Null: b is 0. A sum with values that are not finite follows IEEE, its finite part ignored.
std::optional<double> ratio(const ExactSum& a, const ExactSum& b);
std::optional<double> ratio(const ExactSum& a, Int128 b);
std::optional<double> ratio(Int128 a, const ExactSum& b);
std::optional<double> ratio(Int128 a, Int128 b);

/// The same where each integer stands for itself divided by its unit, a positive power of ten.
std::optional<double> ratio(Int128 a, std::uint64_t a_unit, Int128 b, std::uint64_t b_unit);
std::optional<double> ratio(Int128 a, std::uint64_t a_unit, const ExactSum& b);
std::optional<double> ratio(const ExactSum& a, Int128 b, std::uint64_t b_unit);

}  // namespace coeval::exact
