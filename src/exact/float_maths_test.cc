// The GNU C library as oracle, which is what XGBoost calls. (semantics: A6)

#include "exact/float_maths.h"

#include <doctest/doctest.h>
#include <gnu/libc-version.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

namespace coeval::exact {
namespace {

/// Volatile, so that no compiler answers in the library's place.
float (*volatile const their_expf)(float) = ::expf;
float (*volatile const their_logf)(float) = ::logf;

bool same(float ours, float theirs) {
  return std::bit_cast<std::uint32_t>(ours) == std::bit_cast<std::uint32_t>(theirs) ||
         (ours != ours && theirs != theirs);
}

/// The library answers these two differently with and without fused multiplication, by one ulp.
bool is_disputed(float x) { return x == 0x1.04845ep+5F || x == -0x1.f8cbb2p+5F; }

bool same_at(std::uint32_t bits) {
  const float x = std::bit_cast<float>(bits);
#ifdef __x86_64__
  const bool fused = __builtin_cpu_supports("fma") != 0;
#else
  const bool fused = true;
#endif
  return (same(exact::expf(x), their_expf(x)) || (is_disputed(x) && !fused)) &&
         same(exact::logf(x), their_logf(x));
}

/// Every `step`-th of the 2^32 arguments, from `first` on.
std::uint64_t count_differences(std::uint64_t first, std::uint64_t step) {
  std::uint64_t differences = 0;
  for (std::uint64_t bits = first; bits < std::uint64_t{1} << 32; bits += step) {
    differences += same_at(static_cast<std::uint32_t>(bits)) ? 0 : 1;
  }
  return differences;
}

}  // namespace

TEST_CASE("expf and logf are the GNU C library's to the bit, on one argument in 997") {
  CHECK(count_differences(0, 997) == 0);
}

TEST_CASE("expf and logf are the GNU C library's to the bit, on all arguments") {
  if (std::getenv("COEVAL_EXHAUSTIVE") == nullptr) {
    MESSAGE("not all 2^32 arguments compared: set COEVAL_EXHAUSTIVE=1 (minutes)");
    return;
  }
  MESSAGE("glibc " << std::string(gnu_get_libc_version()));
  CHECK(count_differences(0, 1) == 0);
}

TEST_CASE("expf and logf at the ends of their ranges") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(exact::expf(0.0f) == 1.0f);
  CHECK(exact::expf(-0.0f) == 1.0f);
  CHECK(exact::expf(kInfinity) == kInfinity);
  CHECK(exact::expf(-kInfinity) == 0.0f);
  CHECK(exact::expf(88.72f) < kInfinity);
  CHECK(exact::expf(88.73f) == kInfinity);
  CHECK(exact::expf(-103.97f) == std::numeric_limits<float>::denorm_min());
  CHECK(exact::expf(-103.98f) == 0.0f);
  CHECK(exact::logf(1.0f) == 0.0f);
  CHECK(exact::logf(0.0f) == -kInfinity);
  CHECK(exact::logf(-0.0f) == -kInfinity);
  CHECK(exact::logf(kInfinity) == kInfinity);
  CHECK(std::isnan(exact::logf(-1.0f)));
  CHECK(std::isnan(exact::logf(-kInfinity)));
  CHECK(std::isnan(exact::logf(std::nanf(""))));
  CHECK(std::isnan(exact::expf(std::nanf(""))));
  // Neighbours of every power of two, both signs.
  for (std::uint32_t exponent = 0; exponent < 256; ++exponent) {
    for (const std::uint32_t sign : {0u, 0x8000'0000u}) {
      for (const int near : {-2, -1, 0, 1, 2}) {
        CHECK(same_at((sign | exponent << 23) + static_cast<std::uint32_t>(near)));
      }
    }
  }
}

}  // namespace coeval::exact
