// Files that other programs wrote: Arrow itself, in all the variants that we accept or refuse, and
// the flights of the npm package vega-datasets, which Polars wrote.
#include <array>
#include <tuple>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <doctest/doctest.h>
#include <parquet/arrow/writer.h>

#include "adapters/parquet/testing_tables.h"

namespace coeval {

using namespace parquet_testing;
using data::Type;

namespace {

template <class Builder, class Value>
std::shared_ptr<arrow::Array> array_of(Builder&& builder, const std::vector<Value>& values) {
  for (const auto& value : values) REQUIRE(builder.Append(value).ok());
  REQUIRE(builder.AppendNull().ok());
  return builder.Finish().ValueOrDie();
}

// Writes one column named "c" the way Arrow does by default, and with its schema, as pandas does.
void write_with_arrow(const std::string& path, const std::shared_ptr<arrow::Array>& array,
                      bool int96 = false) {
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("c", array->type())}), {array});
  const auto sink = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  parquet::ArrowWriterProperties::Builder builder;
  builder.store_schema();
  if (int96) builder.enable_deprecated_int96_timestamps();
  REQUIRE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 1 << 20,
                                     parquet::default_writer_properties(), builder.build())
              .ok());
}

// The first value of column "c"; the row after it is null.
data::Value first_value(const std::string& path, Type expected) {
  for (const bool code_strings : {true, false}) {
    stores::ReadOptions options;
    options.code_strings = code_strings;
    const auto batches = read_table(path, options);
    REQUIRE_MESSAGE(batches.has_value(), one_line(batches.error()));
    const auto& column = batches->front().columns[0];
    CHECK(column.type() == expected);
    CHECK(column.is_null(1));
    if (!code_strings) return column.value(0);
  }
  return {};
}

std::shared_ptr<arrow::Array> timestamp_of(arrow::TimeUnit::type unit, const std::string& zone,
                                           std::int64_t value) {
  return array_of(
      arrow::TimestampBuilder(arrow::timestamp(unit, zone), arrow::default_memory_pool()),
      std::vector<std::int64_t>{value});
}

std::string flights_path() { return std::string(COEVAL_SOURCE_DIR) + "/data/flights-3m.parquet"; }

}  // namespace

TEST_CASE("timestamps of every unit and zone become microseconds UTC") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  for (const auto* zone : {"", "UTC", "America/New_York"}) {
    write_with_arrow(path, timestamp_of(arrow::TimeUnit::SECOND, zone, 978'307'260));
    CHECK(first_value(path, Type::timestamp) == data::Value(std::int64_t{978'307'260'000'000}));
    write_with_arrow(path, timestamp_of(arrow::TimeUnit::MILLI, zone, -1));
    CHECK(first_value(path, Type::timestamp) == data::Value(std::int64_t{-1'000}));
    write_with_arrow(path, timestamp_of(arrow::TimeUnit::MICRO, zone, 7));
    CHECK(first_value(path, Type::timestamp) == data::Value(std::int64_t{7}));
    write_with_arrow(path, timestamp_of(arrow::TimeUnit::NANO, zone, -1));
    CHECK(first_value(path, Type::timestamp) == data::Value(std::int64_t{-1}));
  }
  write_with_arrow(path, timestamp_of(arrow::TimeUnit::MICRO, "", 978'307'260'000'001), true);
  CHECK(first_value(path, Type::timestamp) == data::Value(std::int64_t{978'307'260'000'001}));
}

TEST_CASE("a timestamp that microseconds cannot hold is an error, not another time") {
  TemporaryFolder folder;
  write_with_arrow(folder / "t.parquet",
                   timestamp_of(arrow::TimeUnit::MILLI, "UTC", 9'223'372'036'854'776));
  const auto batches = read_table(folder / "t.parquet");
  REQUIRE_FALSE(batches.has_value());
  CHECK(batches.error().code == Code::out_of_range);
  CHECK(one_line(batches.error()).find("'c'") != std::string::npos);
}

TEST_CASE("strings are read from each of Arrow's layouts, dates from both") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  const std::vector<std::string> text = {"Zürich"};
  write_with_arrow(path, array_of(arrow::StringBuilder(), text));
  CHECK(first_value(path, Type::string) == data::Value(text[0]));
  write_with_arrow(path, array_of(arrow::LargeStringBuilder(), text));
  CHECK(first_value(path, Type::string) == data::Value(text[0]));
  // The last one is what pandas makes of a category.
  write_with_arrow(path, array_of(arrow::DictionaryBuilder<arrow::StringType>(), text));
  CHECK(first_value(path, Type::string) == data::Value(text[0]));

  write_with_arrow(path, array_of(arrow::Date32Builder(), std::vector<std::int32_t>{-3}));
  CHECK(first_value(path, Type::date) == data::Value(std::int64_t{-3}));
  write_with_arrow(path, array_of(arrow::Date64Builder(), std::vector<std::int64_t>{86'400'000}));
  CHECK(first_value(path, Type::date) == data::Value(std::int64_t{1}));
}

TEST_CASE("integers of other widths come as the next wider one") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  const auto check = [&](auto builder, auto value, Type type) {
    write_with_arrow(path, array_of(builder, std::vector{value}));
    CHECK(first_value(path, type) == data::Value(static_cast<std::int64_t>(value)));
  };
  check(arrow::Int8Builder(), std::int8_t{-128}, Type::int32);
  check(arrow::UInt8Builder(), std::uint8_t{255}, Type::int32);
  check(arrow::Int16Builder(), std::int16_t{-32'768}, Type::int32);
  check(arrow::UInt16Builder(), std::uint16_t{65'535}, Type::int32);
  check(arrow::UInt32Builder(), std::uint32_t{4'294'967'295}, Type::int64);
  check(arrow::UInt64Builder(), std::uint64_t{INT64_MAX}, Type::int64);
  write_with_arrow(path, array_of(arrow::UInt64Builder(),
                                  std::vector<std::uint64_t>{std::uint64_t{INT64_MAX} + 1}));
  const auto refused = read_table(path, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::out_of_range);
  CHECK(refused.error().message.find("9223372036854775808") != std::string::npos);
}

TEST_CASE("columns of bytes are read as strings, what is no UTF-8 as it is") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  for (const std::string text : {"Zürich", "\xff\xfe", ""}) {
    write_with_arrow(path, array_of(arrow::BinaryBuilder(), std::vector{text}));
    CHECK(first_value(path, Type::string) == data::Value(text));
    write_with_arrow(path, array_of(arrow::LargeBinaryBuilder(), std::vector{text}));
    CHECK(first_value(path, Type::string) == data::Value(text));
  }
}

TEST_CASE(
    "a type that we do not have is refused with the column's name, unless nobody asks for it") {
  TemporaryFolder folder;
  const auto numbers = array_of(arrow::Int64Builder(), std::vector<std::int64_t>{1});
  const auto halves = array_of(arrow::FixedSizeBinaryBuilder(arrow::fixed_size_binary(1)),
                               std::vector<std::string>{"x"});
  const auto list = std::make_shared<arrow::ListBuilder>(arrow::default_memory_pool(),
                                                         std::make_shared<arrow::Int64Builder>());
  for (int row = 0; row < 2; ++row) REQUIRE(list->Append().ok());
  const auto lists = list->Finish().ValueOrDie();
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("nested", lists->type()), arrow::field("price", halves->type()),
                     arrow::field("n", numbers->type())}),
      {lists, halves, numbers});
  const auto sink = arrow::io::FileOutputStream::Open(folder / "t.parquet").ValueOrDie();
  REQUIRE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink).ok());

  for (const std::string name : {"nested", "price"}) {
    stores::ReadOptions options;
    options.columns = {"n", name};
    const auto refused = parquet_files()->open(folder / "t.parquet", options);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Code::unsupported);
    CHECK(refused.error().message.find("'" + name + "'") != std::string::npos);
  }
  CHECK_FALSE(parquet_files()->open(folder / "t.parquet", {}).has_value());
  const auto names = parquet_files()->column_names(folder / "t.parquet");
  REQUIRE(names.has_value());
  CHECK(*names == std::vector<std::string>{"nested", "price", "n"});
  stores::ReadOptions options;
  options.columns = {"n"};
  const auto batches = read_table(folder / "t.parquet", options);
  REQUIRE(batches.has_value());
  CHECK(batches->front().columns[0].value(0) == data::Value(std::int64_t{1}));
}

TEST_CASE("a decimal of at most 18 digits is one of ours, however the file stores it") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  for (const auto& [precision, scale, value] :
       {std::tuple{4, 1, std::int64_t{-9999}}, std::tuple{9, 2, std::int64_t{314}},
        std::tuple{12, 2, std::int64_t{-123'456'789'012}},
        std::tuple{18, 18, std::int64_t{999'999'999'999'999'999}}}) {
    const auto array = array_of(arrow::Decimal128Builder(arrow::decimal128(precision, scale)),
                                std::vector<arrow::Decimal128>{arrow::Decimal128(value)});
    for (const bool integers : {false, true}) {  // fixed bytes, or INT32 and INT64
      const auto table =
          arrow::Table::Make(arrow::schema({arrow::field("c", array->type())}), {array});
      const auto sink = arrow::io::FileOutputStream::Open(path).ValueOrDie();
      parquet::WriterProperties::Builder properties;
      if (integers) properties.enable_store_decimal_as_integer();
      REQUIRE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 1 << 20,
                                         properties.build())
                  .ok());
      CHECK(first_value(path, data::decimal_type(precision, scale)) == data::Value(value));
    }
  }
}

TEST_CASE("a decimal of more digits comes as the text of its value") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  const auto wide = arrow::Decimal128::FromString("123456789012345678901.25").ValueOrDie();
  write_with_arrow(path, array_of(arrow::Decimal128Builder(arrow::decimal128(38, 2)),
                                  std::vector<arrow::Decimal128>{wide}));
  CHECK(first_value(path, Type::string) == data::Value(std::string("123456789012345678901.25")));
  const auto wider = arrow::Decimal256::FromString("-1.50").ValueOrDie();
  write_with_arrow(path, array_of(arrow::Decimal256Builder(arrow::decimal256(60, 2)),
                                  std::vector<arrow::Decimal256>{wider}));
  CHECK(first_value(path, Type::string) == data::Value(std::string("-1.50")));
}

TEST_CASE("what a file calls text is read as it is, where it is no UTF-8 too") {
  TemporaryFolder folder;
  write_with_arrow(folder / "t.parquet",
                   array_of(arrow::StringBuilder(), std::vector<std::string>{"Z\xfcrich"}));
  for (const bool code_strings : {true, false}) {
    stores::ReadOptions options;
    options.code_strings = code_strings;
    const auto batches = read_table(folder / "t.parquet", options);
    REQUIRE(batches.has_value());
    CHECK(batches->front().columns[0].value(0) == data::Value(std::string("Z\xfcrich")));
  }
}

// The expected sums are DuckDB's over the same file.
TEST_CASE("three million flights are read as DuckDB reads them") {
  if (!std::filesystem::exists(flights_path())) {
    MESSAGE("skipped: data/flights-3m.parquet is absent; ./dev setup fetches it");
    return;
  }
  const auto batches = read_table(flights_path());
  REQUIRE(batches.has_value());
  const std::vector<Type> types = {Type::timestamp, Type::int64, Type::int64, Type::string,
                                   Type::string};
  std::int64_t rows = 0, delay = 0, distance = 0, from_atlanta = 0, to_los_angeles = 0,
               unsorted = 0;
  std::int64_t last = 0;
  __int128 times = 0;
  for (const auto& batch : *batches) {
    for (std::size_t i = 0; i < types.size(); ++i) CHECK(batch.columns[i].type() == types[i]);
    const auto at = batch.find("date")->values<std::int64_t>();
    const auto delays = batch.find("delay")->values<std::int64_t>();
    const auto distances = batch.find("distance")->values<std::int64_t>();
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      const auto index = static_cast<std::size_t>(row);
      unsorted += at[index] < last;
      last = at[index];
      times += at[index];
      delay += delays[index];
      distance += distances[index];
      from_atlanta += batch.find("origin")->string(row) == "ATL";
      to_los_angeles += batch.find("destination")->string(row) == "LAX";
    }
    rows += batch.rows;
  }
  CHECK(rows == 3'000'000);
  CHECK(delay == 20'003'603);
  CHECK(distance == 2'194'861'208);
  CHECK((times == static_cast<__int128>(2'958'522'682'120'320) * 1'000'000));
  CHECK(from_atlanta == 124'711);
  CHECK(to_los_angeles == 115'225);
  CHECK(unsorted == 0);
  CHECK(last == 993'945'600'000'000);
  CHECK(batches->back().find("origin")->dictionary().size() == 229);
  CHECK(batches->back().find("destination")->dictionary().size() == 228);
}

}  // namespace coeval
