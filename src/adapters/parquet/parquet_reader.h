#pragma once

#include <memory>
#include <string>

#include "stores/table_files.h"

namespace coeval::parquet_adapter {

/// stores::TableFiles::open() for Parquet.
Result<std::unique_ptr<stores::TableReader>> open_reader(const std::string& path,
                                                         const stores::ReadOptions& options);

}  // namespace coeval::parquet_adapter
