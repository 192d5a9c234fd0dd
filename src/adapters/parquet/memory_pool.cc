#include "adapters/parquet/memory_pool.h"

#include <atomic>
#include <cstdlib>
#include <string>

#include <arrow/status.h>

#include "adapters/parquet/recycling_pool.h"

namespace coeval::parquet_adapter {

namespace {

constexpr std::int64_t kMostAtOnce = std::int64_t{1} << 30;

class LimitedPool final : public arrow::MemoryPool {
 public:
  explicit LimitedPool(std::int64_t most_bytes) : capped_(memory_pool(), most_bytes) {}

  /// Of the pointer, or of something that was given out; the last one ends the pool.
  void release() {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  arrow::Status Allocate(std::int64_t size, std::int64_t alignment, std::uint8_t** out) override {
    ARROW_RETURN_NOT_OK(check(size));
    ARROW_RETURN_NOT_OK(capped_.Allocate(size, alignment, out));
    holders_.fetch_add(1, std::memory_order_relaxed);
    return arrow::Status::OK();
  }
  arrow::Status Reallocate(std::int64_t old_size, std::int64_t new_size, std::int64_t alignment,
                           std::uint8_t** bytes) override {
    ARROW_RETURN_NOT_OK(check(new_size));
    return capped_.Reallocate(old_size, new_size, alignment, bytes);
  }
  void Free(std::uint8_t* bytes, std::int64_t size, std::int64_t alignment) override {
    capped_.Free(bytes, size, alignment);
    release();
  }
  std::int64_t bytes_allocated() const override { return capped_.bytes_allocated(); }
  std::int64_t total_bytes_allocated() const override { return capped_.total_bytes_allocated(); }
  std::int64_t num_allocations() const override { return capped_.num_allocations(); }
  std::string backend_name() const override { return capped_.backend_name(); }

 private:
  ~LimitedPool() override = default;

  // A damaged file may claim any size, and nothing tells before the memory is there.
  static arrow::Status check(std::int64_t size) {
    if (size <= kMostAtOnce) return arrow::Status::OK();
    return arrow::Status::OutOfMemory("a buffer of ", size, " bytes, more than ", kMostAtOnce);
  }

  arrow::CappedMemoryPool capped_;
  std::atomic<std::int64_t> holders_{1};
};

}  // namespace

std::shared_ptr<arrow::MemoryPool> limited_pool(std::int64_t most_bytes) {
  auto* const pool = new LimitedPool(most_bytes);
  return {pool, [](LimitedPool* held) { held->release(); }};
}

arrow::MemoryPool* memory_pool() {
  // Never destroyed: what Arrow's threads hold may be given back while the process ends.
  static arrow::MemoryPool* const kPool = std::getenv("ARROW_DEFAULT_MEMORY_POOL") != nullptr
                                              ? arrow::default_memory_pool()
                                              : new RecyclingPool;
  return kPool;
}

}  // namespace coeval::parquet_adapter
