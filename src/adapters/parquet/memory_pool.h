#pragma once

#include <cstdint>
#include <memory>

#include <arrow/memory_pool.h>

namespace coeval::parquet_adapter {

/// Where Arrow takes the adapter's memory: one RecyclingPool for the process (measured in
/// docs/adr/0002). ARROW_DEFAULT_MEMORY_POOL overrides it.
arrow::MemoryPool* memory_pool();

/// A pool over it that gives out at most so many bytes in all, and 1 GiB in one. It lives as long
/// as the pointer and as everything that it gave out: what was read may outlive the reader.
std::shared_ptr<arrow::MemoryPool> limited_pool(std::int64_t most_bytes);

}  // namespace coeval::parquet_adapter
