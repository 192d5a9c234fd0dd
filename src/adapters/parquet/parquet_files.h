#pragma once

#include <memory>

#include "stores/append_file.h"
#include "stores/table_files.h"

namespace coeval::parquet_adapter {

/// Parquet behind stores::TableFiles, on Arrow C++.
///
/// Reading: columns are decoded on several threads; buffers are passed on without a copy where
/// Arrow's layout is ours; page checksums are verified where the file has them. The dictionary of a
/// coded column only grows from batch to batch (codes keep their meaning), until it has 65,536
/// entries; from then on each batch has its own. Writing: docs/adr/0002-parquet-encoding.md. Reader
/// and writer outlive the TableFiles.
///
/// Types of a file: bool, int32, int64, float32, float64, string, date, and timestamp, of any unit
/// and zone, as µs UTC (ns rounded down; without a zone taken as UTC). Others: unsupported, naming
/// the column, but only when that column is asked for.
std::unique_ptr<stores::TableFiles> make_parquet_files(std::shared_ptr<stores::FileLayer> files);

}  // namespace coeval::parquet_adapter

/// The one symbol of the module coeval_parquet.so, found by dlsym. Stores a TableFiles that the
/// caller deletes in `*out` and returns 0; returns 1 and leaves `*out` alone if it cannot be made.
/// The module must stay loaded as long as anything that came from it lives: do not dlclose it.
extern "C" __attribute__((visibility("default"))) int coeval_table_files_v1(
    coeval::stores::TableFiles** out);
