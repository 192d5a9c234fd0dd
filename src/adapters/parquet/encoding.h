#pragma once

#include <memory>

namespace arrow {
class Schema;
}
namespace parquet {
class WriterProperties;
}

namespace coeval::parquet_adapter {

/// How every file is written: differences of integers,
/// dictionaries that give up early, zstd at `level` (0: Snappy), page
/// checksums, page index. docs/adr/0002-parquet-encoding.md has the measurements.
std::shared_ptr<parquet::WriterProperties> writer_properties(int level,
                                                             const arrow::Schema& schema);

}  // namespace coeval::parquet_adapter
