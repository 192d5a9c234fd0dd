#include "exact/integer_sum.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <limits>
#include <random>

namespace coeval::exact {
namespace {

double oracle(Int128 sum, std::int64_t count) {
  mpfr_t value, low, quotient;
  mpfr_init2(value, 200);
  mpfr_init2(low, 200);
  mpfr_init2(quotient, 53);
  mpfr_set_sj(value, static_cast<std::intmax_t>(sum >> 64), MPFR_RNDN);
  mpfr_mul_2ui(value, value, 64, MPFR_RNDN);
  mpfr_set_uj(low, static_cast<std::uint64_t>(sum), MPFR_RNDN);
  mpfr_add(value, value, low, MPFR_RNDN);
  mpfr_set_sj(low, count, MPFR_RNDN);
  mpfr_div(quotient, value, low, MPFR_RNDN);
  const double result = mpfr_get_d(quotient, MPFR_RNDN);
  mpfr_clears(value, low, quotient, static_cast<mpfr_ptr>(nullptr));
  return result;
}

TEST_CASE("the mean of integers is MPFR's quotient, rounded once") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    const auto high = static_cast<std::int64_t>(random());
    Int128 sum = (static_cast<Int128>(high) << 64) + static_cast<Int128>(random());
    sum >>= random() % 127;
    const auto count = 1 + static_cast<std::int64_t>(random() >> (1 + random() % 62));
    CHECK(mean(sum, count) == oracle(sum, count));
  }
}

TEST_CASE("a mean halfway between two float64 goes to the even one") {
  const Int128 odd = (static_cast<Int128>(1) << 54) + 1;  // / 2 = 2^53 + 1/2
  CHECK(mean(odd, 2) == 9007199254740992.0);
  CHECK(mean(odd + 2, 2) == 9007199254740994.0 - 0.0);
  CHECK(mean(-odd, 2) == -9007199254740992.0);
}

TEST_CASE("a sum beyond int64 is no int64") {
  const Int128 most = std::numeric_limits<std::int64_t>::max();
  CHECK(to_int64(most) == std::numeric_limits<std::int64_t>::max());
  CHECK_FALSE(to_int64(most + 1));
  CHECK(to_int64(-most - 1) == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(to_int64(-most - 2));
}

}  // namespace
}  // namespace coeval::exact
