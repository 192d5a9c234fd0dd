#include "kernel/maths_functions.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "kernel/evaluated_for_tests.h"
#include "kernel/rounding_by_mpfr_for_tests.h"

namespace coeval::kernel {
namespace {

using data::Type;
using data::Value;
using testing::evaluated;
using testing::value_of;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A number of 400 bits.
class Number {
 public:
  Number() { mpfr_init2(value, 400); }
  explicit Number(double x) : Number() { mpfr_set_d(value, x, MPFR_RNDN); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  ~Number() { mpfr_clear(value); }
  double nearest() const { return mpfr_get_d(value, MPFR_RNDN); }
  mpfr_t value;
};

// Places of two numbers among the float64s.
std::int64_t place(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits < 0 ? INT64_MIN - bits : bits;
}
std::int64_t ulps(double a, double b) { return std::abs(place(a) - place(b)); }

void check_near(double found, double expected) {
  if (std::isnan(expected))
    REQUIRE(std::bit_cast<std::uint64_t>(found) == 0x7FF8000000000000);
  else
    REQUIRE(ulps(found, expected) <= 1);
}

using Oracle = int (*)(mpfr_t, const mpfr_t, mpfr_rnd_t);
struct Named {
  const char* text;
  Oracle oracle;
};

data::Batch random_numbers(std::mt19937_64& random, int rows) {
  data::Batch batch;
  batch.schema = {{{"x", Type::float64, false}, {"y", Type::float64, false}}};
  for (int column = 0; column < 2; ++column) {
    std::vector<Value> values = {
        0.0, -0.0, 1.0, -1.0, 0.5, kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()};
    while (static_cast<int>(values.size()) < rows) {
      const double unit = static_cast<double>(random() >> 11) * 0x1p-53 - 0.5;
      const double scale = std::array{2.0, 2.0, 40.0, 1400.0}[random() % 4];
      values.emplace_back(random() % 4 == 0 ? std::bit_cast<double>(random()) : unit * scale);
    }
    batch.columns.push_back(testing::column_of(Type::float64, values));
  }
  batch.rows = rows;
  return batch;
}

TEST_CASE("functions of one number are within a unit in the last place of MPFR") {
  std::mt19937_64 random(21);
  const data::Batch batch = random_numbers(random, 4000);
  for (const auto& [text, oracle] :
       {Named{"exp(x)", mpfr_exp}, Named{"expm1(x)", mpfr_expm1}, Named{"log(x)", mpfr_log},
        Named{"log2(x)", mpfr_log2}, Named{"log10(x)", mpfr_log10}, Named{"log1p(x)", mpfr_log1p},
        Named{"sin(x)", mpfr_sin}, Named{"cos(x)", mpfr_cos}, Named{"tan(x)", mpfr_tan},
        Named{"asin(x)", mpfr_asin}, Named{"acos(x)", mpfr_acos}, Named{"atan(x)", mpfr_atan},
        Named{"tanh(x)", mpfr_tanh}, Named{"sqrt(x)", mpfr_sqrt}}) {
    CAPTURE(text);
    EvaluationCounts counts;
    const data::Column found = evaluated(text, batch, counts);
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      const Number x(batch.columns[0].real(row));
      Number expected;
      oracle(expected.value, x.value, MPFR_RNDN);
      INFO(batch.columns[0].real(row));
      check_near(found.real(row), expected.nearest());
    }
    CHECK(counts == EvaluationCounts{});
  }
}

TEST_CASE("powers and angles are within a unit in the last place of MPFR") {
  std::mt19937_64 random(22);
  const data::Batch batch = random_numbers(random, 8000);
  EvaluationCounts counts;
  const data::Column powers = evaluated("pow(x, y)", batch, counts);
  const data::Column angles = evaluated("atan2(x, y)", batch, counts);
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    const Number x(batch.columns[0].real(row)), y(batch.columns[1].real(row));
    Number expected;
    mpfr_pow(expected.value, x.value, y.value, MPFR_RNDN);
    check_near(powers.real(row), expected.nearest());
    mpfr_atan2(expected.value, x.value, y.value, MPFR_RNDN);
    check_near(angles.real(row), expected.nearest());
  }
}

// The haversine formula in 400 bits.
double distance_by_mpfr(double lat1, double lon1, double lat2, double lon2) {
  Number radian, a(lat1), b(lat2), north(lat2), east(lon2), product;
  mpfr_const_pi(radian.value, MPFR_RNDN);
  mpfr_div_ui(radian.value, radian.value, 180, MPFR_RNDN);
  const auto half_sine_squared = [&](Number& difference, double subtrahend) {
    mpfr_sub_d(difference.value, difference.value, subtrahend, MPFR_RNDN);
    mpfr_mul(difference.value, difference.value, radian.value, MPFR_RNDN);
    mpfr_div_ui(difference.value, difference.value, 2, MPFR_RNDN);
    mpfr_sin(difference.value, difference.value, MPFR_RNDN);
    mpfr_sqr(difference.value, difference.value, MPFR_RNDN);
  };
  half_sine_squared(north, lat1);
  half_sine_squared(east, lon1);
  for (Number* angle : {&a, &b}) {
    mpfr_mul(angle->value, angle->value, radian.value, MPFR_RNDN);
    mpfr_cos(angle->value, angle->value, MPFR_RNDN);
  }
  mpfr_mul(product.value, a.value, b.value, MPFR_RNDN);
  mpfr_mul(product.value, product.value, east.value, MPFR_RNDN);
  mpfr_add(product.value, product.value, north.value, MPFR_RNDN);
  mpfr_sqrt(product.value, product.value, MPFR_RNDN);
  mpfr_asin(product.value, product.value, MPFR_RNDN);
  mpfr_mul_d(product.value, product.value, 2 * 6371.0088, MPFR_RNDN);
  return product.nearest();
}

TEST_CASE("distances are true to a nanometre, between near points to their last digits") {
  std::mt19937_64 random(23);
  const auto degrees = [&](double size) {
    return (static_cast<double>(random() >> 11) * 0x1p-52 - 1) * size;
  };
  for (int i = 0; i < 20'000; ++i) {
    const double lat1 = degrees(90), lon1 = degrees(180);
    const double nearness = i % 2 == 0 ? 1 : std::pow(10, -static_cast<double>(random() % 7));
    const double lat2 = i % 2 == 0 ? degrees(90) : lat1 + degrees(nearness);
    const double lon2 = i % 2 == 0 ? degrees(180) : lon1 + degrees(nearness);
    const double expected = distance_by_mpfr(lat1, lon1, lat2, lon2);
    const double found = haversine_km(lat1, lon1, lat2, lon2);
    // Near the antipode a rounding in the sum moves the distance by more.
    const double allowed = expected < 19'000 ? expected * 1e-14 : 1e-7;
    CAPTURE(expected);
    REQUIRE(std::fabs(found - expected) <= allowed);
  }
  CHECK(haversine_km(50, 8, 50, 8) == 0);
  CHECK(haversine_km(0, 0, 0, 180) ==
        doctest::Approx(6371.0088 * 3.141592653589793).epsilon(1e-12));
  CHECK(haversine_km(90, 0, -90, 0) ==
        doctest::Approx(6371.0088 * 3.141592653589793).epsilon(1e-12));
  CHECK(std::isnan(haversine_km(kInfinity, 0, 0, 0)));
}

TEST_CASE("rounding is that of the exact value, whatever its size") {
  std::mt19937_64 random(24);
  for (int i = 0; i < 200'000; ++i) {
    const int digits = static_cast<int>(random() % 31) - 15;
    double x = std::bit_cast<double>(random());
    if (i % 4 != 0) {  // near a half of the last digit asked for
      const double halves =
          static_cast<double>(static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000) + 0.5;
      x = halves * std::pow(10, -digits);
      for (std::uint64_t step = random() % 3; step > 0; --step)
        x = std::nextafter(x, i % 8 < 4 ? 1e300 : -1e300);
    }
    if (i % 16 == 1) x = static_cast<double>(random() >> 10) / std::pow(10, digits);  // around 2^53
    if (std::isnan(x)) continue;
    CAPTURE(x);
    CAPTURE(digits);
    const double found = round_to(x, digits);
    if (std::isinf(x))
      REQUIRE(found == x);
    else
      REQUIRE(std::bit_cast<std::uint64_t>(found) ==
              std::bit_cast<std::uint64_t>(testing::nearest_decimal(x, digits)));
  }
}

TEST_CASE("known roundings") {
  const auto real = [](double value) { return Value{value}; };
  CHECK(value_of("round(2.5)") == real(3));
  CHECK(value_of("round(-0.5)") == real(-1));
  CHECK(value_of("round(0.49999999999999994)") == real(0));
  CHECK(value_of("round(1250.0, -2)") == real(1300));
  CHECK(value_of("round(1e300, 2)") == real(1e300));
  // The exact values of these are a little below and above the half.
  CHECK(value_of("round(1.005, 2)") == real(1));
  CHECK(value_of("round(2.675, 2)") == real(2.67));
  CHECK(value_of("round(2.345, 2)") == real(2.35));
  CHECK(value_of("round(1250, -2)") == Value{std::int64_t{1300}});
  CHECK(value_of("round(-1250, -2)") == Value{std::int64_t{-1300}});
  CHECK(value_of("round(1249, -2)") == Value{std::int64_t{1200}});
  CHECK(value_of("round(7, 3)") == Value{std::int64_t{7}});
  const data::Batch batch = testing::batch_of(Type::int64, {INT64_MAX, INT64_MIN});
  EvaluationCounts counts;
  CHECK(evaluated("round(x, -1)", batch, counts).is_null(0));
  CHECK(counts.integer_overflows == 2);
  CHECK(evaluated("round(x, -2)", batch, counts).value(0) == Value{INT64_MAX - 7});
}

TEST_CASE("whole parts keep the sign of zero") {
  const auto bits = [](const std::string& text) {
    return std::bit_cast<std::uint64_t>(std::get<double>(value_of(text)));
  };
  const std::uint64_t minus_zero = std::bit_cast<std::uint64_t>(-0.0);
  CHECK(bits("ceil(-0.5)") == minus_zero);
  CHECK(bits("trunc(-0.5)") == minus_zero);
  CHECK(bits("floor(-0.0)") == minus_zero);
  CHECK(bits("round(-0.4)") == minus_zero);
  CHECK(bits("sign(-0.0)") == 0);
  CHECK(value_of("floor(-0.5)") == Value{-1.0});
  CHECK(value_of("floor(2251799813685249.5)") == Value{2251799813685249.0});
}

}  // namespace
}  // namespace coeval::kernel
