#include "adapters/parquet/arrow_ipc.h"
#include "adapters/parquet/memory_pool.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/compression.h>
#include <doctest/doctest.h>

#include <filesystem>

#include "adapters/parquet/testing_tables.h"
#include "stores/temporary_folder.h"

namespace coeval {

using namespace parquet_adapter;
using data::Type;

namespace {

enum class Form : std::uint8_t { file, stream };

std::shared_ptr<arrow::RecordBatch> batch_of(int first, int rows) {
  arrow::Int32Builder i;
  arrow::DoubleBuilder d;
  arrow::StringBuilder s;
  arrow::TimestampBuilder t(arrow::timestamp(arrow::TimeUnit::NANO, "UTC"),
                            arrow::default_memory_pool());
  arrow::Int32Builder c;
  arrow::StringBuilder dictionary;
  REQUIRE(dictionary.AppendValues({"c0", "c1", "c2"}).ok());
  for (int row = first; row < first + rows; ++row) {
    REQUIRE((row % 5 == 0 ? i.AppendNull() : i.Append(row)).ok());
    REQUIRE(d.Append(row / 4.0).ok());
    REQUIRE(s.Append("row " + std::to_string(row)).ok());
    REQUIRE(t.Append(std::int64_t{1'000} * row).ok());
    REQUIRE(c.Append(row % 3).ok());
  }
  const auto schema =
      arrow::schema({arrow::field("i", arrow::int32()), arrow::field("d", arrow::float64(), false),
                     arrow::field("s", arrow::utf8()), arrow::field("t", t.type()),
                     arrow::field("c", arrow::dictionary(arrow::int32(), arrow::utf8()))});
  return arrow::RecordBatch::Make(
      schema, rows,
      {i.Finish().ValueOrDie(), d.Finish().ValueOrDie(), s.Finish().ValueOrDie(),
       t.Finish().ValueOrDie(),
       arrow::DictionaryArray::FromArrays(c.Finish().ValueOrDie(), dictionary.Finish().ValueOrDie())
           .ValueOrDie()});
}

std::string written(Form form, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                    arrow::Compression::type compression = arrow::Compression::UNCOMPRESSED) {
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  if (compression != arrow::Compression::UNCOMPRESSED)
    options.codec = arrow::util::Codec::Create(compression).ValueOrDie();
  const auto schema = batches.front()->schema();
  const auto writer = form == Form::file
                          ? arrow::ipc::MakeFileWriter(sink, schema, options).ValueOrDie()
                          : arrow::ipc::MakeStreamWriter(sink, schema, options).ValueOrDie();
  for (const auto& batch : batches) REQUIRE(writer->WriteRecordBatch(*batch).ok());
  REQUIRE(writer->Close().ok());
  return sink->Finish().ValueOrDie()->ToString();
}

Result<std::vector<data::Batch>> read(const std::string& bytes,
                                      const stores::ReadOptions& options = {}) {
  COEVAL_ASSIGN(auto reader, open_arrow(stores::bytes_of_text("t.arrow", bytes), options));
  std::vector<data::Batch> batches;
  for (;;) {
    COEVAL_ASSIGN(data::Batch batch, reader->next());
    if (reader->at_end(batch)) return batches;
    batches.push_back(std::move(batch));
  }
}

void check_rows(const std::vector<data::Batch>& batches, int rows) {
  int row = 0;
  for (const data::Batch& batch : batches)
    for (std::int64_t i = 0; i < batch.rows; ++i, ++row) {
      REQUIRE(batch.find("i")->is_null(i) == (row % 5 == 0));
      if (row % 5 != 0) REQUIRE(batch.find("i")->integer(i) == row);
      REQUIRE(batch.find("d")->real(i) == row / 4.0);
      REQUIRE(batch.find("s")->string(i) == "row " + std::to_string(row));
      REQUIRE(batch.find("t")->integer(i) == row);
      REQUIRE(batch.find("c")->string(i) == "c" + std::to_string(row % 3));
    }
  CHECK(row == rows);
}

}  // namespace

TEST_CASE("Arrow files and streams read batch by batch, in slices, compressed or not") {
  for (const Form form : {Form::file, Form::stream})
    for (const auto compression : {arrow::Compression::UNCOMPRESSED, arrow::Compression::LZ4_FRAME,
                                   arrow::Compression::ZSTD}) {
      const std::string bytes =
          written(form, {batch_of(0, 100), batch_of(100, 0), batch_of(100, 57)}, compression);
      stores::ReadOptions options;
      options.batch_rows = 40;
      const auto batches = read(bytes, options);
      REQUIRE_MESSAGE(batches.has_value(), one_line(batches.error()));
      CHECK(batches->size() == 5);
      CHECK(batches->front().schema.fields[1] == data::Field{"d", Type::float64, false});
      CHECK(batches->front().columns[4].is_coded());
      check_rows(*batches, 157);
    }
}

TEST_CASE("a pool gives out no more than its limits, and outlives its reader") {
  auto pool = limited_pool(std::int64_t{3} << 20);
  std::uint8_t *one = nullptr, *other = nullptr;
  REQUIRE(pool->Allocate(std::int64_t{2} << 20, 64, &one).ok());
  CHECK(pool->Allocate(std::int64_t{2} << 20, 64, &other).IsOutOfMemory());
  CHECK(limited_pool(std::int64_t{8} << 30)
            ->Allocate((std::int64_t{1} << 30) + 1, 64, &other)
            .IsOutOfMemory());
  arrow::MemoryPool* const raw = pool.get();
  pool.reset();
  raw->Free(one, std::int64_t{2} << 20, 64);  // ends it
}

TEST_CASE("columns of an Arrow file are picked by name, in the order asked") {
  stores::ReadOptions options;
  options.columns = {"s", "i"};
  const auto batches = read(written(Form::file, {batch_of(0, 3)}), options).value();
  REQUIRE(batches.front().schema.fields.size() == 2);
  CHECK(batches.front().columns[0].string(2) == "row 2");
  options.columns = {"nowhere"};
  CHECK(read(written(Form::file, {batch_of(0, 3)}), options).error().code == Code::unknown_key);
}

TEST_CASE("an Arrow file or stream that is cut short anywhere is an error") {
  for (const Form form : {Form::file, Form::stream}) {
    const std::string bytes = written(form, {batch_of(0, 9), batch_of(9, 9)});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto batches = read(bytes.substr(0, size));
      CAPTURE(size);
      REQUIRE_FALSE(batches);
      REQUIRE(batches.error().code == Code::bad_file);
    }
    if (form == Form::stream) CHECK(read(bytes + "x").error().code == Code::bad_file);
  }
}

TEST_CASE("damaged Arrow bytes are an error or a table, never a crash") {
  for (const auto compression : {arrow::Compression::UNCOMPRESSED, arrow::Compression::LZ4_FRAME}) {
    const std::string bytes = written(Form::stream, {batch_of(0, 50)}, compression);
    for (std::size_t at = 0; at < bytes.size(); ++at)
      for (const int bit : {1, 64, 128}) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ bit);
        const auto batches = read(damaged);
        if (!batches) continue;
        for (const data::Batch& batch : *batches)
          for (const data::Column& column : batch.columns)
            for (std::int64_t row = 0; row < batch.rows; ++row)
              static_cast<void>(column.value(row));
      }
  }
}

TEST_CASE("what is not read of Arrow is told") {
  CHECK(read("FEA1 and more").error().message.find("Feather V1") != std::string::npos);
  CHECK(read("").error().code == Code::bad_file);
  CHECK(read("a,b\n1,2\n3,4\n").error().code == Code::bad_file);
  CHECK(make_arrow_files()->open("/none.arrow", {}).error().code == Code::no_such_file);
}

TEST_CASE("an Arrow file is written whole or not at all, and read back") {
  const stores::TemporaryFolder folder;
  const std::string path = folder.path() + "/t.arrow";
  const data::Schema schema{
      {{"x", data::Type::float32, false}, {"word", data::Type::string, true}}};
  {
    auto writer = make_arrow_files()->create(path, schema, {}).value();
    for (int part = 0; part < 3; ++part) {
      data::ColumnBuilder x(data::Type::float32), word(data::Type::string);
      for (int row = 0; row < 50; ++row) {
        x.append_real(part * 50 + row);
        if (row % 7 == 0)
          word.append_null();
        else
          word.append_string("w" + std::to_string(row));
      }
      data::Batch batch{schema, {x.finish(), word.finish()}, 50};
      REQUIRE(writer->write(batch).has_value());
      data::Batch other{schema, {batch.columns[1], batch.columns[0]}, 50};
      if (part == 2) CHECK(writer->write(other).error().code == Code::type_mismatch);
    }
    CHECK_FALSE(std::filesystem::exists(path));
    REQUIRE(writer->close().has_value());
    CHECK_FALSE(writer->close().has_value());
  }
  auto reader = make_arrow_files()->open(path, {}).value();
  std::int64_t rows = 0;
  for (;;) {
    const data::Batch batch = reader->next().value();
    if (batch.rows == 0) break;
    for (std::int64_t row = 0; row < batch.rows; ++row, ++rows) {
      CHECK(batch.columns[0].real(row) == static_cast<double>(rows));
      CHECK(batch.columns[1].is_null(row) == (rows % 50 % 7 == 0));
      if (rows % 50 % 7 != 0)
        CHECK(batch.columns[1].string(row) == "w" + std::to_string(rows % 50));
    }
  }
  CHECK(rows == 150);
  CHECK(make_arrow_files()->create("/nowhere/t.arrow", schema, {}).error().code ==
        Code::no_such_file);
}

}  // namespace coeval
