#include "data/json.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace coeval::data {
namespace {

using namespace std::literals;

TEST_CASE("a tree is built, found in and printed in the order of its keys") {
  Json json;
  json.set("b", 1).set("a", Json().push(true).push(Json()).push("x"));
  json.set("b", 2);
  CHECK(json.dump() == R"({"b":2,"a":[true,null,"x"]})");
  CHECK(json.dump_pretty() ==
        "{\n  \"b\": 2,\n  \"a\": [\n    true,\n    null,\n    \"x\"\n  ]\n}");
  CHECK(*json.find("b")->integer() == 2);
  CHECK(json.find("c") == nullptr);
  CHECK(Json(3).find("b") == nullptr);
  CHECK(Json(Json::Array{}).dump_pretty() == "[]");
  CHECK(Json(Json::Object{}).dump() == "{}");
}

TEST_CASE("a value names its kind") {
  CHECK(Json().kind() == "null");
  CHECK(Json(false).kind() == "a boolean");
  CHECK(Json(1).kind() == "an integer");
  CHECK(Json(1.5).kind() == "a number");
  CHECK(Json("").kind() == "a string");
  CHECK(Json(Json::Array{}).kind() == "an array");
  CHECK(Json(Json::Object{}).kind() == "an object");
}

TEST_CASE("doubles print short, read back to the same bits and stay doubles") {
  CHECK(Json(0.1).dump() == "0.1");
  CHECK(Json(5.0).dump() == "5.0");
  CHECK(Json(-0.0).dump() == "-0.0");
  CHECK(Json(1e300).dump() == "1e+300");
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const auto back = parse_json(Json(value).dump());
    REQUIRE(back);
    REQUIRE(back->real() != nullptr);
    REQUIRE(std::bit_cast<std::uint64_t>(*back->real()) == std::bit_cast<std::uint64_t>(value));
  }
}

TEST_CASE("floats that JSON has no number for print as strings") {
  const double infinity = std::numeric_limits<double>::infinity();
  const Json json(Json::Array{std::nan(""), infinity, -infinity});
  CHECK(json.dump() == R"(["NaN","Infinity","-Infinity"])");
}

TEST_CASE("strings are escaped where they must be, and bytes that are not UTF-8 are replaced") {
  CHECK(Json("a\"b\\c\n\t\r\x01 é 😀").dump() == "\"a\\\"b\\\\c\\n\\t\\r\\u0001 é 😀\"");
  CHECK(Json("a\xFF\xC3").dump() == "\"a\uFFFD\uFFFD\"");
  CHECK(*parse_json(Json("a\0b"s).dump())->string() == "a\0b"s);
}

// What from_json makes of a JSON text.
Result<Value> cell(std::string_view text, Type type) { return from_json(*parse_json(text), type); }

TEST_CASE("a cell takes the JSON of its declared type and no other") {
  CHECK(*cell("true", Type::boolean) == Value(true));
  CHECK(*cell("7", Type::int32) == Value(std::int64_t{7}));
  CHECK(*cell("7", Type::float64) == Value(7.0));
  CHECK(*cell("\"7\"", Type::string) == Value("7"s));
  for (const Type type : {Type::boolean, Type::int32, Type::int64, Type::float32, Type::float64,
                          Type::timestamp, Type::date, Type::string}) {
    CHECK(is_null(*cell("null", type)));
    CHECK(cell("[1]", type).error().code == Code::type_mismatch);
    CHECK(cell("{}", type).error().code == Code::type_mismatch);
    if (type != Type::boolean) CHECK_FALSE(cell("true", type));
    if (type != Type::string) CHECK_FALSE(cell("\"7\"", type));
    if (type == Type::boolean || type == Type::string) CHECK_FALSE(cell("7", type));
  }
}

TEST_CASE("a number that does not fit is refused, and a fraction is no integer") {
  CHECK(*cell("2147483647", Type::int32) == Value(std::int64_t{2147483647}));
  CHECK(cell("2147483648", Type::int32).error().code == Code::out_of_range);
  CHECK(cell("-2147483649", Type::int32).error().code == Code::out_of_range);
  CHECK(*cell("3.0", Type::int64) == Value(std::int64_t{3}));
  CHECK(cell("3.5", Type::int64).error().code == Code::type_mismatch);
  CHECK(cell("9007199254740994.0", Type::int64).error().code == Code::type_mismatch);
  CHECK(*cell("1e38", Type::float32) == Value(static_cast<double>(1e38F)));
  CHECK(cell("1e39", Type::float32).error().code == Code::out_of_range);
  CHECK(cell("3.5", Type::int64).error().message == "expected int64, found a number: 3.5");
}

TEST_CASE("times and dates read from text or integers") {
  CHECK(*cell("\"2001-06-01T00:00:00Z\"", Type::timestamp) == Value(std::int64_t{991353600000000}));
  CHECK(*cell("-5", Type::timestamp) == Value(std::int64_t{-5}));
  CHECK(*cell("\"1970-01-02\"", Type::date) == Value(std::int64_t{1}));
  CHECK(*cell("\"1969-12-31\"", Type::date) == Value(std::int64_t{-1}));
  for (const char* text : {"\"991353600000000\"", "\"-5\"", "\"soon\"", "\"\"", "1.5"})
    CHECK_FALSE(cell(text, Type::timestamp));
  for (const char* text : {"\"1970-01-02T00:00Z\"", "\"0000000001\"", "\"\"", "2147483648"})
    CHECK_FALSE(cell(text, Type::date));
}

TEST_CASE("to_json and from_json are inverse on every type") {
  std::mt19937_64 random(5);
  const auto same = [](const Value& value, Type type) {
    const auto back = from_json(*parse_json(to_json(value, type).dump()), type);
    REQUIRE(back);
    REQUIRE(*back == value);
  };
  for (int i = 0; i < 2000; ++i) {
    const auto bits = static_cast<std::int64_t>(random()) >> random() % 64;
    same(bits, Type::int64);
    same(bits, Type::timestamp);
    same(static_cast<std::int64_t>(static_cast<std::int32_t>(bits)), Type::date);
    same(static_cast<std::int64_t>(static_cast<std::int32_t>(bits)), Type::int32);
    same(static_cast<double>(static_cast<float>(bits) / 3), Type::float32);
  }
  same(std::numeric_limits<double>::infinity(), Type::float64);
  same(Value{}, Type::date);
  CHECK(std::isnan(std::get<double>(*from_json("NaN", Type::float64))));
}

}  // namespace
}  // namespace coeval::data
