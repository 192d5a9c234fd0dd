#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/parquet/parquet_files.h"
#include "data/column.h"

// What the tests of this folder share.
namespace coeval::parquet_testing {

/// A folder that goes away with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "coeval-parquet-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::size_t files_count() const {
    const std::filesystem::directory_iterator begin(path_);
    return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
  }

 private:
  std::string path_;
};

inline std::unique_ptr<stores::TableFiles> parquet_files() {
  return parquet_adapter::make_parquet_files(stores::disk_files());
}

/// Writes the batches to `path` as one file.
inline Status write_table(const std::string& path, const std::vector<data::Batch>& batches,
                          const stores::WriteOptions& options = {}) {
  COEVAL_ASSIGN(auto writer, parquet_files()->create(path, batches.front().schema, options));
  for (const auto& batch : batches) COEVAL_TRY(writer->write(batch));
  return writer->close();
}

/// All batches of a file, without the empty one at the end.
inline Result<std::vector<data::Batch>> read_table(const std::string& path,
                                                   const stores::ReadOptions& options = {}) {
  COEVAL_ASSIGN(auto reader, parquet_files()->open(path, options));
  std::vector<data::Batch> batches;
  for (;;) {
    COEVAL_ASSIGN(data::Batch batch, reader->next());
    if (batch.rows == 0) return batches;
    batches.push_back(std::move(batch));
  }
}

/// One row of every type a row index can make; a null wherever `nulls` says so.
inline data::Batch table_of_all_types(std::int64_t rows, bool nulls) {
  using data::Type;
  const std::vector<Type> types = {Type::boolean,   Type::int32,   Type::int64,
                                   Type::float32,   Type::float64, Type::string,
                                   Type::timestamp, Type::date,    data::decimal_type(18, 4)};
  data::Batch batch;
  batch.rows = rows;
  for (const Type type : types) {
    data::ColumnBuilder builder(type);
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t mixed = (row * 2'654'435'761 + 17) % 1'000'003 - 500'000;
      if (nulls && (row + static_cast<std::int64_t>(type)) % 3 == 0)
        builder.append_null();
      else if (type == Type::boolean)
        builder.append_boolean(mixed % 2 == 0);
      else if (type == Type::string)
        builder.append_string("s" + std::to_string(mixed % 50) + (row % 2 == 0 ? "" : "é"));
      else if (data::is_float(type))
        builder.append_real(static_cast<double>(mixed) / 7.0);
      else
        builder.append_integer(type == Type::int32 || type == Type::date ? mixed
                                                                         : mixed * 4'000'000'007);
    }
    batch.schema.fields.push_back({std::string(data::name(type)), type, nulls});
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

}  // namespace coeval::parquet_testing
