#include "exact/integer_sum.h"

#include <array>

namespace coeval::exact {

double mean_slowly(Int128 sum, std::int64_t count) {
  __extension__ using Unsigned = unsigned __int128;
  const Unsigned magnitude =
      sum < 0 ? Unsigned{0} - static_cast<Unsigned>(sum) : static_cast<Unsigned>(sum);
  const std::array<std::uint64_t, 2> limbs = {static_cast<std::uint64_t>(magnitude),
                                              static_cast<std::uint64_t>(magnitude >> 64)};
  const double quotient = round_quotient(limbs, 0, static_cast<std::uint64_t>(count));
  return sum < 0 ? -quotient : quotient;
}

}  // namespace coeval::exact
