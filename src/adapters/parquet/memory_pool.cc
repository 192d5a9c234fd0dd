#include "adapters/parquet/memory_pool.h"

#include <cstdlib>

namespace coeval::parquet_adapter {

arrow::MemoryPool* memory_pool() {
  static arrow::MemoryPool* const pool = [] {
    arrow::MemoryPool* chosen = nullptr;
    const bool overridden = std::getenv("ARROW_DEFAULT_MEMORY_POOL") != nullptr;
    if (overridden || !arrow::jemalloc_memory_pool(&chosen).ok())
      chosen = arrow::default_memory_pool();
    (void)arrow::jemalloc_set_decay_ms(10'000);
    return chosen;
  }();
  return pool;
}

}  // namespace coeval::parquet_adapter
