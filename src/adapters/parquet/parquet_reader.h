#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stores/table_files.h"

namespace coeval::parquet_adapter {

/// stores::TableFiles::open() for Parquet.
Result<std::unique_ptr<stores::TableReader>> open_reader(const std::string& path,
                                                         const stores::ReadOptions& options);
/// stores::TableFiles::column_names() for Parquet.
Result<std::vector<std::string>> column_names_of(const std::string& path);

}  // namespace coeval::parquet_adapter
