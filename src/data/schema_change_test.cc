#include "data/schema_change.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "data/row_codec.h"

namespace coeval::data {
namespace {

using Kind = ColumnChangeKind;

Schema schema(std::vector<Field> fields) { return {std::move(fields)}; }

// "amount narrowed", … of one column each.
std::vector<std::string> kinds(const Schema& was, const Schema& is) {
  std::vector<std::string> all;
  for (const auto& change : schema_changes(was, is))
    all.push_back(change.column + " " + std::string(name(change.kind)) +
                  (change.accepted() ? "" : "!"));
  return all;
}

std::string only(Type was, bool was_nullable, Type is, bool is_nullable) {
  const auto all = kinds(schema({{"x", was, was_nullable}}), schema({{"x", is, is_nullable}}));
  return all.empty() ? "" : all.front();
}

TEST_CASE("equal columns in another order are no change") {
  CHECK(kinds(schema({{"a", Type::int32, false}, {"b", Type::string, true}}),
              schema({{"b", Type::string, true}, {"a", Type::int32, false}}))
            .empty());
}

TEST_CASE("what keeps every value is accepted, anything else is refused") {
  CHECK(only(Type::int32, false, Type::int64, false) == "x widened");
  CHECK(only(Type::float32, false, Type::float64, true) == "x widened");
  CHECK(only(decimal_type(5, 2), false, decimal_type(9, 2), false) == "x widened");
  CHECK(only(list_of(Type::float32, 8), false, list_of(Type::float32), false) == "x widened");
  CHECK(only(Type::string, false, Type::string, true) == "x may be null now");
  CHECK(only(Type::int64, false, Type::int32, false) == "x narrowed!");
  CHECK(only(Type::float64, false, Type::float32, true) == "x narrowed!");
  CHECK(only(decimal_type(9, 2), false, decimal_type(5, 2), false) == "x narrowed!");
  CHECK(only(list_of(Type::float32), false, list_of(Type::float32, 8), false) == "x narrowed!");
  CHECK(only(decimal_type(5, 2), false, decimal_type(9, 3), false) == "x retyped!");
  CHECK(only(list_of(Type::float32, 4), false, list_of(Type::float32, 8), false) == "x retyped!");
  CHECK(only(Type::int32, false, Type::float64, false) == "x retyped!");
  CHECK(only(Type::string, false, Type::int64, false) == "x retyped!");
  CHECK(only(Type::date, false, Type::timestamp, false) == "x retyped!");
  CHECK(only(Type::string, true, Type::string, false) == "x may not be null any more!");
  CHECK(only(Type::int32, true, Type::int64, false) == "x may not be null any more!");
}

TEST_CASE("columns come as nullable ones, and go") {
  const Schema one = schema({{"a", Type::int32, false}});
  CHECK(kinds(one, schema({{"a", Type::int32, false}, {"b", Type::string, true}})) ==
        std::vector<std::string>{"b added"});
  CHECK(kinds(one, schema({{"a", Type::int32, false}, {"b", Type::string, false}})) ==
        std::vector<std::string>{"b added, and not nullable!"});
  CHECK(kinds(schema({{"a", Type::int32, false}, {"b", Type::string, false}}), one) ==
        std::vector<std::string>{"b removed"});
}

TEST_CASE("one column gone and one of its type come are one column renamed") {
  const Schema was = schema({{"a", Type::int32, false}, {"b", Type::string, true}});
  const Schema is = schema({{"a", Type::int32, false}, {"c", Type::string, true}});
  const auto changes = schema_changes(was, is);
  REQUIRE(changes.size() == 1);
  CHECK(to_text(changes[0]) == "column c: was b string?, is c string? (renamed)");
  CHECK_FALSE(changes[0].accepted());
  CHECK(changes[0].advice == "call it b again");
  CHECK(schema_changes(was, is, false).size() == 2);
  // Two of the type: who knows which is which.
  CHECK(kinds(was, schema({{"a", Type::int32, false},
                           {"c", Type::string, true},
                           {"d", Type::string, true}})) ==
        std::vector<std::string>{"c added", "d added", "b removed"});
}

// One row of `was` with the values given, read as `is`.
Result<Batch> converted(const Schema& was, const std::vector<Value>& values, const Schema& is) {
  Batch row{was, {}, 1};
  for (std::size_t i = 0; i < values.size(); ++i) {
    ColumnBuilder builder(was.fields[i].type);
    builder.append(values[i]);
    row.columns.push_back(builder.finish());
  }
  std::vector<ColumnBuilder> builders;
  for (const Field& field : is.fields) builders.emplace_back(field.type);
  COEVAL_TRY(RowConversion(was, is).append(encode_row(row, 0), builders));
  Batch out{is, {}, 1};
  for (auto& builder : builders) out.columns.push_back(builder.finish());
  return out;
}

TEST_CASE("a row is brought to a wider schema with the bits of one that was written in it") {
  const Schema was = schema({{"at", Type::timestamp, false},
                             {"big", Type::int32, false},
                             {"gone", Type::string, true},
                             {"money", decimal_type(5, 2), false},
                             {"real", Type::float32, false}});
  const Schema is = schema({{"at", Type::timestamp, false},
                            {"big", Type::int64, true},
                            {"fresh", Type::boolean, true},
                            {"money", decimal_type(9, 2), false},
                            {"real", Type::float64, false}});
  const auto row = converted(
      was, {std::int64_t{7}, std::int64_t{-2}, std::string("x"), std::int64_t{-12345}, 0.1f}, is);
  REQUIRE(row.has_value());
  // -2 of eight bytes; null is bit 2; -123.45; the float 0.1 is 0x3fb99999a0000000 as a double.
  const std::string expected(
      "\x04"
      "\x07\x00\x00\x00\x00\x00\x00\x00"
      "\xfe\xff\xff\xff\xff\xff\xff\xff"
      "\xc7\xcf\xff\xff\xff\xff\xff\xff"
      "\x00\x00\x00\xa0\x99\x99\xb9\x3f",
      33);
  CHECK(encode_row(*row, 0) == expected);
}

TEST_CASE("a value that does not fit is refused and nothing is appended") {
  const Schema wide = schema({{"a", Type::int64, false}, {"x", Type::int64, true}});
  const Schema thin = schema({{"a", Type::int64, false}, {"x", Type::int32, false}});
  CHECK(converted(wide, {std::int64_t{1}, std::int64_t{1} << 31}, thin).error().code ==
        Code::type_mismatch);
  CHECK(converted(wide, {std::int64_t{1}, {}}, thin).error().code == Code::type_mismatch);
  CHECK(converted(wide, {std::int64_t{1}, std::int64_t{-5}}, thin)->columns[1].integer(0) == -5);
  const Schema real = schema({{"x", Type::float64, false}});
  const Schema half = schema({{"x", Type::float32, false}});
  CHECK(converted(real, {0.5}, half).has_value());
  CHECK_FALSE(converted(real, {0.1}, half).has_value());
  CHECK_FALSE(converted(real, {0.5}, schema({{"x", Type::string, true}})).has_value());
}

TEST_CASE("a NaN of the same type keeps its bits") {
  ColumnBuilder builder(Type::float64);
  const std::uint64_t bits = 0x7ff0000000000123;  // signalling
  builder.append_integer(static_cast<std::int64_t>(bits));
  const Schema was = schema({{"x", Type::float64, false}});
  const Batch row{was, {builder.finish()}, 1};
  std::vector<ColumnBuilder> builders;
  builders.emplace_back(Type::boolean);
  builders.emplace_back(Type::float64);
  const Schema is = schema({{"fresh", Type::boolean, true}, {"x", Type::float64, false}});
  REQUIRE(RowConversion(was, is).append(encode_row(row, 0), builders).has_value());
  const Column column = builders[1].finish();
  CHECK(column.values<std::uint64_t>()[0] == bits);
}

TEST_CASE("bytes that are no row of the schema are refused") {
  std::vector<ColumnBuilder> builders;
  builders.emplace_back(Type::int64);
  const RowConversion conversion(schema({{"x", Type::int32, false}}),
                                 schema({{"x", Type::int64, false}}));
  CHECK(conversion.append(std::string("\0\x01\0\0", 4), builders).error().code == Code::bad_file);
  CHECK(builders[0].size() == 0);
}

}  // namespace
}  // namespace coeval::data
