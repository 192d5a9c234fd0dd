#pragma once

#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "base/error.h"

namespace coeval::parquet_adapter {

/// Indices of a file's top-level fields, in the order asked for; all of them when no name is given.
/// Errors: unknown_key for a name that the file does not have, duplicate_name for one asked for
/// twice, unsupported for one that the file has twice.
Result<std::vector<int>> chosen_fields(const std::string& path, const arrow::Schema& schema,
                                       const std::vector<std::string>& names);

}  // namespace coeval::parquet_adapter
