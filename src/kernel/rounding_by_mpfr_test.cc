#include "kernel/rounding_by_mpfr_for_tests.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <cmath>

namespace coeval::kernel::testing {

std::optional<std::int64_t> nearest_product(double x, std::int64_t factor) {
  mpfr_t product;
  mpfr_init2(product, 200);
  mpfr_set_d(product, x, MPFR_RNDN);
  mpfr_mul_si(product, product, factor, MPFR_RNDN);
  std::optional<std::int64_t> result;
  if (mpfr_number_p(product) != 0) {
    mpfr_rint(product, product, MPFR_RNDN);
    if (mpfr_fits_intmax_p(product, MPFR_RNDN) != 0) result = mpfr_get_sj(product, MPFR_RNDN);
  }
  mpfr_clear(product);
  return result;
}

double nearest_decimal(double x, std::int64_t digits) {
  if (!std::isfinite(x)) return x;
  mpfr_t value, power;
  mpfr_inits2(1200, value, power, static_cast<mpfr_ptr>(nullptr));
  mpfr_set_d(value, x, MPFR_RNDN);
  mpfr_ui_pow_ui(power, 10, static_cast<unsigned long>(std::abs(digits)), MPFR_RNDN);
  const auto scale = digits < 0 ? mpfr_div : mpfr_mul;
  const auto back = digits < 0 ? mpfr_mul : mpfr_div;
  scale(value, value, power, MPFR_RNDN);
  mpfr_round(value, value);
  back(value, value, power, MPFR_RNDN);
  const double rounded = std::copysign(mpfr_get_d(value, MPFR_RNDN), x);
  mpfr_clears(value, power, static_cast<mpfr_ptr>(nullptr));
  return rounded;
}

TEST_CASE("the oracle of rounding knows halves") {
  CHECK(nearest_product(0.5, 1) == 0);
  CHECK(nearest_product(1.5, 1) == 2);
  CHECK(nearest_product(0.25, 10) == 2);
  CHECK_FALSE(nearest_product(0x1p62, 2));
  CHECK(nearest_decimal(2.5, 0) == 3);
  CHECK(nearest_decimal(-25, -1) == -30);
}

}  // namespace coeval::kernel::testing
