#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "base/error.h"
#include "data/column.h"

namespace coeval::parquet_adapter {

/// The Arrow schema of ours; timestamps are µs UTC. Errors: unsupported for a type that no file has
/// (duration, null), naming the column.
Result<std::shared_ptr<arrow::Schema>> to_arrow(const data::Schema& schema);

/// A batch as Arrow sees it, without copying: valid as long as `batch` lives. Coded columns become
/// dictionaries.
std::shared_ptr<arrow::RecordBatch> to_arrow(const data::Batch& batch);

}  // namespace coeval::parquet_adapter
