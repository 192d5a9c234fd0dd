#include "data/row_block.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "data/row_codec.h"

namespace coeval::data {
namespace {

// Ten columns, so that the bitmap has two bytes; a third of the values is null.
Batch random_rows(std::int64_t rows, std::mt19937& random) {
  const Schema schema{{{"flag", Type::boolean, true},
                       {"small", Type::int32, true},
                       {"big", Type::int64, true},
                       {"thin", Type::float32, true},
                       {"wide", Type::float64, false},
                       {"text", Type::string, true},
                       {"coded", Type::string, true},
                       {"at", Type::timestamp, true},
                       {"money", decimal_type(9, 2), true},
                       {"list", list_of(Type::int32), true}}};
  Batch batch{schema, {}, rows};
  for (const Field& field : schema.fields) {
    ColumnBuilder builder(field.type);
    for (std::int64_t row = 0; row < rows; ++row) {
      const bool is_null = field.nullable && random() % 3 == 0;
      if (is_null)
        builder.append_null();
      else if (field.type == Type::boolean)
        builder.append_boolean(random() % 2 == 0);
      else if (field.type == Type::string)
        builder.append_string(std::string(random() % 20, 'x'));
      else if (has_bytes(field.type))
        builder.append_string(std::string_view("\x01\x00\x00\x00\x00\x07\x00\x00\x00", 9));
      else if (is_float(field.type))
        builder.append_real(static_cast<double>(random()));
      else
        builder.append_integer(static_cast<std::int32_t>(random()));
    }
    batch.columns.push_back(builder.finish());
  }
  // The same texts as codes of a dictionary.
  std::vector<std::int32_t> codes;
  ColumnBuilder words(Type::string);
  for (const char* word : {"", "ORD", "a longer word"}) words.append_string(word);
  for (std::int64_t row = 0; row < rows; ++row)
    codes.push_back(static_cast<std::int32_t>(random() % 3));
  batch.columns[6] = Column::coded(codes, std::make_shared<const Column>(words.finish()), {});
  return batch;
}

}  // namespace

TEST_CASE("rows written column by column have the bytes of rows written one by one") {
  std::mt19937 random(11);
  for (int round = 0; round < 20; ++round) {
    const Batch batch = random_rows(1 + static_cast<std::int64_t>(random() % 200), random);
    const auto begin = static_cast<std::int64_t>(random() % static_cast<unsigned>(batch.rows));
    const auto end = std::min<std::int64_t>(batch.rows, begin + 1 + random() % 100);
    std::vector<std::size_t> sizes, expected_sizes;
    std::string expected;
    for (std::int64_t row = begin; row < end; ++row) {
      const std::size_t before = expected.size();
      append_row(expected, batch, row);
      expected_sizes.push_back(expected.size() - before);
    }
    measure_rows(batch, begin, end, sizes);
    CHECK(sizes == expected_sizes);
    // Nothing in front of them or behind is touched, and nothing that was there shines through.
    std::string bytes(expected.size() + 2, '\xEE');
    write_rows(bytes.data() + 1, batch, begin, sizes);
    CHECK(bytes == '\xEE' + expected + '\xEE');
  }
}

TEST_CASE("rows are appended behind what is there, with their ends") {
  std::mt19937 random(12);
  const Batch batch = random_rows(70, random);
  std::string bytes = "before", expected = bytes;
  std::vector<std::size_t> ends = {6}, expected_ends = ends;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    append_row(expected, batch, row);
    expected_ends.push_back(expected.size());
  }
  append_rows(bytes, batch, ends);
  CHECK(bytes == expected);
  CHECK(ends == expected_ends);
  append_rows(bytes, {batch.schema, random_rows(0, random).columns, 0}, ends);
  CHECK(bytes == expected);
}

}  // namespace coeval::data
