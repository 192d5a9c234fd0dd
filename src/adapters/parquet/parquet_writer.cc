#include "adapters/parquet/parquet_writer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_writer.h>
#include <parquet/file_writer.h>
#include <parquet/properties.h>

#include "adapters/parquet/arrow_errors.h"
#include "adapters/parquet/arrow_export.h"
#include "adapters/parquet/arrow_lists.h"
#include "adapters/parquet/encoding.h"
#include "adapters/parquet/memory_pool.h"
#include "adapters/parquet/pending_sink.h"
#include "base/worker_pool.h"

namespace coeval::parquet_adapter {

namespace {

constexpr std::int64_t kRowGroupRows = 1 << 20;

void append_lists(parquet::ColumnWriter& writer, const arrow::ListArray& lists,
                  parquet::ArrowWriterProperties& properties) {
  const ListLevels levels = list_levels(lists, writer.descr()->max_definition_level());
  const std::int64_t first = lists.value_offset(0);
  const auto elements = lists.values()->Slice(first, lists.value_offset(lists.length()) - first);
  parquet::ArrowWriteContext context(memory_pool(), &properties);
  PARQUET_THROW_NOT_OK(writer.WriteArrow(levels.definition.data(), levels.repetition.data(),
                                         static_cast<std::int64_t>(levels.definition.size()),
                                         *elements, &context, false));
}

// A bit becomes a level, eight at a time.
constexpr auto kLevelsOfByte = [] {
  std::array<std::array<std::int16_t, 8>, 256> levels{};
  for (std::size_t byte = 0; byte < levels.size(); ++byte)
    for (std::size_t bit = 0; bit < 8; ++bit)
      levels[byte][bit] = static_cast<std::int16_t>(byte >> bit & 1);
  return levels;
}();

// What Parquet writes besides the values of a column that may be null: 1 = present.
std::vector<std::int16_t> levels_of(const arrow::Array& array) {
  std::vector<std::int16_t> levels(static_cast<std::size_t>(array.length()), 1);
  if (array.null_count() == 0) return levels;
  std::int64_t row = 0;
  if (array.offset() % 8 == 0 && array.null_bitmap_data() != nullptr)
    for (const std::uint8_t* byte = array.null_bitmap_data() + array.offset() / 8;
         row + 8 <= array.length(); row += 8, ++byte)
      std::ranges::copy(kLevelsOfByte[*byte], levels.begin() + row);
  for (; row < array.length(); ++row)
    levels[static_cast<std::size_t>(row)] = array.IsValid(row) ? 1 : 0;
  return levels;
}

// A column of a row group is written from a slice of an array and, where it may be null, its
// levels.
void append_column(parquet::ColumnWriter& writer, const arrow::Array& array,
                   parquet::ArrowWriterProperties& properties) {
  if (array.type_id() == arrow::Type::LIST)
    return append_lists(writer, static_cast<const arrow::ListArray&>(array), properties);
  const bool nullable = writer.descr()->max_definition_level() > 0;
  const std::vector<std::int16_t> levels =
      nullable ? levels_of(array) : std::vector<std::int16_t>();
  parquet::ArrowWriteContext context(memory_pool(), &properties);
  PARQUET_THROW_NOT_OK(writer.WriteArrow(nullable ? levels.data() : nullptr, nullptr,
                                         array.length(), array, &context, nullable));
}

class ParquetWriter final : public stores::TableWriter {
 public:
  ParquetWriter(std::string path, data::Schema schema, int threads,
                std::shared_ptr<PendingSink> sink, std::unique_ptr<parquet::ParquetFileWriter> file)
      : path_(std::move(path)),
        schema_(std::move(schema)),
        sink_(std::move(sink)),
        file_(std::move(file)),
        arrow_properties_(parquet::default_arrow_writer_properties()),
        pool_(std::max(threads, 1)) {}

  Status write(const data::Batch& batch) override {
    COEVAL_TRY(check(batch));
    return step([&] { return append(batch); });
  }

  Status close() override {
    COEVAL_TRY(step([&]() -> Status {
      file_->Close();
      return {};
    }));
    failed_ = true;  // closed: nothing more can be written
    return sink_->publish();
  }

 private:
  // Runs one operation; after a failure the file is only good for being thrown away.
  template <class Body>
  Status step(Body&& body) {
    if (failed_)
      return fail(Code::io, "'" + path_ + "' was closed, or an earlier write to it failed");
    Status done = guarded(path_, write_error, std::forward<Body>(body));
    failed_ = !done.has_value();
    if (failed_)
      if (const auto why = sink_->error()) return std::unexpected(*why);
    return done;
  }

  Status check(const data::Batch& batch) const {
    if (batch.schema.fields.size() != schema_.fields.size() ||
        batch.columns.size() != schema_.fields.size())
      return fail(Code::type_mismatch,
                  "a batch for '" + path_ + "' has other columns than the file");
    for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
      const auto& field = schema_.fields[i];
      if (batch.schema.fields[i].name != field.name || batch.columns[i].type() != field.type)
        return fail(Code::type_mismatch,
                    "column '" + field.name + "' of '" + path_ +
                        "' is given another name or type than when it was created");
      if (!field.nullable && batch.columns[i].has_nulls())
        return fail(Code::missing_value, "column '" + field.name + "' of '" + path_ +
                                             "' holds nulls, but is not nullable");
    }
    return {};
  }

  Status append(const data::Batch& batch) {
    const auto whole = to_arrow(batch);
    for (std::int64_t row = 0; row < batch.rows;) {
      if (row_group_ == nullptr || row_group_rows_ == kRowGroupRows) {
        row_group_ = file_->AppendBufferedRowGroup();
        row_group_rows_ = 0;
      }
      const std::int64_t count = std::min(batch.rows - row, kRowGroupRows - row_group_rows_);
      COEVAL_TRY(append_slice(*whole, row, count));
      row += count;
      row_group_rows_ += count;
    }
    return {};
  }

  // Columns of a buffered row group do not touch each other: each is encoded and compressed on its
  // own.
  Status append_slice(const arrow::RecordBatch& batch, std::int64_t first, std::int64_t count) {
    std::vector<Status> outcomes(static_cast<std::size_t>(batch.num_columns()));
    // column() makes a writer on first use, which is not safe on two threads.
    std::vector<parquet::ColumnWriter*> writers;
    for (int i = 0; i < batch.num_columns(); ++i) writers.push_back(row_group_->column(i));
    pool_.run(outcomes.size(), [&](std::size_t i) {
      outcomes[i] = guarded(path_, write_error, [&]() -> Status {
        const auto slice = batch.column(static_cast<int>(i))->Slice(first, count);
        append_column(*writers[i], *slice, *arrow_properties_);
        return {};
      });
    });
    for (auto& outcome : outcomes) COEVAL_TRY(std::move(outcome));
    return {};
  }

  std::string path_;
  data::Schema schema_;
  std::shared_ptr<PendingSink> sink_;
  std::unique_ptr<parquet::ParquetFileWriter> file_;
  std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties_;
  WorkerPool pool_;
  parquet::RowGroupWriter* row_group_ = nullptr;
  std::int64_t row_group_rows_ = 0;
  bool failed_ = false;
};

std::unique_ptr<parquet::ParquetFileWriter> open_pages(std::shared_ptr<PendingSink> sink,
                                                       const arrow::Schema& schema,
                                                       const stores::WriteOptions& options) {
  const auto properties = writer_properties(options.compression_level, schema);
  std::shared_ptr<parquet::SchemaDescriptor> described;
  PARQUET_THROW_NOT_OK(parquet::arrow::ToParquetSchema(
      &schema, *properties, *parquet::default_arrow_writer_properties(), &described));
  auto root = std::static_pointer_cast<parquet::schema::GroupNode>(described->schema_root());
  std::shared_ptr<arrow::KeyValueMetadata> metadata;
  if (!options.metadata.empty()) metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : options.metadata) metadata->Append(key, value);
  return parquet::ParquetFileWriter::Open(std::move(sink), std::move(root), properties,
                                          std::move(metadata));
}

}  // namespace

Result<std::unique_ptr<stores::TableWriter>> create_writer(
    const std::string& path, const data::Schema& schema, const stores::WriteOptions& options,
    std::shared_ptr<stores::FileLayer> files) {
  return guarded(path, write_error, [&]() -> Result<std::unique_ptr<stores::TableWriter>> {
    COEVAL_ASSIGN(const auto arrow_schema, to_arrow(schema));
    COEVAL_ASSIGN(auto pending, stores::PendingFile::create(path, std::move(files)));
    auto sink = std::make_shared<PendingSink>(std::move(pending));
    auto file = open_pages(sink, *arrow_schema, options);
    return std::make_unique<ParquetWriter>(path, schema, options.threads, std::move(sink),
                                           std::move(file));
  });
}

}  // namespace coeval::parquet_adapter
