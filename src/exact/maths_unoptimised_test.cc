// The elementary functions once more, in a namespace of their own and compiled with -O0 (see
// CMakeLists.txt): maths_test.cc wants the same bits from both.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

// NOLINTBEGIN(bugprone-suspicious-include)
#define exact exact_unoptimised
#include "exact/maths_arc.cc"
#include "exact/maths_circle.cc"
#include "exact/maths_exp.cc"
#include "exact/maths_log.cc"
#include "exact/maths_pow.cc"
#undef exact
// NOLINTEND(bugprone-suspicious-include)

namespace coeval::exact {

// In the order of maths_test.cc's kFunctions.
double unoptimised(std::size_t function, double x, double y) {
  namespace copy = coeval::exact_unoptimised;
  switch (function) {
    case 0:
      return copy::exp(x);
    case 1:
      return copy::expm1(x);
    case 2:
      return copy::log(x);
    case 3:
      return copy::log1p(x);
    case 4:
      return copy::log2(x);
    case 5:
      return copy::log10(x);
    case 6:
      return copy::pow(x, y);
    case 7:
      return copy::sin(x);
    case 8:
      return copy::cos(x);
    case 9:
      return copy::tan(x);
    case 10:
      return copy::asin(x);
    case 11:
      return copy::acos(x);
    case 12:
      return copy::atan(x);
    case 13:
      return copy::atan2(x, y);
    default:
      return copy::tanh(x);
  }
}

}  // namespace coeval::exact
