// Lists to Parquet and back, and as Arrow itself writes and reads them.
#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <doctest/doctest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include "adapters/parquet/testing_tables.h"
#include "data/packed_list.h"

namespace coeval {

using namespace parquet_testing;
using data::list_of;
using data::Type;
using data::Value;

namespace {

Value packed(Type element, const std::vector<Value>& values) {
  std::string bytes;
  for (const Value& value : values) data::append_element(bytes, element, value);
  return bytes;
}

data::Batch one_column(Type type, const std::vector<Value>& rows, bool nullable = true) {
  data::ColumnBuilder builder(type);
  for (const Value& row : rows) builder.append(row);
  data::Batch batch;
  batch.schema.fields = {{"c", type, nullable}};
  batch.columns = {builder.finish()};
  batch.rows = static_cast<std::int64_t>(rows.size());
  return batch;
}

std::shared_ptr<arrow::ChunkedArray> read_by_arrow(const std::string& path) {
  auto file = arrow::io::ReadableFile::Open(path).ValueOrDie();
  auto reader = parquet::arrow::OpenFile(file, arrow::default_memory_pool()).ValueOrDie();
  const std::shared_ptr<arrow::Table> table = reader->ReadTable().ValueOrDie();
  REQUIRE(table->ValidateFull().ok());
  return table->column(0);
}

void write_by_arrow(const std::string& path, const std::shared_ptr<arrow::Array>& array) {
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("c", array->type())}), {array});
  const auto sink = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  parquet::ArrowWriterProperties::Builder builder;
  builder.store_schema();
  REQUIRE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 2,
                                     parquet::default_writer_properties(), builder.build())
              .ok());
}

std::vector<std::string> texts_of(const std::string& path) {
  const auto batches = read_table(path);
  REQUIRE_MESSAGE(batches.has_value(), one_line(batches.error()));
  std::vector<std::string> texts;
  for (const auto& batch : *batches) {
    CHECK(batch.columns[0].type() == list_of(Type::float32));
    for (std::int64_t row = 0; row < batch.rows; ++row)
      texts.push_back(data::to_text(batch.columns[0].value(row), batch.columns[0].type()));
  }
  return texts;
}

// [[1, 0.1], null, [], [null, inf], [3, 4]] of any list type of Arrow that has one builder of
// reals.
template <class ListBuilder, class RealBuilder>
std::shared_ptr<arrow::Array> lists_by_arrow() {
  auto reals = std::make_shared<RealBuilder>();
  ListBuilder lists(arrow::default_memory_pool(), reals);
  const auto fill = [&](std::vector<double> values) {
    REQUIRE(lists.Append().ok());
    for (const double value : values)
      REQUIRE((value == 99 ? reals->AppendNull()
                           : reals->Append(static_cast<typename RealBuilder::value_type>(value)))
                  .ok());
  };
  fill({1, 0.1});
  REQUIRE(lists.AppendNull().ok());
  fill({});
  fill({99, std::numeric_limits<double>::infinity()});
  fill({3, 4});
  return lists.Finish().ValueOrDie();
}

}  // namespace

TEST_CASE("lists of float32 come back as they were written, with and without nulls") {
  TemporaryFolder folder;
  for (const bool nulls : {false, true})
    for (const int threads : {1, 3}) {
      std::vector<Value> rows;
      for (int row = 0; row < 5000; ++row) {
        std::vector<Value> values;
        for (int i = 0; i < row % 7; ++i) values.emplace_back(row + i / 4.0);
        rows.push_back(nulls && row % 5 == 0 ? Value{} : packed(Type::float32, values));
      }
      const data::Batch table = one_column(list_of(Type::float32), rows, nulls);
      REQUIRE(write_table(folder / "t.parquet", {table, table}, {.threads = threads}).has_value());
      stores::ReadOptions options;
      options.batch_rows = 1003;
      const auto batches = read_table(folder / "t.parquet", options);
      REQUIRE(batches.has_value());
      std::size_t at = 0;
      for (const auto& batch : *batches)
        for (std::int64_t row = 0; row < batch.rows; ++row)
          CHECK(batch.columns[0].value(row) == rows[at++ % rows.size()]);
      CHECK(at == 2 * rows.size());
    }
}

TEST_CASE("Arrow reads the lists that we write, of every type") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  const auto arrow_text = [&](Type type, const std::vector<Value>& rows) {
    REQUIRE(write_table(path, {one_column(type, rows)}).has_value());
    const auto column = read_by_arrow(path);
    std::string text;
    for (std::int64_t row = 0; row < column->length(); ++row)
      text += (row == 0 ? "" : " ") + column->GetScalar(row).ValueOrDie()->ToString();
    return text;
  };
  const std::int64_t day = 19'000;
  CHECK(arrow_text(list_of(Type::float64),
                   {packed(Type::float64, {0.5, -1.25}), Value{}, packed(Type::float64, {3.0})}) ==
        "list<element: double not null>[0.5, -1.25] null list<element: double not null>[3]");
  CHECK(arrow_text(list_of(Type::int32), {Value{}, packed(Type::int32, {std::int64_t{-7}})}) ==
        "null list<element: int32 not null>[-7]");
  CHECK(arrow_text(list_of(Type::int64), {packed(Type::int64, {std::int64_t{1} << 40})}) ==
        "list<element: int64 not null>[1099511627776]");
  CHECK(arrow_text(list_of(Type::boolean), {packed(Type::boolean, {true, false, true})}) ==
        "list<element: bool not null>[true, false, true]");
  CHECK(arrow_text(
            list_of(Type::string),
            {packed(Type::string, {std::string("a"), std::string("größer"), std::string()})}) ==
        "list<element: string not null>[a, größer, ]");
  CHECK(arrow_text(list_of(Type::date), {packed(Type::date, {day})}) ==
        "list<element: date32[day] not null>[2022-01-08]");
  CHECK(arrow_text(list_of(Type::timestamp), {packed(Type::timestamp, {day * 86'400'000'000})}) ==
        "list<element: timestamp[us, tz=UTC] not null>[2022-01-08 00:00:00.000000Z]");
}

TEST_CASE("coded lists are written as those that they stand for") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  data::Batch batch = one_column(list_of(Type::float32), {Value{}, Value{}, Value{}});
  const auto entries = one_column(
      list_of(Type::float32), {packed(Type::float32, {1.0}), packed(Type::float32, {2.0, 3.0})});
  batch.columns = {data::Column::coded(
      {1, 0, 1}, std::make_shared<const data::Column>(entries.columns[0]), {0b101})};
  REQUIRE(write_table(path, {batch}).has_value());
  CHECK(texts_of(path) == std::vector<std::string>{"[2, 3]", "null", "[2, 3]"});
}

TEST_CASE(
    "lists of floats and doubles are read from all of Arrow's lists; a double is rounded once") {
  TemporaryFolder folder;
  const std::string path = folder / "t.parquet";
  const std::vector<std::string> floats = {"[1, 0.10000000149011612]", "null", "[]", "[null, inf]",
                                           "[3, 4]"};
  write_by_arrow(path, lists_by_arrow<arrow::ListBuilder, arrow::FloatBuilder>());
  CHECK(texts_of(path) == floats);
  write_by_arrow(path, lists_by_arrow<arrow::LargeListBuilder, arrow::FloatBuilder>());
  CHECK(texts_of(path) == floats);
  write_by_arrow(path, lists_by_arrow<arrow::ListBuilder, arrow::DoubleBuilder>());
  CHECK(texts_of(path) == floats);
  // 1 + 2^-24 + 2^-53 lies above the middle of two floats, and 1e300 above them all.
  auto reals = std::make_shared<arrow::DoubleBuilder>();
  arrow::FixedSizeListBuilder lists(arrow::default_memory_pool(), reals, 2);
  for (const double value : {0.5, -0.5}) {
    REQUIRE(lists.Append().ok());
    REQUIRE(reals->AppendValues(std::vector<double>{value, 1 + 0x1p-24 + 0x1p-52}).ok());
  }
  REQUIRE(lists.AppendNull().ok());
  REQUIRE(lists.Append().ok());
  REQUIRE(reals->AppendValues(std::vector<double>{1e300, 2}).ok());
  write_by_arrow(path, lists.Finish().ValueOrDie());
  CHECK(texts_of(path) == std::vector<std::string>{"[0.5, 1.0000001192092896]",
                                                   "[-0.5, 1.0000001192092896]", "null",
                                                   "[inf, 2]"});
}

TEST_CASE("lists of anything else are refused by name") {
  TemporaryFolder folder;
  auto whole = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), whole);
  REQUIRE(lists.Append().ok());
  REQUIRE(whole->Append(1).ok());
  write_by_arrow(folder / "t.parquet", lists.Finish().ValueOrDie());
  const auto read = read_table(folder / "t.parquet");
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == Code::unsupported);
  CHECK(read.error().message.find("column 'c' has the type list<") != std::string::npos);
}

}  // namespace coeval
