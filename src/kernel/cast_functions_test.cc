#include "kernel/cast_functions.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdlib>
#include <limits>
#include <random>

#include "kernel/evaluated_for_tests.h"

namespace coeval::kernel {
namespace {

using data::Type;
using data::Value;
using testing::batch_of;
using testing::evaluated;

// Each text as a type, evaluated over a column; "null" where it fails.
std::string as(const std::string& type, const Value& value, Type from = Type::string) {
  EvaluationCounts counts, tried;
  const data::Batch batch = batch_of(from, {value});
  const data::Column cast = evaluated("cast(x as " + type + ")", batch, counts);
  const data::Column attempt = evaluated("try_cast(x as " + type + ")", batch, tried);
  CHECK(cast.is_null(0) == attempt.is_null(0));
  CHECK(counts.failed_casts == (cast.is_null(0) ? 1 : 0));
  CHECK(tried == EvaluationCounts{});
  return data::to_text(cast.value(0), cast.type());
}

TEST_CASE("integers are read from plain digits, within their range") {
  CHECK(as("int64", "12") == "12");
  CHECK(as("int64", " +12\n") == "12");
  CHECK(as("int64", "-9223372036854775808") == "-9223372036854775808");
  CHECK(as("int32", "2147483647") == "2147483647");
  for (const char* text : {"", " ", "+", "-", "1.5", "1e3", "0x10", "1_000", "1 2", "--1", "+-1",
                           "9223372036854775808", "abc"}) {
    CAPTURE(text);
    CHECK(as("int64", text) == "null");
  }
  CHECK(as("int32", "2147483648") == "null");
}

TEST_CASE("numbers are read as C reads them, whatever their size") {
  for (const char* text : {"1",
                           "1.",
                           ".5",
                           "-0",
                           "+1.5",
                           "1e3",
                           "1E+3",
                           "0.1",
                           "1e999",
                           "-1e999",
                           "1e-999",
                           "-1e-999",
                           "123456789012345678901234567890",
                           "2.4703282292062327e-324",
                           "2.4703282292062328e-324",
                           "1.7976931348623158e308",
                           "1.7976931348623159e308",
                           "0e999999999999999999999",
                           "1e99999999999999999999",
                           "1e-99999999999999999999",
                           "inf",
                           "-Infinity",
                           "INF",
                           "9007199254740993",
                           "16777217.0000000001",
                           "1e39",
                           "1e-46",
                           "7.006492321624085e-46"}) {
    CAPTURE(text);
    EvaluationCounts counts;
    const data::Batch batch = batch_of(Type::string, {std::string(text)});
    const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
    CHECK(bits(evaluated("cast(x as float64)", batch, counts).real(0)) ==
          bits(std::strtod(text, nullptr)));
    CHECK(bits(evaluated("cast(x as float32)", batch, counts).real(0)) ==
          bits(std::strtof(text, nullptr)));
    CHECK(counts == EvaluationCounts{});
  }
  CHECK(as("float64", "nan") == "nan");
  CHECK(as("float64", "-NaN") == "nan");
  for (const char* text :
       {"", ".", "e3", "1e", "1e+", "0x1p3", "nan(1)", "1,5", "1 2", "++1", "infinit"}) {
    CAPTURE(text);
    CHECK(as("float64", text) == "null");
  }
}

TEST_CASE("booleans, dates and times are read from their spellings") {
  for (const char* text : {"true", "TRUE", "t", "Yes", "y", "1", " true "})
    CHECK(as("bool", text) == "true");
  for (const char* text : {"false", "F", "no", "N", "0"}) CHECK(as("bool", text) == "false");
  for (const char* text : {"", "2", "on", "tr", "truee"}) CHECK(as("bool", text) == "null");
  CHECK(as("date", " 2001-06-01 ") == "2001-06-01");
  CHECK(as("date", "0001-01-01") == "0001-01-01");
  for (const char* text : {"2001-6-1", "2001-02-29", "2001-06-01 12:00", "12", "10000-01-01", ""})
    CHECK(as("date", text) == "null");
  CHECK(as("timestamp", "2001-06-01") == "2001-06-01T00:00:00Z");
  CHECK(as("timestamp", "2001-06-01 12:30") == "2001-06-01T12:30:00Z");
  CHECK(as("timestamp", "2001-06-01T12:30:00.5+02:00") == "2001-06-01T10:30:00.500000Z");
  for (const char* text : {"12", "-1234567890", "2001-06-01 25:00", "2001-06-01T12:30:00.1234567"})
    CHECK(as("timestamp", text) == "null");
}

TEST_CASE("numbers become integers half to even, as in DuckDB 2.0.1") {
  const auto real = [](double value, const char* type) { return as(type, value, Type::float64); };
  CHECK(real(0.5, "int64") == "0");
  CHECK(real(1.5, "int64") == "2");
  CHECK(real(2.5, "int64") == "2");
  CHECK(real(-2.5, "int64") == "-2");
  CHECK(real(-0.5, "int64") == "0");
  CHECK(real(0.49999999999999994, "int64") == "0");
  CHECK(real(4503599627370497.5, "int64") == "4503599627370498");
  CHECK(real(2147483647.4, "int32") == "2147483647");
  CHECK(real(2147483647.5, "int32") == "null");
  CHECK(real(-2147483648.5, "int32") == "-2147483648");
  CHECK(real(9223372036854774784.0, "int64") == "9223372036854774784");
  CHECK(real(9223372036854775808.0, "int64") == "null");
  CHECK(real(-9223372036854775808.0, "int64") == "-9223372036854775808");
  CHECK(real(std::numeric_limits<double>::quiet_NaN(), "int64") == "null");
  CHECK(real(std::numeric_limits<double>::infinity(), "int32") == "null");
}

TEST_CASE("numbers become booleans and narrower numbers") {
  CHECK(as("bool", 0.0, Type::float64) == "false");
  CHECK(as("bool", -0.0, Type::float64) == "false");
  CHECK(as("bool", 0.3, Type::float64) == "true");
  CHECK(as("bool", std::numeric_limits<double>::quiet_NaN(), Type::float64) == "true");
  CHECK(as("bool", std::int64_t{-1}, Type::int64) == "true");
  CHECK(as("int32", std::int64_t{1} << 31, Type::int64) == "null");
  CHECK(as("int32", true, Type::boolean) == "1");
  EvaluationCounts counts;
  const data::Batch reals = batch_of(Type::float64, {3.5e38, 0.1, 1e-50});
  const data::Column narrow = evaluated("cast(x as float32)", reals, counts);
  CHECK(narrow.real(0) == std::numeric_limits<double>::infinity());
  CHECK(narrow.real(1) == static_cast<double>(0.1F));
  CHECK(narrow.real(2) == 0);
  // The value itself is rounded, not only what is stored of it.
  CHECK(evaluated("cast(x as float32) - x", reals, counts).real(1) ==
        static_cast<double>(0.1F) - 0.1);
  const data::Batch integers = batch_of(Type::int64, {(std::int64_t{1} << 24) + 1, INT64_MAX});
  CHECK(evaluated("cast(x as float32)", integers, counts).real(0) == 16777216);
  CHECK(counts == EvaluationCounts{});
}

TEST_CASE("times become dates by floor, dates midnights or nothing") {
  CHECK(as("date", std::int64_t{-1}, Type::timestamp) == "1969-12-31");
  CHECK(as("date", std::int64_t{86'399'999'999}, Type::timestamp) == "1970-01-01");
  CHECK(as("timestamp", std::int64_t{-1}, Type::date) == "1969-12-31T00:00:00Z");
  CHECK(as("timestamp", std::int64_t{106'751'992}, Type::date) == "null");
  CHECK(as("string", std::int64_t{-1}, Type::date) == "1969-12-31");
  CHECK(as("string", std::int64_t{INT32_MAX}, Type::date) == "5881580-07-11");
}

TEST_CASE("text of numbers reads back to the same bits, and none shorter does") {
  std::mt19937_64 random(11);
  std::vector<Value> values = {0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, 123456.0, 1e22, 1e23};
  for (int i = 0; i < 5000; ++i) values.emplace_back(std::bit_cast<double>(random()));
  const data::Batch batch = batch_of(Type::float64, values);
  EvaluationCounts counts;
  const data::Column texts = evaluated("cast(x as string)", batch, counts);
  const data::Column back = evaluated("cast(cast(x as string) as float64)", batch, counts);
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    const double value = batch.columns[0].real(row);
    const std::string text(texts.string(row));
    CAPTURE(text);
    if (value != value) {
      REQUIRE(text == "nan");
      continue;
    }
    REQUIRE(std::bit_cast<std::uint64_t>(back.real(row)) == std::bit_cast<std::uint64_t>(value));
    // One digit less does not.
    std::size_t digits = 0;
    for (const char c : text.substr(0, text.find('e'))) digits += c >= '0' && c <= '9' ? 1 : 0;
    char fewer[40];
    std::snprintf(fewer, sizeof fewer, "%.*e", static_cast<int>(digits) - 2, value);
    if (digits > 1 && text.find_first_of(".e") != std::string::npos && value > 1)
      REQUIRE(std::strtod(fewer, nullptr) != value);
  }
  CHECK(texts.string(0) == "0");
  CHECK(texts.string(1) == "-0");
  CHECK(texts.string(3) == "0.1");
  CHECK(texts.string(4) == "1e+300");
  CHECK(as("string", 0.1F, Type::float32) == "0.1");
}

TEST_CASE("null is null as any type, and no failure") {
  for (const char* type :
       {"bool", "int32", "int64", "float32", "float64", "string", "timestamp", "date"}) {
    CAPTURE(type);
    const data::Batch batch = batch_of(Type::int64, {std::int64_t{1}});
    EvaluationCounts counts;
    const data::Column found = evaluated("cast(null as " + std::string(type) + ")", batch, counts);
    CHECK(data::name(found.type()) == type);
    CHECK(found.is_null(0));
    CHECK(counts == EvaluationCounts{});
  }
}

TEST_CASE("only failures of rows that are asked for are counted") {
  const data::Batch batch = batch_of(Type::string, {std::string("a"), std::string("7"), Value{}});
  EvaluationCounts counts;
  CHECK(evaluated("if(x = 'a', 0, cast(x as int64))", batch, counts).value(0) ==
        Value{std::int64_t{0}});
  CHECK(counts.failed_casts == 0);
  evaluated("cast(x as int64)", batch, counts);
  CHECK(counts.failed_casts == 1);
}

}  // namespace
}  // namespace coeval::kernel
