#include "generate/normal_quantile.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

namespace coeval::generate {
namespace {

TEST_CASE("the normal quantile is undone by the C library's distribution function") {
  for (int i = 1; i < 2000; ++i) {
    for (const double p : {i / 2000.0, std::exp(-0.3 * i)}) {
      const double back = 0.5 * std::erfc(-normal_quantile(p) / std::sqrt(2.0));
      CHECK(std::abs(back / p - 1) < 1e-12);
    }
  }
}

TEST_CASE("the normal quantile has the values of tables, and is odd") {
  CHECK(normal_quantile(0.5) == 0);
  CHECK(std::abs(normal_quantile(0.975) - 1.959963984540054) < 1e-14);
  CHECK(std::abs(normal_quantile(1e-20) + 9.262340089798408) < 1e-13);
  for (const double p : {0.25, 0.0625, 0x1p-33})
    CHECK(normal_quantile(p) == -normal_quantile(1 - p));
}

}  // namespace
}  // namespace coeval::generate
