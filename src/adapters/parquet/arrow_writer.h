#pragma once

#include <memory>
#include <string>

#include "stores/table_files.h"

namespace coeval::parquet_adapter {

/// stores::TableFiles::create() for Arrow's file format (Feather V2), without compression: a record
/// batch for each that is written, coded columns as plain ones. Options change nothing.
Result<std::unique_ptr<stores::TableWriter>> create_arrow_writer(const std::string& path,
                                                                 const data::Schema& schema);

}  // namespace coeval::parquet_adapter
