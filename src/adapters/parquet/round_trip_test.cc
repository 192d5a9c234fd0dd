#include <bit>
#include <cstring>
#include <limits>

#include <doctest/doctest.h>

#include "adapters/parquet/testing_tables.h"
#include "stores/faulty_files.h"

namespace coeval {

using namespace parquet_testing;
using data::Batch;
using data::Column;
using data::ColumnBuilder;
using data::Type;

namespace {

// The same values in the same rows, however they are cut into batches.
void check_equal(const std::vector<Batch>& got, const Batch& expected) {
  std::int64_t at = 0;
  for (const auto& batch : got) {
    REQUIRE(batch.schema == expected.schema);
    REQUIRE(batch.columns.size() == expected.columns.size());
    std::int64_t differ = 0;
    for (std::size_t i = 0; i < expected.columns.size(); ++i) {
      REQUIRE(batch.columns[i].size() == batch.rows);
      for (std::int64_t row = 0; row < batch.rows; ++row)
        differ += batch.columns[i].value(row) != expected.columns[i].value(at + row);
    }
    CHECK(differ == 0);
    at += batch.rows;
  }
  CHECK(at == expected.rows);
}

Column coded_column(std::vector<std::string> dictionary, std::vector<std::int32_t> codes,
                    std::vector<std::uint8_t> validity = {}) {
  ColumnBuilder builder(Type::string);
  for (const auto& text : dictionary) builder.append_string(text);
  return Column::coded(std::move(codes), std::make_shared<Column>(builder.finish()),
                       std::move(validity));
}

Batch one_column(Column column, bool nullable = false) {
  Batch batch;
  batch.rows = column.size();
  batch.schema.fields.push_back({"c", column.type(), nullable});
  batch.columns.push_back(std::move(column));
  return batch;
}

}  // namespace

TEST_CASE("every type comes back as it was written, with and without nulls") {
  TemporaryFolder folder;
  for (const bool nulls : {false, true})
    for (const int threads : {1, 3})
      for (const bool code_strings : {false, true}) {
        const Batch table = table_of_all_types(10'007, nulls);
        REQUIRE(write_table(folder / "t.parquet", {table}, {.threads = threads}).has_value());
        stores::ReadOptions options;
        options.threads = threads;
        options.code_strings = code_strings;
        options.batch_rows = 1'003;  // cuts bitmaps in the middle of a byte
        const auto batches = read_table(folder / "t.parquet", options);
        REQUIRE(batches.has_value());
        CHECK(batches->size() == 10);
        CHECK(batches->front().find("string")->is_coded() == code_strings);
        check_equal(*batches, table);
      }
}

TEST_CASE("floats keep their bits: NaN payloads, signed zeros, infinities, denormals") {
  std::vector<double> values = {0.0,
                                -0.0,
                                std::numeric_limits<double>::infinity(),
                                -std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::denorm_min(),
                                std::bit_cast<double>(0x7ff8'0000'0000'0001u),
                                std::bit_cast<double>(0xfff8'0000'0000'0abcu),
                                std::bit_cast<double>(0x7ff8'0000'0000'0000u)};
  for (int i = 0; i < 12; ++i) values.insert(values.end(), values.begin(), values.begin() + 8);
  std::vector<std::byte> bytes(values.size() * sizeof(double));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  TemporaryFolder folder;
  const auto rows = static_cast<std::int64_t>(values.size());
  REQUIRE(write_table(folder / "t.parquet",
                      {one_column(Column::fixed(Type::float64, std::move(bytes), {}, rows))})
              .has_value());
  const auto batches = read_table(folder / "t.parquet");
  REQUIRE(batches.has_value());
  const auto read = batches->front().columns[0].values<double>();
  REQUIRE(read.size() == values.size());
  CHECK(std::memcmp(read.data(), values.data(), values.size() * sizeof(double)) == 0);
}

TEST_CASE(
    "coded strings come back as the same strings, also when batches have other dictionaries") {
  TemporaryFolder folder;
  const Batch first = one_column(coded_column({"ATL", "unused", "LAX"}, {0, 2, 0, 2}), true);
  const Batch second = one_column(coded_column({"LAX", "ORD"}, {0, 1, 0, 1}, {0b1101}), true);
  ColumnBuilder plain(Type::string);
  plain.append_string("ATL");
  plain.append_null();
  const Batch third = one_column(plain.finish(), true);
  REQUIRE(write_table(folder / "t.parquet", {first, second, third}).has_value());
  const auto batches = read_table(folder / "t.parquet");
  REQUIRE(batches.has_value());
  ColumnBuilder expected(Type::string);
  for (const auto* text : {"ATL", "LAX", "ATL", "LAX", "LAX", "", "LAX", "ORD", "ATL", ""}) {
    if (*text == '\0')
      expected.append_null();
    else
      expected.append_string(text);
  }
  check_equal(*batches, one_column(expected.finish(), true));
}

TEST_CASE("codes keep their meaning from one row group to the next") {
  TemporaryFolder folder;
  std::vector<Batch> groups;
  for (std::int32_t group = 0; group < 3; ++group) {
    std::vector<std::int32_t> codes(1 << 20);
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::int32_t>(i % 3);
    // The third group has no string that the second does not have, in another order.
    const std::vector<std::string> names =
        group == 0 ? std::vector<std::string>{"a", "b", "c"}
                   : (group == 1 ? std::vector<std::string>{"d", "b", "a"}
                                 : std::vector<std::string>{"b", "a", "d"});
    groups.push_back(one_column(coded_column(names, std::move(codes))));
  }
  REQUIRE(write_table(folder / "t.parquet", groups).has_value());
  stores::ReadOptions by_group;
  by_group.batch_rows = 1 << 20;
  const auto batches = read_table(folder / "t.parquet", by_group);
  REQUIRE(batches.has_value());
  REQUIRE(batches->size() == 3);
  std::int64_t wrong = 0;
  for (std::size_t group = 0; group < 3; ++group)
    for (std::int64_t row = 0; row < (1 << 20); ++row)
      wrong += (*batches)[group].columns[0].string(row) != groups[group].columns[0].string(row);
  CHECK(wrong == 0);
  const auto dictionary_of = [&](std::size_t group) {
    return (*batches)[group].columns[0].dictionary_ptr();
  };
  CHECK(dictionary_of(0)->size() == 3);
  CHECK(dictionary_of(1)->size() == 4);
  CHECK(dictionary_of(1)->string(0) == "a");
  CHECK(dictionary_of(2) == dictionary_of(1));
}

TEST_CASE("a column of mostly different strings is read with a dictionary per row group") {
  TemporaryFolder folder;
  ColumnBuilder builder(Type::string);
  for (int row = 0; row < 70'000; ++row) builder.append_string("id-" + std::to_string(row * 7));
  const Batch table = one_column(builder.finish());
  REQUIRE(write_table(folder / "t.parquet", {table}).has_value());
  const auto batches = read_table(folder / "t.parquet");
  REQUIRE(batches.has_value());
  check_equal(*batches, table);
}

TEST_CASE("columns are read by name, in the order asked for") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(100, true);
  REQUIRE(write_table(folder / "t.parquet", {table}).has_value());
  stores::ReadOptions options;
  options.columns = {"date", "bool", "string"};
  const auto batches = read_table(folder / "t.parquet", options);
  REQUIRE(batches.has_value());
  Batch expected;
  expected.rows = table.rows;
  for (const auto& name : options.columns) {
    expected.columns.push_back(*table.find(name));
    expected.schema.fields.push_back({name, table.find(name)->type(), true});
  }
  check_equal(*batches, expected);

  options.columns = {"date", "datum"};
  const auto missing = parquet_files()->open(folder / "t.parquet", options);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Code::unknown_key);
  CHECK(missing.error().message.find("datum") != std::string::npos);
  CHECK(missing.error().advice.find("bool") != std::string::npos);

  options.columns = {"date", "date"};
  CHECK_FALSE(parquet_files()->open(folder / "t.parquet", options).has_value());
}

TEST_CASE("a table without rows has its schema") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(0, true);
  REQUIRE(write_table(folder / "t.parquet", {table}).has_value());
  const auto reader = parquet_files()->open(folder / "t.parquet", {});
  REQUIRE(reader.has_value());
  CHECK((*reader)->schema() == table.schema);
  CHECK((*reader)->rows() == 0);
  const auto end = (*reader)->next();
  REQUIRE(end.has_value());
  CHECK(end->rows == 0);
}

TEST_CASE("a batch that does not fit the file's schema is refused") {
  TemporaryFolder folder;
  auto writer = parquet_files()->create(folder / "t.parquet", {{{"c", Type::int64, false}}}, {});
  REQUIRE(writer.has_value());
  ColumnBuilder nulls(Type::int64);
  nulls.append_null();
  CHECK((*writer)->write(one_column(nulls.finish())).error().code == Code::missing_value);
  ColumnBuilder reals(Type::float64);
  reals.append_real(1);
  CHECK((*writer)->write(one_column(reals.finish())).error().code == Code::type_mismatch);
  CHECK(parquet_files()
            ->create(folder / "d.parquet", {{{"c", Type::duration, false}}}, {})
            .error()
            .code == Code::unsupported);
}

TEST_CASE("a file appears when it is closed, and a writer that is dropped leaves nothing") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(1'000, false);
  {
    auto writer = parquet_files()->create(folder / "t.parquet", table.schema, {});
    REQUIRE(writer.has_value());
    REQUIRE((*writer)->write(table).has_value());
    CHECK_FALSE(std::filesystem::exists(folder / "t.parquet"));
  }
  CHECK(folder.files_count() == 0);
  auto writer = parquet_files()->create(folder / "t.parquet", table.schema, {});
  REQUIRE((*writer)->write(table).has_value());
  REQUIRE((*writer)->close().has_value());
  CHECK(folder.files_count() == 1);
  CHECK_FALSE((*writer)->write(table).has_value());
  CHECK_FALSE((*writer)->close().has_value());
}

TEST_CASE("Snappy and high levels of zstd are read back alike") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(5'000, true);
  for (const int level : {0, 1, 9}) {
    REQUIRE(write_table(folder / "t.parquet", {table}, {.compression_level = level}).has_value());
    const auto batches = read_table(folder / "t.parquet");
    REQUIRE(batches.has_value());
    check_equal(*batches, table);
  }
}

}  // namespace coeval
