#include "exact/float_maths.h"

#include <array>
#include <bit>
#include <cstdint>
#include <limits>

namespace coeval::exact {
namespace {

// The method is the textbook one for float32 in float64: a table cuts the argument down to a short
// interval, and a polynomial of degree 3 does the rest. The code is ours. The coefficients and the
// reciprocals below are what makes the GNU C library's result that library's: they were read as
// numbers from its libm, and no others give the same bits. (They are those of Arm's
// optimized-routines, MIT licence.)

/// 2^(i/32), each rounded once.
constexpr std::array<double, 32> kTwoToThe = {
    0x1.0000000000000p+0, 0x1.059b0d3158574p+0, 0x1.0b5586cf9890fp+0, 0x1.11301d0125b51p+0,
    0x1.172b83c7d517bp+0, 0x1.1d4873168b9aap+0, 0x1.2387a6e756238p+0, 0x1.29e9df51fdee1p+0,
    0x1.306fe0a31b715p+0, 0x1.371a7373aa9cbp+0, 0x1.3dea64c123422p+0, 0x1.44e086061892dp+0,
    0x1.4bfdad5362a27p+0, 0x1.5342b569d4f82p+0, 0x1.5ab07dd485429p+0, 0x1.6247eb03a5585p+0,
    0x1.6a09e667f3bcdp+0, 0x1.71f75e8ec5f74p+0, 0x1.7a11473eb0187p+0, 0x1.82589994cce13p+0,
    0x1.8ace5422aa0dbp+0, 0x1.93737b0cdc5e5p+0, 0x1.9c49182a3f090p+0, 0x1.a5503b23e255dp+0,
    0x1.ae89f995ad3adp+0, 0x1.b7f76f2fb5e47p+0, 0x1.c199bdd85529cp+0, 0x1.cb720dcef9069p+0,
    0x1.d5818dcfba487p+0, 0x1.dfc97337b9b5fp+0, 0x1.ea4afa2a490dap+0, 0x1.f50765b6e4540p+0};
constexpr double kStepsPerLog = 0x1.71547652b82fep+5;  ///< 32 / ln 2
/// 2^(r/32) = 1 + r (c2 + r (c1 + r c0)), for |r| <= 1/2.
constexpr double kExp0 = 0x1.c6af84b912394p-20, kExp1 = 0x1.ebfce50fac4f3p-13,
                 kExp2 = 0x1.62e42ff0c52d6p-6;

/// The two of all 2^32 arguments for which the library's own answer depends on the machine: with
/// and without fused multiplication. Ours is the answer with it, which every machine of today has.
struct Disputed {
  float x, result;
};
constexpr Disputed kDisputed[] = {{0x1.04845ep+5F, 0x1.f93e38p+46F},
                                  {-0x1.f8cbb2p+5F, 0x1.f45326p-92F}};

struct Reciprocal {
  double inverse;    ///< 1/c, for a c near the middle of the interval
  double logarithm;  ///< ln c
};
/// Sixteen intervals that cover [0.7, 1.4).
constexpr std::array<Reciprocal, 16> kReciprocals = {{
    {0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2},
    {0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2},
    {0x1.49539f0f010b0p+0, -0x1.01eae7f513a67p-2},
    {0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3},
    {0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3},
    {0x1.25e227b0b8ea0p+0, -0x1.1aa2bc79c8100p-3},
    {0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4},
    {0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4},
    {0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5},
    {0x1.0000000000000p+0, 0x0.0p+0},
    {0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5},
    {0x1.ca4b31f026aa0p-1, 0x1.c5e53aa362eb4p-4},
    {0x1.b2036576afce6p-1, 0x1.526e57720db08p-3},
    {0x1.9c2d163a1aa2dp-1, 0x1.bc2860d224770p-3},
    {0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2},
    {0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
}};
constexpr std::uint32_t kIntervalsBegin = 0x3f330000;  ///< the bits of the first interval's begin
constexpr double kLn2 = 0x1.62e42fefa39efp-1;
/// ln(1 + r) = r + r^2 (c2 + r (c1 + r c0)).
constexpr double kLog0 = -0x1.00ea348b88334p-2, kLog1 = 0x1.5575b0be00b6ap-2,
                 kLog2 = -0x1.ffffef20a4123p-2;

/// 2^exponent, for exponents that a float64 has.
double power_of_two(std::int64_t exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

}  // namespace

float expf(float x) {
  if (x != x) return x;
  if (x > 89.0f) return std::numeric_limits<float>::infinity();
  if (x < -104.0f) return 0.0f;
  for (const Disputed& disputed : kDisputed) {
    if (x == disputed.x) return disputed.result;
  }
  constexpr double kRounder = 0x1.8p+52;  // adding it leaves no bits behind the point
  const double scaled = kStepsPerLog * static_cast<double>(x);
  const double whole = scaled + kRounder - kRounder;
  const double r = scaled - whole;
  const auto steps = static_cast<std::int64_t>(whole);
  const double scale = kTwoToThe[static_cast<std::size_t>(steps & 31)] * power_of_two(steps >> 5);
  const double high = kExp0 * r + kExp1;
  const double low = kExp2 * r + 1.0;
  return static_cast<float>((high * (r * r) + low) * scale);
}

float logf(float x) {
  if (x != x || x == std::numeric_limits<float>::infinity() || x == 1.0f) {
    return x == 1.0f ? 0.0f : x;
  }
  if (x == 0.0f) return -std::numeric_limits<float>::infinity();
  if (x < 0.0f) return std::numeric_limits<float>::quiet_NaN();
  std::int32_t exponent = 0;
  if (x < std::numeric_limits<float>::min()) {
    x *= 0x1p23f;
    exponent = -23;
  }
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t from_begin = bits - kIntervalsBegin;
  exponent += static_cast<std::int32_t>(from_begin) >> 23;
  const Reciprocal& c = kReciprocals[(from_begin >> 19) & 15];
  const double z = std::bit_cast<float>(bits - (from_begin & 0xff80'0000u));
  const double r = z * c.inverse - 1.0;
  const double base = c.logarithm + static_cast<double>(exponent) * kLn2;
  const double r2 = r * r;
  const double tail = kLog0 * r2 + (kLog1 * r + kLog2);
  return static_cast<float>(tail * r2 + (base + r));
}

}  // namespace coeval::exact
