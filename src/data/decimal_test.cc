#include "data/decimal.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "data/cell_text.h"
#include "data/json.h"
#include "data/text_tables.h"

namespace coeval::data {

namespace {

constexpr Type kMoney = decimal_type(12, 2);

std::string read(std::string_view text, Type type = kMoney) {
  std::int64_t scaled = 0;
  switch (read_decimal(text, type, scaled)) {
    case DecimalFault::no_number:
      return "no number";
    case DecimalFault::too_fine:
      return "too fine";
    case DecimalFault::too_large:
      return "too large";
    case DecimalFault::none:
      break;
  }
  return decimal_text(scaled, scale_of(type));
}

std::int64_t random_scaled(std::mt19937_64& rng) {
  const auto digits = static_cast<int>(rng() % 19);
  const std::int64_t bound = power_of_ten(digits);
  return static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(2 * bound - 1)) - bound + 1;
}

}  // namespace

TEST_CASE("a decimal type has a name, digits and a scale of its own") {
  CHECK(name(kMoney) == "decimal(12,2)");
  CHECK(parse_type("decimal(12,2)") == kMoney);
  CHECK(parse_type("decimal( 18 , 18 )") == decimal_type(18, 18));
  CHECK(precision_of(kMoney) == 12);
  CHECK(scale_of(kMoney) == 2);
  CHECK(width(kMoney) == 8);
  CHECK_FALSE(is_decimal(Type::null));
  CHECK(is_decimal(decimal_type(1, 0)));
  CHECK(scale_of(Type::int64) == 0);
  for (const char* text : {"decimal", "decimal(0,0)", "decimal(19,0)", "decimal(4,5)", "decimal(4)",
                           "decimal(4,-1)", "decimal(4,2)x", "decimal(4,2", "decimal()"})
    CHECK_FALSE(parse_type(text).has_value());
}

TEST_CASE("a decimal is read from its digits, all of them") {
  CHECK(read("12.30") == "12.30");
  CHECK(read("12.3000") == "12.30");
  CHECK(read("0.07") == "0.07");
  CHECK(read("-0.07") == "-0.07");
  CHECK(read("-0") == "0.00");
  CHECK(read(".5") == "0.50");
  CHECK(read("5.") == "5.00");
  CHECK(read("1.25e2") == "125.00");
  CHECK(read("12500e-4") == "1.25");
  CHECK(read("0e99999999999999999999") == "0.00");
  CHECK(read("9999999999.99") == "9999999999.99");
  CHECK(read("00000000000000000000000000001.5") == "1.50");
  CHECK(read("0.1000000000000000055511151231257827") == "too fine");
  CHECK(read("1e-400") == "too fine");
  CHECK(read("0.001") == "too fine");
  CHECK(read("10000000000") == "too large");
  CHECK(read("1e400") == "too large");
  CHECK(read("-1e10") == "too large");
  CHECK(read("999999999999999999", decimal_type(18, 0)) == "999999999999999999");
  CHECK(read("0.999999999999999999", decimal_type(18, 18)) == "0.999999999999999999");
  CHECK(read("1", decimal_type(18, 18)) == "too large");
  for (const char* text : {"", "-", ".", "e5", "1e", "1e+", "1.2.3", "+1", " 1", "1 ", "0x10",
                           "inf", "nan", "1,5", "--1"})
    CHECK(read(text) == "no number");
}

TEST_CASE("a decimal without a type has the digits that are written") {
  Type type = Type::null;
  std::int64_t scaled = 0;
  REQUIRE(read_any_decimal("12.30", type, scaled));
  CHECK(type == decimal_type(4, 2));
  CHECK(scaled == 1230);
  REQUIRE(read_any_decimal("0.05", type, scaled));
  CHECK(type == decimal_type(2, 2));
  REQUIRE(read_any_decimal("-0", type, scaled));
  CHECK(type == decimal_type(1, 0));
  REQUIRE(read_any_decimal("1000", type, scaled));
  CHECK(type == decimal_type(4, 0));
  CHECK(scaled == 1000);
  REQUIRE(read_any_decimal("0.000000000000000001", type, scaled));
  CHECK(type == decimal_type(18, 18));
  CHECK_FALSE(read_any_decimal("1000000000000000000", type, scaled));
  CHECK_FALSE(read_any_decimal("0.0000000000000000001", type, scaled));
  CHECK_FALSE(read_any_decimal("1e3", type, scaled));
  CHECK_FALSE(read_any_decimal("", type, scaled));
}

TEST_CASE("a decimal becomes the nearest float, as the reader of its text has it") {
  std::mt19937_64 rng(11);
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t scaled = random_scaled(rng);
    const auto scale = static_cast<int>(rng() % 19);
    const std::string text = decimal_text(scaled, scale);
    REQUIRE(decimal_to_real(scaled, scale) == std::strtod(text.c_str(), nullptr));
    REQUIRE(decimal_to_float(scaled, scale) == std::strtof(text.c_str(), nullptr));
    std::int64_t again = 0;
    REQUIRE(read_decimal(text, decimal_type(18, scale), again) == DecimalFault::none);
    REQUIRE(again == scaled);
  }
}

// glibc prints the exact value of a double, rounded half to even.
TEST_CASE("a float becomes the nearest decimal, half to even by its exact value") {
  std::mt19937_64 rng(12);
  for (int i = 0; i < 200'000; ++i) {
    double value = 0;
    switch (rng() % 3) {
      case 0:
        value =
            static_cast<double>(random_scaled(rng)) / std::pow(10, static_cast<double>(rng() % 19));
        break;
      case 1:
        value = std::ldexp(static_cast<double>(rng() % 4096), -static_cast<int>(rng() % 14));
        break;
      default:
        value = std::ldexp(static_cast<double>(rng() >> 11), static_cast<int>(rng() % 200) - 180);
    }
    if (rng() % 2 == 0) value = -value;
    const auto scale = static_cast<int>(rng() % 19);
    const Type type = decimal_type(18, scale);
    char text[400];
    std::snprintf(text, sizeof text, "%.*f", scale, value);
    std::int64_t expected = 0, found = 0;
    const bool fits = read_decimal(text, type, expected) == DecimalFault::none;
    REQUIRE(decimal_of_real(value, type, found) == fits);
    if (fits) REQUIRE(found == expected);
  }
  std::int64_t found = 0;
  for (const double none :
       {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL, -HUGE_VAL, 1e18, 1e300})
    CHECK_FALSE(decimal_of_real(none, decimal_type(18, 0), found));
  CHECK(decimal_of_real(5e-324, decimal_type(18, 18), found));
  CHECK(found == 0);
}

TEST_CASE("another scale is exact or half to even, and must have room") {
  std::int64_t out = 0;
  CHECK(rescaled(125, 2, decimal_type(4, 1), out));
  CHECK(out == 12);
  CHECK(rescaled(135, 2, decimal_type(4, 1), out));
  CHECK(out == 14);
  CHECK(rescaled(-125, 2, decimal_type(4, 1), out));
  CHECK(out == -12);
  CHECK(rescaled(-126, 2, decimal_type(4, 1), out));
  CHECK(out == -13);
  CHECK(rescaled(5, 0, decimal_type(18, 17), out));
  CHECK(out == 500'000'000'000'000'000);
  CHECK_FALSE(rescaled(10, 0, decimal_type(18, 17), out));
  CHECK_FALSE(rescaled(995, 1, decimal_type(2, 0), out));  // 99.5 → 100
}

TEST_CASE("JSON gives and takes decimals by their digits, as numbers and as texts") {
  CHECK(to_json(Value{std::int64_t{1230}}, kMoney).dump() == "12.30");
  CHECK(to_json(Value{std::int64_t{-5}}, kMoney).dump() == "-0.05");
  CHECK(to_json(Value{std::int64_t{7}}, decimal_type(3, 0)).dump() == "7");
  CHECK(to_json(Value{}, kMoney).dump() == "null");
  const Type wide = decimal_type(18, 16);
  const auto one = [&](std::string_view text) {
    const auto json = parse_json(text, {}, {.numbers = true});
    REQUIRE(json.has_value());
    return from_json(*json, wide);
  };
  CHECK(one("0.1000000000000001") == Value{std::int64_t{1'000'000'000'000'001}});
  CHECK(one("\"0.1000000000000001\"") == Value{std::int64_t{1'000'000'000'000'001}});
  CHECK(one("12") == Value{std::int64_t{120'000'000'000'000'000}});
  CHECK(one("1.2e1") == Value{std::int64_t{120'000'000'000'000'000}});
  // A float64 does not tell these from 0.1.
  for (const char* text : {"0.10000000000000001", "0.1000000000000000055511151231257827"})
    CHECK(one(text).error().code == Code::out_of_range);
  CHECK(one("100.5").error().message == "does not fit decimal(18,16): 100.5");
  CHECK(one("true").error().message == "expected decimal(18,16), found a boolean: true");
  CHECK(one("\"x\"").error().code == Code::type_mismatch);
}

TEST_CASE("text tables hold decimals exactly, and name what they cannot hold") {
  const Schema schema{{{"d", decimal_type(18, 17), true}}};
  const auto csv =
      read_csv("d\n0.12345678901234567\n\n1e-17\n12\n\"-9.99999999999999999\"\n", schema);
  REQUIRE(csv.has_value());
  REQUIRE(csv->rows.rows == 4);
  CHECK(csv->rows.columns[0].integer(0) == 12'345'678'901'234'567);
  CHECK(csv->rows.columns[0].is_null(1));
  CHECK(csv->rows.columns[0].integer(2) == 1);
  CHECK(csv->rows.columns[0].integer(3) == -999'999'999'999'999'999);
  REQUIRE(csv->bad.size() == 1);
  CHECK(csv->bad[0].reason == "d: does not fit decimal(18,17): '12' (byte 29)");
  CHECK(write_csv(csv->rows) ==
        "d\n0.12345678901234567\n\n0.00000000000000001\n-9.99999999999999999\n");
  const auto lines = read_jsonl(write_jsonl(csv->rows), schema);
  REQUIRE(lines.has_value());
  CHECK(lines->bad.empty());
  CHECK(write_csv(lines->rows) == write_csv(csv->rows));
}

TEST_CASE("the text of a number or of a member is what was written, wherever it stands") {
  const std::string text =
      R"( {"a" : [1.50, -2e0 ,{"b":"]}\"", "c":3.0}], "p" : {"x" : [ 1 , "}" ] , "y":2.50 } ,"p2":null,"z":1.0} )";
  const std::vector<std::string> wanted = {"p"};
  const auto json = parse_json(text, {}, {.numbers = true, .as_text = wanted});
  REQUIRE(json.has_value());
  CHECK(*json->find("a")->array()->at(0).number_text() == "1.50");
  CHECK(*json->find("a")->array()->at(1).number_text() == "-2e0");
  CHECK(*json->find("a")->array()->at(2).find("c")->number_text() == "3.0");
  CHECK(*json->find("p")->string() == R"({"x" : [ 1 , "}" ] , "y":2.50 })");
  CHECK(*json->find("z")->number_text() == "1.0");
  CHECK(json->find("p2")->is_null());
  CHECK_FALSE(parse_json(R"({"p":{"a":1,"a":2}})", {}, {.as_text = wanted}).has_value());
}

}  // namespace coeval::data
