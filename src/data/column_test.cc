#include "data/column.h"

#include <doctest/doctest.h>

#include <array>

namespace coeval::data {
namespace {

Column sample_strings() {
  ColumnBuilder builder(Type::string);
  builder.append_string("ORD");
  builder.append_null();
  builder.append_string("");
  return builder.finish();
}

TEST_CASE("a built column gives back its values and nulls") {
  ColumnBuilder builder(Type::int32);
  for (std::int64_t i = 0; i < 20; ++i)
    i % 3 == 0 ? builder.append_null() : builder.append_integer(-i);
  const Column column = builder.finish();
  REQUIRE(column.size() == 20);
  for (std::int64_t i = 0; i < 20; ++i) {
    CHECK(column.is_null(i) == (i % 3 == 0));
    if (i % 3 != 0) CHECK(column.integer(i) == -i);
  }
}

TEST_CASE("a column without nulls carries no bitmap") {
  ColumnBuilder builder(Type::float32);
  builder.append_real(0.1);
  const Column column = builder.finish();
  CHECK_FALSE(column.has_nulls());
  CHECK(column.real(0) == static_cast<double>(0.1F));
}

TEST_CASE("an empty string is not null") {
  const Column column = sample_strings();
  CHECK_FALSE(column.is_null(2));
  CHECK(column.string(2).empty());
  CHECK(column.is_null(1));
  CHECK(std::get<std::string>(column.value(0)) == "ORD");
}

TEST_CASE("take repeats and reorders rows of every layout") {
  const std::array<std::int64_t, 3> rows = {2, 0, 1};
  const Column strings = take(sample_strings(), rows);
  CHECK(strings.string(1) == "ORD");
  CHECK(strings.is_null(2));
  ColumnBuilder bits(Type::boolean);
  bits.append_boolean(true);
  bits.append_boolean(false);
  bits.append_null();
  const Column taken = take(bits.finish(), rows);
  CHECK(taken.is_null(0));
  CHECK(taken.bit(1));
  CHECK_FALSE(taken.bit(2));
}

TEST_CASE("concatenating coded columns of different dictionaries keeps the strings") {
  const auto coded = [](std::vector<std::string> words, std::vector<std::int32_t> codes) {
    ColumnBuilder builder(Type::string);
    for (const auto& word : words) builder.append_string(word);
    Batch batch;
    batch.schema.fields = {{"airport", Type::string, true}};
    batch.rows = static_cast<std::int64_t>(codes.size());
    batch.columns = {
        Column::coded(std::move(codes), std::make_shared<Column>(builder.finish()), {0b101})};
    return batch;
  };
  const std::array<Batch, 2> parts = {coded({"A", "B"}, {1, 0, 0}), coded({"B", "C"}, {1, 1, 0})};
  const auto joined = concatenate(parts);
  REQUIRE(joined);
  const Column& column = joined->columns[0];
  REQUIRE(column.size() == 6);
  CHECK(column.string(0) == "B");
  CHECK(column.is_null(1));
  CHECK(column.string(2) == "A");
  CHECK(column.string(3) == "C");
  CHECK(column.is_null(4));
  CHECK(column.string(5) == "B");
}

TEST_CASE("concatenating fixed columns keeps bits and nulls across the seam") {
  std::vector<Batch> parts(3);
  for (int p = 0; p < 3; ++p) {
    ColumnBuilder builder(Type::int64);
    for (int i = 0; i < 5; ++i)
      p == 1 && i == 2 ? builder.append_null() : builder.append_integer(10 * p + i);
    auto& part = parts[static_cast<std::size_t>(p)];
    part.schema.fields = {{"n", Type::int64, true}};
    part.columns = {builder.finish()};
    part.rows = 5;
  }
  const auto joined = concatenate(parts);
  REQUIRE(joined);
  CHECK(joined->rows == 15);
  CHECK(joined->columns[0].is_null(7));
  CHECK(joined->columns[0].integer(14) == 24);
  parts[0].schema.fields[0].name = "m";
  CHECK_FALSE(concatenate(parts));
}

TEST_CASE("tables whose distinct texts are too much for one column are refused, not cut") {
  const auto table = [](const std::vector<std::string>& texts) {
    ColumnBuilder builder(Type::string);
    for (const auto& text : texts) builder.append_string(text);
    Batch batch;
    batch.schema.fields = {{"word", Type::string, false}};
    batch.columns.push_back(builder.finish());
    batch.rows = static_cast<std::int64_t>(texts.size());
    return batch;
  };
  const std::vector<Batch> tables = {table({"abc", "de"}), table({"abc", "fgh"})};
  const auto joined = concatenate(tables, 8);  // abc de fgh
  REQUIRE(joined);
  CHECK(joined->columns[0].string(3) == "fgh");
  const auto refused = concatenate(tables, 7);
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::unsupported);
  CHECK(refused.error().message.find("column 'word'") != std::string::npos);
}

// Value by value is the oracle.
TEST_CASE("long runs of rows are taken with their nulls, whatever the type and where they begin") {
  for (const Type type : {Type::boolean, Type::int32, Type::int64, Type::string}) {
    ColumnBuilder builder(type);
    for (std::int64_t row = 0; row < 700; ++row) {
      if (row % 7 == 3)
        builder.append_null();
      else if (type == Type::boolean)
        builder.append_boolean(row % 5 < 2);
      else if (type == Type::string)
        builder.append_string(std::string(static_cast<std::size_t>(row % 11), 's'));
      else
        builder.append_integer(row * 31);
    }
    const Column column = builder.finish();
    for (std::int64_t gap = 9; gap < 60; ++gap) {
      std::vector<std::int64_t> rows;
      for (std::int64_t row = gap % 13; row < 700; ++row)
        if (row % gap != 1) rows.push_back(row);
      const Column taken = take(column, rows);
      REQUIRE(taken.size() == static_cast<std::int64_t>(rows.size()));
      for (std::size_t i = 0; i < rows.size(); ++i)
        REQUIRE(taken.value(static_cast<std::int64_t>(i)) == column.value(rows[i]));
    }
  }
}

}  // namespace
}  // namespace coeval::data
