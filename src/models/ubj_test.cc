#include "models/ubj.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

namespace coeval::models {
namespace {

using namespace std::string_literals;

Ubj read(const std::string& bytes) {
  static std::string kept;  // a value points into its bytes
  kept = bytes;
  auto value = read_ubj(kept);
  REQUIRE_MESSAGE(value.has_value(), (value ? "" : value.error().message));
  return *value;
}

}  // namespace

TEST_CASE("UBJSON numbers of every width are read big-endian and signed") {
  CHECK(read("[i\xFF]"s).integer_at(0) == -1);
  CHECK(read("[U\xFF]"s).integer_at(0) == 255);
  CHECK(read("[I\xFF\xFE]"s).integer_at(0) == -2);
  CHECK(read("[l\0\1\0\0]"s).integer_at(0) == 65536);
  CHECK(read("[L\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFD]"s).integer_at(0) == -3);
  CHECK(read("[d\x3F\xC0\0\0]"s).real_at(0) == 1.5f);
  CHECK(read("[D\x3F\xF8\0\0\0\0\0\0]"s).real_at(0) == 1.5f);
}

TEST_CASE("a number of another kind is not converted silently") {
  const Ubj value = read("[i\5d\x3F\xC0\0\0]"s);
  CHECK(!value.real_at(0));
  CHECK(!value.integer_at(1));
  CHECK(!value.integer_at(2));
  CHECK(!read("[$d#i\1\x3F\xC0\0\0"s).integer_at(0));
  CHECK(!read("[$i#i\1\5"s).real_at(0));
}

TEST_CASE("typed, counted and open arrays hold the same elements") {
  for (const std::string& bytes : {"[$i#i\3\1\2\3"s, "[#i\3i\1i\2i\3"s, "[i\1Ni\2i\3]"s}) {
    const Ubj value = read(bytes);
    REQUIRE(value.size() == 3);
    CHECK(value.integer_at(2) == 3);
    CHECK(!value.integer_at(3));
  }
}

TEST_CASE("a whole array is what its elements are, one by one") {
  for (const std::string& bytes :
       {"[$i#i\3\xFF\2\3"s, "[$U#i\2\xFF\2"s, "[$I#i\2\xFF\xFE\1\0"s, "[$l#i\1\x80\0\0\0"s,
        "[$L#i\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFD\0\0\0\0\0\0\0\7"s, "[#i\2i\1l\0\1\0\0"s, "[]"s,
        "[$d#i\0"s}) {
    CAPTURE(bytes);
    const Ubj value = read(bytes);
    const auto all = value.integers<std::int64_t>();
    REQUIRE(all.has_value());
    REQUIRE(all->size() == value.size());
    for (std::size_t i = 0; i < all->size(); ++i) CHECK((*all)[i] == value.integer_at(i));
  }
  const auto reals = read("[$d#i\2\x3F\xC0\0\0\xFF\x80\0\0"s).reals();
  REQUIRE(reals.has_value());
  CHECK(*reals == std::vector<float>{1.5f, -std::numeric_limits<float>::infinity()});
  CHECK(read("[$D#i\1\x3F\xF8\0\0\0\0\0\0"s).reals() == std::vector<float>{1.5f});
}

TEST_CASE("an array with an element that does not fit is none of that type") {
  CHECK(!read("[$i#i\2\1\xFF"s).integers<std::uint8_t>());
  CHECK(!read("[$I#i\2\1\0\0\1"s).integers<std::uint8_t>());
  CHECK(!read("[$L#i\1\0\0\0\1\0\0\0\0"s).integers<std::int32_t>());
  CHECK(!read("[$d#i\1\x3F\xC0\0\0"s).integers<std::int32_t>());
  CHECK(!read("[i\1d\x3F\xC0\0\0]"s).integers<std::int64_t>());
  CHECK(!read("[$i#i\1\1"s).reals());
  CHECK(read("[$L#i\1\0\0\0\0\x7F\xFF\xFF\xFF"s).integers<std::int32_t>() ==
        std::vector<std::int32_t>{2147483647});
}

TEST_CASE("objects keep their members") {
  const Ubj value = read("{i\1aSi\2xyi\1b{}i\1cTi\1dZ}"s);
  REQUIRE(value.find("a") != nullptr);
  CHECK(value.find("a")->string() == "xy");
  CHECK(value.find("b")->kind() == Ubj::Kind::object);
  CHECK(value.find("c")->kind() == Ubj::Kind::boolean);
  CHECK(value.find("d")->kind() == Ubj::Kind::null);
  CHECK(value.find("e") == nullptr);
}

TEST_CASE("malformed UBJSON is bad_model with the place") {
  for (const std::string& bytes : {""s,
                                   "["s,
                                   "{"s,
                                   "{i"s,
                                   "{i\1"s,
                                   "{i\1a"s,
                                   "[i]"s,
                                   "x"s,
                                   "[$"s,
                                   "[$i"s,
                                   "[$i#"s,
                                   "[$i#i\3\1"s,
                                   "[$S#i\1"s,
                                   "[$i\1"s,
                                   "[#i\3i\1"s,
                                   "[#L\x7F\0\0\0\0\0\0\0"s,
                                   "[$L#L\x7F\0\0\0\0\0\0\0"s,
                                   "[#i\xFF"s,
                                   "Si\5ab"s,
                                   "SL\xFF\0\0\0\0\0\0\0"s,
                                   "Sd\0\0\0\0"s,
                                   "{}{}"s,
                                   "Z "s}) {
    CAPTURE(bytes);
    const auto value = read_ubj(bytes);
    REQUIRE(!value.has_value());
    CHECK(value.error().code == Code::bad_model);
    CHECK(value.error().message.find("at byte ") != std::string::npos);
  }
}

TEST_CASE("nesting has a limit, so that hostile bytes cannot exhaust the stack") {
  CHECK(read_ubj(std::string(64, '[') + std::string(64, ']')).has_value());
  CHECK(!read_ubj(std::string(65, '[') + std::string(65, ']')).has_value());
  CHECK(!read_ubj(std::string(1'000'000, '[')).has_value());
  std::string counted;
  for (int i = 0; i < 100'000; ++i) counted += "[#i\1"s;
  CHECK(!read_ubj(counted).has_value());
}

}  // namespace coeval::models
