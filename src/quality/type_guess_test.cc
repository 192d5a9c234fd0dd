#include "quality/type_guess.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace coeval::quality {
namespace {

using data::Type;

// Of texts in every order: the guess may not depend on it.
Type of_texts(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  std::optional<Type> found;
  do {
    TypeGuess guess;
    for (const std::string& text : texts) guess.add_text(text);
    CHECK(guess.values() == static_cast<std::int64_t>(texts.size()));
    if (!found) found = guess.type();
    CHECK(guess.type() == *found);
  } while (std::ranges::next_permutation(texts).found);
  return *found;
}

Type of_json(const std::vector<std::string>& values) {
  TypeGuess guess;
  for (const std::string& value : values) guess.add_json(*data::parse_json(value));
  return guess.type();
}

TEST_CASE("texts: the narrowest type that holds all") {
  CHECK(of_texts({"1", "-2", "0"}) == Type::int32);
  CHECK(of_texts({"1", "2147483648"}) == Type::int64);
  CHECK(of_texts({"1", "2.5"}) == Type::float64);
  CHECK(of_texts({"1e3", "-0.5"}) == Type::float64);
  CHECK(of_texts({"true", "false", "True"}) == Type::boolean);
  CHECK(of_texts({"true", "1"}) == Type::string);
  CHECK(of_texts({"2001-05-01", "2001-12-31"}) == Type::date);
  CHECK(of_texts({"2001-05-01", "2001-12-31T10:00:00Z"}) == Type::timestamp);
  CHECK(of_texts({"2001-05-01 12:30:00", "2001-12-31T10:00:00+02:00"}) == Type::timestamp);
  CHECK(of_texts({"2001-05-01", "soon"}) == Type::string);
  CHECK(of_texts({"2001-02-30"}) == Type::string);
  CHECK(of_texts({"", "1"}) == Type::string);
}

TEST_CASE("what only looks like a number is a text") {
  CHECK(of_texts({"00501", "10001"}) == Type::string);
  CHECK(of_texts({"+49", "1"}) == Type::string);
  CHECK(of_texts({"9223372036854775808"}) == Type::string);
  CHECK(of_texts({"0.5", "0"}) == Type::float64);
  CHECK(of_texts({"1,5"}) == Type::string);
  CHECK(of_texts({"-"}) == Type::string);
}

TEST_CASE("integers that are moments") {
  CHECK(of_texts({"1700000000000000", "1700000000000001"}) == Type::timestamp);
  TypeGuess seconds;
  seconds.add_text("1700000000");
  CHECK(seconds.type() == Type::int64);
  CHECK(seconds.epoch_unit() == "seconds");
  TypeGuess milliseconds;
  milliseconds.add_text("1700000000000");
  CHECK(milliseconds.epoch_unit() == "milliseconds");
  TypeGuess plain;
  plain.add_text("17");
  CHECK(plain.epoch_unit().empty());
}

TEST_CASE("JSON values have kinds of their own") {
  CHECK(of_json({"1", "null", "2"}) == Type::int32);
  CHECK(of_json({"1", "2.5"}) == Type::float64);
  CHECK(of_json({"\"1\"", "\"2\""}) == Type::string);
  CHECK(of_json({"1", "\"2\""}) == Type::string);
  CHECK(of_json({"true", "false"}) == Type::boolean);
  CHECK(of_json({"\"2001-05-01\""}) == Type::date);
  CHECK(of_json({"\"2001-05-01T00:00:00Z\""}) == Type::timestamp);
  CHECK(of_json({"[1, 2.5]", "[0, 0]"}) == data::list_of(Type::float32, 2));
  CHECK(of_json({"[1, 2.5]", "[0]"}) == Type::string);
  CHECK(of_json({"[]"}) == Type::string);
  CHECK(of_json({"{\"a\": 1}"}) == Type::string);
  CHECK(of_json({"[1]", "\"x\""}) == Type::string);
}

TEST_CASE("nulls are counted and tell no type") {
  TypeGuess guess;
  guess.add_null();
  guess.add_json(data::Json());
  CHECK(guess.nulls() == 2);
  CHECK(guess.values() == 0);
  CHECK(guess.type() == Type::string);
  CHECK_FALSE(guess.holds_json());
  guess.add_json(*data::parse_json("{}"));
  CHECK(guess.holds_json());
}

}  // namespace
}  // namespace coeval::quality
