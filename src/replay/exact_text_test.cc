#include "replay/exact_text.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

namespace coeval::replay {
namespace {

// glibc prints every decimal of a double.
std::string printed(double x) {
  std::string text(1500, '\0');
  const int length = std::snprintf(text.data(), text.size(), "%.1074f", x);
  text.resize(static_cast<std::size_t>(length));
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string all_digits(double x) {
  exact::ExactSum sum;
  sum.add(x);
  const auto total = sum.total();
  return exact_text(total, -1074, 2000);
}

TEST_CASE("a double's decimals are those that the C library prints") {
  for (const double x :
       {0.0, 1.0, -1.0, 0.1, 1e308, -1e-300, 5e-324, 123456.75, 1e22, 9007199254740993.0})
    CHECK(all_digits(x) == printed(x));
  std::mt19937_64 random(3);
  for (int i = 0; i < 300;) {
    const double x = std::bit_cast<double>(random());
    if (!std::isfinite(x)) continue;
    CHECK(all_digits(x) == printed(x));
    ++i;
  }
}

TEST_CASE("long fractions are cut and marked, whole digits never") {
  exact::ExactSum sum;
  sum.add(0.1);
  CHECK(exact_text(sum) == "0.1000000000000000055511151231257827021181…");
  sum.add(-0.1);
  CHECK(exact_text(sum) == "0");
  sum.add(1e60);
  CHECK(exact_text(sum) == printed(1e60));
  CHECK(exact_text(sum).size() == 60);
  sum.add(std::numeric_limits<double>::infinity());
  CHECK(exact_text(sum) == "Infinity");
}

TEST_CASE("128-bit integers print as they are") {
  CHECK(exact_text(exact::Int128{0}) == "0");
  CHECK(exact_text(exact::Int128{-12}) == "-12");
  CHECK(exact_text(exact::Int128{INT64_MIN} * 10) == "-92233720368547758080");
}

}  // namespace
}  // namespace coeval::replay
