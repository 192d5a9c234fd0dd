#pragma once

#include <cstdint>
#include <optional>

namespace coeval::kernel::testing {

/// x · factor, exact, then rounded half to even; nothing when that is no int64.
std::optional<std::int64_t> nearest_product(double x, std::int64_t factor);

/// x · 10^digits, exact, rounded half away from zero; then the nearest float64 of the quotient,
/// with x's sign.
double nearest_decimal(double x, std::int64_t digits);

}  // namespace coeval::kernel::testing
