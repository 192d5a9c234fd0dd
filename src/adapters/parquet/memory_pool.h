#pragma once

#include <arrow/memory_pool.h>

namespace coeval::parquet_adapter {

/// Where Arrow takes the adapter's memory: jemalloc, which hands less of it back to the system
/// between one page and the next than Arrow's own choice. ARROW_DEFAULT_MEMORY_POOL overrides it,
/// for sanitizers.
arrow::MemoryPool* memory_pool();

}  // namespace coeval::parquet_adapter
