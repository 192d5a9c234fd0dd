#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "exact/exact_sum.h"
#include "exact/integer_sum.h"

namespace coeval::replay {

/// The decimal digits of limbs · 2^exponent, two's complement, lowest limb first: all of them up to
/// `digits` significant ones, after which stands "…". Exact: nothing is rounded.
std::string exact_text(std::span<const std::uint64_t> limbs, int exponent, std::size_t digits = 40);
std::string exact_text(exact::Int128 value);
/// NaN and infinities by name.
std::string exact_text(const exact::ExactSum& sum);

}  // namespace coeval::replay
