#pragma once

#include <memory>
#include <string>

#include "stores/append_file.h"
#include "stores/table_files.h"

namespace coeval::parquet_adapter {

/// stores::TableFiles::create() for Parquet.
Result<std::unique_ptr<stores::TableWriter>> create_writer(
    const std::string& path, const data::Schema& schema, const stores::WriteOptions& options,
    std::shared_ptr<stores::FileLayer> files);

}  // namespace coeval::parquet_adapter
