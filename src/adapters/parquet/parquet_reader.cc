#include "adapters/parquet/parquet_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <numeric>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/thread_pool.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include "adapters/parquet/arrow_errors.h"
#include "adapters/parquet/arrow_import.h"
#include "adapters/parquet/chosen_fields.h"
#include "adapters/parquet/memory_pool.h"
#include "stores/files.h"

namespace coeval::parquet_adapter {

namespace {

using data::Type;

class ParquetReader final : public stores::TableReader {
 public:
  ParquetReader(std::string path, std::unique_ptr<parquet::arrow::FileReader> file,
                std::unique_ptr<arrow::RecordBatchReader> batches, data::Schema schema,
                std::vector<ColumnImporter> importers)
      : path_(std::move(path)),
        file_(std::move(file)),
        batches_(std::move(batches)),
        schema_(std::move(schema)),
        importers_(std::move(importers)),
        rows_(file_->parquet_reader()->metadata()->num_rows()) {}

  const data::Schema& schema() const override { return schema_; }
  std::int64_t rows() const override { return rows_; }

  Result<data::Batch> next() override {
    return guarded(path_, read_error, [&] { return next_batch(); });
  }

 private:
  Result<data::Batch> next_batch() {
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      COEVAL_ARROW_ASSIGN(batch, path_, batches_->Next());
    } while (batch != nullptr && batch->num_rows() == 0);
    if (batch == nullptr) return at_end();
    rows_read_ += batch->num_rows();
    data::Batch out{schema_, {}, batch->num_rows()};
    for (std::size_t i = 0; i < importers_.size(); ++i) {
      auto column = importers_[i].import(batch->column(static_cast<int>(i)));
      if (!column)
        return std::unexpected(std::move(column).error().within("reading '" + path_ + "'"));
      out.columns.push_back(std::move(*column));
    }
    return out;
  }

  // A damaged footer may promise other rows than the pages hold.
  Result<data::Batch> at_end() {
    if (rows_read_ != rows_ && !importers_.empty())
      return std::unexpected(read_error(
          path_, std::runtime_error("it holds " + std::to_string(rows_read_) +
                                    " rows, but its footer says " + std::to_string(rows_))));
    data::Batch out{schema_, {}, 0};
    for (const auto& importer : importers_)
      out.columns.push_back(data::ColumnBuilder(importer.type()).finish());
    return out;
  }

  std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  data::Schema schema_;
  std::vector<ColumnImporter> importers_;
  std::int64_t rows_ = 0, rows_read_ = 0;
};

Status check_is_file(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0)
    return std::unexpected(stores::error_from_errno(errno, "read", path));
  if (S_ISDIR(found.st_mode))
    return std::unexpected(stores::error_from_errno(EISDIR, "read", path));
  return {};
}

// Where the chosen columns are in the file, and what they become.
struct Plan {
  data::Schema schema;
  std::vector<int> leaves;
  std::vector<ColumnImporter> importers;
};

Result<Plan> plan_columns(const std::string& path, const parquet::arrow::FileReader& file,
                          const std::vector<std::string>& names) {
  const auto& fields = file.manifest().schema_fields;
  std::vector<std::shared_ptr<arrow::Field>> described;
  for (const auto& field : fields) described.push_back(field.field);
  const arrow::Schema schema(std::move(described));
  COEVAL_ASSIGN(const std::vector<int> chosen, chosen_fields(path, schema, names));
  Plan plan;
  for (const int index : chosen) {
    const auto& field = fields[static_cast<std::size_t>(index)];
    const std::string& name = field.field->name();
    auto type = type_of(name, *field.field->type());
    if (!type) return std::unexpected(std::move(type).error().within("reading '" + path + "'"));
    plan.schema.fields.push_back({name, *type, field.field->nullable()});
    const auto* leaf = &field;
    while (!leaf->is_leaf()) leaf = &leaf->children.front();  // of a list
    plan.leaves.push_back(leaf->column_index);
    plan.importers.emplace_back(name, *type);
  }
  return plan;
}

// Arrow has one pool for the process; it only ever grows here.
void grow_pool(int threads) {
  if (threads > arrow::GetCpuThreadPoolCapacity())
    (void)arrow::SetCpuThreadPoolCapacity(threads);  // refused only for threads < 1
}

// Of wide tables fewer rows at once, so that a batch of numbers has at most 128 MiB: several
// are under way, and of 1,000 columns 65,536 rows are half a GB. A power of two: Arrow makes room
// for the next one and copies what is less into a buffer of its size.
std::int64_t rows_at_once(std::int64_t wanted, std::size_t columns) {
  constexpr std::size_t kMostCells = std::size_t{16} << 20;
  constexpr std::int64_t kFewestRows = 1024;
  const auto fitting = static_cast<std::int64_t>(
      std::bit_floor(kMostCells / std::clamp<std::size_t>(columns, 1, kMostCells)));
  return std::max<std::int64_t>(1, std::min(wanted, std::max(fitting, kFewestRows)));
}

parquet::ArrowReaderProperties reader_properties(const parquet::FileMetaData& metadata,
                                                 const stores::ReadOptions& options) {
  parquet::ArrowReaderProperties properties(options.threads > 1);
  const auto columns = static_cast<std::size_t>(metadata.num_columns());
  properties.set_batch_size(
      rows_at_once(options.batch_rows, options.columns.empty() ? columns : options.columns.size()));
  // Without it, memory follows one row group, not the file.
  properties.set_pre_buffer(false);
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  for (int leaf = 0; options.code_strings && leaf < metadata.num_columns(); ++leaf) {
    const auto& logical = metadata.schema()->Column(leaf)->logical_type();
    if (logical != nullptr && logical->is_string()) properties.set_read_dictionary(leaf, true);
  }
  return properties;
}

Result<std::unique_ptr<parquet::arrow::FileReader>> open_file(const std::string& path,
                                                              const stores::ReadOptions& options) {
  COEVAL_ARROW_ASSIGN(std::shared_ptr<arrow::io::RandomAccessFile> input, path,
                      arrow::io::ReadableFile::Open(path));
  parquet::ReaderProperties properties(memory_pool());
  properties.set_page_checksum_verification(true);
  auto pages = parquet::ParquetFileReader::Open(std::move(input), properties);
  const auto arrow_properties = reader_properties(*pages->metadata(), options);
  COEVAL_ARROW_ASSIGN(
      auto file, path,
      parquet::arrow::FileReader::Make(memory_pool(), std::move(pages), arrow_properties));
  return file;
}

Result<std::unique_ptr<stores::TableReader>> open_batches(const std::string& path,
                                                          const stores::ReadOptions& options) {
  COEVAL_ASSIGN(auto file, open_file(path, options));
  COEVAL_ASSIGN(Plan plan, plan_columns(path, *file, options.columns));
  std::vector<int> row_groups(static_cast<std::size_t>(file->num_row_groups()));
  std::iota(row_groups.begin(), row_groups.end(), 0);
  COEVAL_ARROW_ASSIGN(auto batches, path, file->GetRecordBatchReader(row_groups, plan.leaves));
  return std::make_unique<ParquetReader>(path, std::move(file), std::move(batches),
                                         std::move(plan.schema), std::move(plan.importers));
}

}  // namespace

Result<std::unique_ptr<stores::TableReader>> open_reader(const std::string& path,
                                                         const stores::ReadOptions& options) {
  COEVAL_TRY(check_is_file(path));
  grow_pool(options.threads);
  return guarded(path, read_error, [&] { return open_batches(path, options); });
}

Result<std::vector<std::string>> column_names_of(const std::string& path) {
  COEVAL_TRY(check_is_file(path));
  return guarded(path, read_error, [&]() -> Result<std::vector<std::string>> {
    COEVAL_ASSIGN(const auto file, open_file(path, {}));
    std::vector<std::string> names;
    for (const auto& field : file->manifest().schema_fields) names.push_back(field.field->name());
    return names;
  });
}

}  // namespace coeval::parquet_adapter
