#include "data/batch_codec.h"

#include <doctest/doctest.h>

#include <random>

#include "data/row_codec.h"

namespace coeval::data {
namespace {

const std::vector<Type> kTypes = {Type::boolean, Type::int32,    Type::int64,
                                  Type::float32, Type::float64,  Type::timestamp,
                                  Type::date,    Type::duration, Type::string};

void append_random(ColumnBuilder& builder, std::mt19937& random) {
  switch (builder.type()) {
    case Type::boolean:
      return builder.append_boolean(random() % 2 == 0);
    case Type::float32:
    case Type::float64:
      return builder.append_real(random() % 9 == 0 ? -0.0 : static_cast<double>(random()) / 7);
    case Type::string:
      return builder.append_string(
          std::string(random() % 5, static_cast<char>('a' + random() % 3)));
    default:
      return builder.append_integer(static_cast<std::int32_t>(random()));
  }
}

Column coded(const Column& plain, std::int64_t rows, std::mt19937& random) {
  ColumnBuilder dictionary(Type::string);
  for (std::int64_t i = 0; i < plain.size(); ++i)
    dictionary.append_string(plain.is_null(i) ? "" : plain.string(i));
  std::vector<std::int32_t> codes;
  std::vector<std::uint8_t> validity(static_cast<std::size_t>(rows + 7) / 8, 0xAD);
  for (std::int64_t i = 0; i < rows; ++i)
    codes.push_back(static_cast<std::int32_t>(random() % static_cast<unsigned>(plain.size())));
  return Column::coded(std::move(codes), std::make_shared<const Column>(dictionary.finish()),
                       std::move(validity));
}

Batch random_batch(std::mt19937& random, std::int64_t rows, unsigned nulls) {
  Batch batch;
  batch.rows = rows;
  for (const Type type : kTypes) {
    ColumnBuilder builder(type);
    for (std::int64_t row = 0; row < rows; ++row)
      random() % 10 < nulls ? builder.append_null() : append_random(builder, random);
    batch.schema.fields.push_back({"c" + std::to_string(batch.columns.size()), type, true});
    batch.columns.push_back(builder.finish());
  }
  if (rows > 0) {
    batch.schema.fields.push_back({"coded", Type::string, true});
    batch.columns.push_back(coded(batch.columns.back(), rows, random));
  }
  return batch;
}

void check_equal(const Batch& a, const Batch& b) {
  REQUIRE(a.rows == b.rows);
  REQUIRE(a.columns.size() == b.columns.size());
  CHECK(a.schema == b.schema);
  for (std::size_t c = 0; c < a.columns.size(); ++c) {
    CHECK(a.columns[c].is_coded() == b.columns[c].is_coded());
    for (std::int64_t row = 0; row < a.rows; ++row)
      CHECK(encode_row({{}, {a.columns[c]}, a.rows}, row) ==
            encode_row({{}, {b.columns[c]}, b.rows}, row));
  }
}

TEST_CASE("batches of all types come back with every bit, nulls and dictionaries too") {
  std::mt19937 random(1);
  for (const std::int64_t rows : {0, 1, 7, 8, 9, 300})
    for (const unsigned nulls : {0U, 3U, 10U}) {
      const Batch batch = random_batch(random, rows, nulls);
      const auto back = decode_batch(encode_batch(batch), batch.schema);
      REQUIRE(back);
      check_equal(batch, *back);
    }
}

TEST_CASE("of a dictionary only what is used is written") {
  ColumnBuilder texts(Type::string);
  for (int i = 0; i < 10'000; ++i) texts.append_string("text " + std::to_string(i));
  Batch batch{{{{"s", Type::string, false}}}, {}, 2};
  batch.columns.push_back(
      Column::coded({77, 9'999}, std::make_shared<const Column>(texts.finish()), {}));
  const std::string bytes = encode_batch(batch);
  CHECK(bytes.size() < 100);
  const auto back = decode_batch(bytes, batch.schema);
  REQUIRE(back);
  CHECK(back->columns[0].string(0) == "text 77");
  CHECK(back->columns[0].string(1) == "text 9999");
}

TEST_CASE("bytes that are cut short, too long or of other columns are refused") {
  std::mt19937 random(2);
  const Batch batch = random_batch(random, 20, 3);
  const std::string bytes = encode_batch(batch);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_batch(std::string_view(bytes).substr(0, size), batch.schema));
  CHECK_FALSE(decode_batch(bytes + "x", batch.schema));
  CHECK_FALSE(decode_batch(bytes, {{{"c0", Type::string, true}}}));
}

}  // namespace
}  // namespace coeval::data
