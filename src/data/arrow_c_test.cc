#include "data/arrow_c.h"

#include <doctest/doctest.h>

#include <array>

namespace coeval::data {
namespace {

Batch sample() {
  const Schema schema{{{"b", Type::boolean, true},
                       {"i", Type::int32, false},
                       {"l", Type::int64, true},
                       {"f", Type::float32, false},
                       {"d", Type::float64, false},
                       {"s", Type::string, true},
                       {"t", Type::timestamp, false},
                       {"y", Type::date, true}}};
  Batch batch{schema, {}, 11};
  for (const Field& field : schema.fields) {
    ColumnBuilder builder(field.type);
    for (int row = 0; row < 11; ++row) {
      if (field.nullable && row % 3 == 0)
        builder.append_null();
      else if (field.type == Type::boolean)
        builder.append_boolean(row % 2 == 0);
      else if (field.type == Type::string)
        builder.append_string(std::string(static_cast<std::size_t>(row), 'x'));
      else if (is_float(field.type))
        builder.append_real(row + 0.5);
      else
        builder.append_integer(row - 5);
    }
    batch.columns.push_back(builder.finish());
  }
  const auto names = std::make_shared<Column>(Column::strings({0, 1, 3}, "abc", {}));
  batch.schema.fields.push_back({"c", Type::string, true});
  batch.columns.push_back(Column::coded({0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0}, names, {0xFE, 0xFF}));
  return batch;
}

void check_equal(const Batch& left, const Batch& right) {
  REQUIRE(left.schema == right.schema);
  REQUIRE(left.rows == right.rows);
  for (std::size_t i = 0; i < left.columns.size(); ++i)
    for (std::int64_t row = 0; row < left.rows; ++row)
      REQUIRE(left.columns[i].value(row) == right.columns[i].value(row));
}

TEST_CASE("a batch goes out and comes back sharing its buffers") {
  const Batch batch = sample();
  ArrowSchema schema;
  ArrowArray array;
  export_batch(batch, &schema, &array);
  CHECK(std::string_view(schema.children[6]->format) == "tsu:UTC");
  CHECK(schema.children[8]->dictionary != nullptr);
  const auto back = import_batch(&schema, &array);
  CHECK((schema.release == nullptr));
  CHECK((array.release == nullptr));
  REQUIRE(back);
  check_equal(batch, *back);
  for (std::size_t i = 0; i < batch.columns.size(); ++i)
    CHECK(back->columns[i].values_data() == batch.columns[i].values_data());
  CHECK(back->find("s")->bytes_data() == batch.find("s")->bytes_data());
}

TEST_CASE("columns outlive the batch they were exported from, and go with the last copy") {
  Column kept;
  {
    ArrowSchema schema;
    ArrowArray array;
    export_batch(sample(), &schema, &array);
    kept = *import_batch(&schema, &array)->find("c");
  }
  CHECK(kept.string(1) == "bc");
  CHECK(kept.is_null(0));
}

TEST_CASE("a slice of a struct is copied to start at its first row") {
  const Batch batch = sample();
  ArrowSchema schema;
  ArrowArray array;
  export_batch(batch, &schema, &array);
  array.offset = 2;
  array.length = 6;
  const auto slice = import_batch(&schema, &array);
  REQUIRE(slice);
  check_equal(take(batch, std::array<std::int64_t, 6>{2, 3, 4, 5, 6, 7}), *slice);
}

TEST_CASE("an empty batch and one without columns pass") {
  for (const Batch& batch : {take(sample(), {}), Batch{}}) {
    ArrowSchema schema;
    ArrowArray array;
    export_batch(batch, &schema, &array);
    const auto back = import_batch(&schema, &array);
    REQUIRE(back);
    check_equal(batch, *back);
  }
}

TEST_CASE("large strings are taken when they fit 32-bit offsets") {
  const Batch batch = sample();
  ArrowSchema schema;
  ArrowArray array;
  export_batch(Batch{{{batch.schema.fields[5]}}, {batch.columns[5]}, batch.rows}, &schema, &array);
  std::array<std::int64_t, 12> wide{};
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = batch.columns[5].offsets_data()[i];
  schema.children[0]->format = "U";
  array.children[0]->buffers[1] = wide.data();
  auto back = import_batch(&schema, &array);
  REQUIRE(back);
  for (std::int64_t row = 0; row < batch.rows; ++row)
    CHECK(back->columns[0].value(row) == batch.columns[5].value(row));
}

TEST_CASE("a column of another format is refused by name, and all is released") {
  ArrowSchema schema;
  ArrowArray array;
  export_batch(sample(), &schema, &array);
  schema.children[1]->format = "s";
  const auto refused = import_batch(&schema, &array);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::unsupported);
  CHECK(refused.error().message == "column 'i' has Arrow format 's', which is not read");
  CHECK((schema.release == nullptr));
  CHECK((array.release == nullptr));
}

TEST_CASE("a code outside its dictionary is refused, but not under a null") {
  const auto names = std::make_shared<Column>(Column::strings({0, 1}, "a", {}));
  for (const std::uint8_t validity : {std::uint8_t{0x01}, std::uint8_t{0x03}}) {
    ArrowSchema schema;
    ArrowArray array;
    const Column column = Column::coded({0, 7}, names, {validity});
    export_batch(Batch{{{{"c", Type::string, true}}}, {column}, 2}, &schema, &array);
    CHECK(import_batch(&schema, &array).has_value() == (validity == 0x01));
  }
}

}  // namespace
}  // namespace coeval::data
