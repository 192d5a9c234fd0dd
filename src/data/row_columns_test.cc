#include "data/row_columns.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

#include "data/row_codec.h"

namespace coeval::data {
namespace {

Schema schema_of_all() {
  return {{{"flag", Type::boolean, true},
           {"small", Type::int32, true},
           {"big", Type::int64, true},
           {"thin", Type::float32, true},
           {"text", Type::string, true},
           {"day", Type::date, true},
           {"sum", decimal_type(9, 2), true},
           {"list", list_of(Type::float32), true},
           {"last", Type::boolean, true}}};
}

std::vector<ColumnBuilder> builders_of(const Schema& schema) {
  std::vector<ColumnBuilder> builders;
  for (const Field& field : schema.fields) builders.emplace_back(field.type);
  return builders;
}

// Rows that may have been damaged, as bytes.
std::string random_row(std::mt19937_64& random) {
  auto builders = builders_of(schema_of_all());
  for (ColumnBuilder& builder : builders) {
    const Type type = builder.type();
    if (random() % 4 == 0)
      builder.append_null();
    else if (type == Type::boolean)
      builder.append_boolean(random() % 2 == 0);
    else if (type == Type::string)
      builder.append_string(std::string(random() % 20, 't'));
    else if (is_list(type))
      builder.append_null();
    else if (type == Type::float32)
      builder.append_real(0.25 * static_cast<double>(random() % 100));
    else
      builder.append_integer(static_cast<std::int64_t>(random() % 1000));
  }
  Batch batch{schema_of_all(), {}, 1};
  for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.finish());
  return encode_row(batch, 0);
}

// decode_row() is the oracle.
TEST_CASE("rows decoded at once are those decoded one by one, and as many are refused") {
  std::mt19937_64 random(1);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> rows(random() % 40 + 1);
    for (std::string& row : rows) row = random_row(random);
    if (random() % 2 == 0) {
      std::string& row = rows[random() % rows.size()];
      if (random() % 3 == 0)
        row.resize(random() % row.size());
      else if (random() % 2 == 0)
        row += '\0';
      else
        row[random() % row.size()] ^= static_cast<char>(1 << random() % 8);
    }
    const std::vector<std::string_view> views(rows.begin(), rows.end());
    std::vector<std::int64_t> places(rows.size());
    std::iota(places.begin(), places.end(), 0);
    std::ranges::shuffle(places, random);
    auto builders = builders_of(schema_of_all());
    Status one_by_one;
    for (const std::int64_t place : places)
      if (one_by_one)
        one_by_one = decode_row(views[static_cast<std::size_t>(place)], schema_of_all(), builders);
    const auto at_once = decode_rows(views, places, schema_of_all());
    REQUIRE(at_once.has_value() == one_by_one.has_value());
    if (!at_once) {
      ++refused;
      REQUIRE(at_once.error().message == one_by_one.error().message);
      continue;
    }
    for (std::size_t i = 0; i < builders.size(); ++i) {
      const Column expected = builders[i].finish(), &found = (*at_once)[i];
      REQUIRE(found.type() == expected.type());
      REQUIRE(found.size() == expected.size());
      REQUIRE(found.has_nulls() == expected.has_nulls());
      for (std::int64_t row = 0; row < expected.size(); ++row)
        REQUIRE(found.value(row) == expected.value(row));
    }
  }
  CHECK(refused > 50);
}

}  // namespace
}  // namespace coeval::data
