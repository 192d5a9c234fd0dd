#include "adapters/parquet/parquet_files.h"

#include <exception>
#include <utility>

#include "adapters/parquet/parquet_reader.h"
#include "adapters/parquet/parquet_writer.h"

namespace coeval::parquet_adapter {

namespace {

class ParquetFiles final : public stores::TableFiles {
 public:
  explicit ParquetFiles(std::shared_ptr<stores::FileLayer> files) : files_(std::move(files)) {}

  Result<std::unique_ptr<stores::TableReader>> open(const std::string& path,
                                                    const stores::ReadOptions& options) override {
    return open_reader(path, options);
  }
  Result<std::vector<std::string>> column_names(const std::string& path) override {
    return column_names_of(path);
  }
  Result<std::unique_ptr<stores::TableWriter>> create(
      const std::string& path, const data::Schema& schema,
      const stores::WriteOptions& options) override {
    return create_writer(path, schema, options, files_);
  }

 private:
  std::shared_ptr<stores::FileLayer> files_;
};

}  // namespace

std::unique_ptr<stores::TableFiles> make_parquet_files(std::shared_ptr<stores::FileLayer> files) {
  return std::make_unique<ParquetFiles>(std::move(files));
}

}  // namespace coeval::parquet_adapter

int coeval_table_files_v1(coeval::stores::TableFiles** out) {
  try {
    *out = coeval::parquet_adapter::make_parquet_files(coeval::stores::disk_files()).release();
    return 0;
  } catch (const std::exception&) {
    return 1;
  }
}
