#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <arrow/memory_pool.h>
#include <arrow/status.h>

namespace coeval::parquet_adapter {

/// A pool over malloc that keeps the buffers given back to it for the next who asks for one of
/// their size: a reader of Parquet asks for the same sizes for each column and batch. Sizes up to
/// kMostBytes are rounded up to 2^k or 3 · 2^(k − 1) bytes, so that a buffer that grows or shrinks
/// within one of them stays where it is. Larger ones are malloc's own. Threads may share it.
class RecyclingPool final : public arrow::MemoryPool {
 public:
  static constexpr std::int64_t kMostBytes = std::int64_t{16} << 20;
  /// It keeps at most so many bytes that nobody uses.
  static constexpr std::int64_t kMostUnused = std::int64_t{128} << 20;

  ~RecyclingPool() override { ReleaseUnused(); }

  arrow::Status Allocate(std::int64_t size, std::int64_t alignment, std::uint8_t** out) override;
  arrow::Status Reallocate(std::int64_t old_size, std::int64_t new_size, std::int64_t alignment,
                           std::uint8_t** bytes) override;
  void Free(std::uint8_t* bytes, std::int64_t size, std::int64_t alignment) override;
  void ReleaseUnused() override;

  std::int64_t unused_bytes() const { return unused_bytes_.load(); }
  std::int64_t bytes_allocated() const override;
  std::int64_t total_bytes_allocated() const override;
  std::int64_t num_allocations() const override;
  std::string backend_name() const override { return "recycling"; }

 private:
  static constexpr int kLeastBits = 6, kMostBits = 24;
  static constexpr std::size_t kSizes = 2 * (kMostBits - kLeastBits) + 1;
  struct Unused {
    std::mutex mutex;
    std::vector<std::uint8_t*> buffers;
  };

  static constexpr std::size_t size_number(std::int64_t size);
  static constexpr std::int64_t bytes_of(std::size_t number);
  static bool is_recycled(std::int64_t size, std::int64_t alignment);
  arrow::Status take(std::size_t number, std::uint8_t** out);
  void keep(std::size_t number, std::uint8_t* bytes);
  void count(std::int64_t bytes);

  arrow::MemoryPool* const malloc_ = arrow::system_memory_pool();
  std::array<Unused, kSizes> unused_;
  std::atomic<std::int64_t> unused_bytes_{0}, allocated_{0}, total_{0}, allocations_{0};
};

}  // namespace coeval::parquet_adapter
