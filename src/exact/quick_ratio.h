#pragma once

#include <optional>

#include "exact/integer_sum.h"

namespace coeval::exact {

/// a / b rounded once to the nearest float64, ties to even, as round_ratio() has it, where some
/// hundred bits decide that; nothing where they do not, or where a or b has more than 126 bits.
/// b > 0.
std::optional<double> quick_ratio(Int128 a, Int128 b);
/// Its square root, likewise; a ≥ 0.
std::optional<double> quick_root_of_ratio(Int128 a, Int128 b);

/// a · b where it surely has no more than 126 bits.
std::optional<Int128> short_product(Int128 a, Int128 b);

}  // namespace coeval::exact
