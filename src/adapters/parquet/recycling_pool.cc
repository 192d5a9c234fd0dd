#include "adapters/parquet/recycling_pool.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace coeval::parquet_adapter {

namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
}  // namespace

// The sizes are 2^k and, between it and the next, 3 · 2^(k − 1), numbered from the least on.
constexpr std::size_t RecyclingPool::size_number(std::int64_t size) {
  if (size <= std::int64_t{1} << kLeastBits) return 0;
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(size - 1))) - 1;
  const bool upper = size > std::int64_t{3} << (bits - 1);
  return static_cast<std::size_t>(2 * (bits - kLeastBits)) + (upper ? 2 : 1);
}

constexpr std::int64_t RecyclingPool::bytes_of(std::size_t number) {
  const int bits = kLeastBits + static_cast<int>(number / 2);
  return number % 2 == 0 ? std::int64_t{1} << bits : std::int64_t{3} << (bits - 1);
}

bool RecyclingPool::is_recycled(std::int64_t size, std::int64_t alignment) {
  static_assert(kMostBytes == std::int64_t{1} << kMostBits);
  static_assert(size_number(kMostBytes) == kSizes - 1 && bytes_of(kSizes - 1) == kMostBytes);
  static_assert(size_number(97) == 2 && size_number(128) == 2 && size_number(129) == 3);
  return size > 0 && size <= kMostBytes && alignment <= arrow::kDefaultBufferAlignment;
}

arrow::Status RecyclingPool::Allocate(std::int64_t size, std::int64_t alignment,
                                      std::uint8_t** out) {
  if (!is_recycled(size, alignment)) return malloc_->Allocate(size, alignment, out);
  ARROW_RETURN_NOT_OK(take(size_number(size), out));
  allocated_.fetch_add(size, kRelaxed);
  count(size);
  return arrow::Status::OK();
}

arrow::Status RecyclingPool::Reallocate(std::int64_t old_size, std::int64_t new_size,
                                        std::int64_t alignment, std::uint8_t** bytes) {
  const bool was = is_recycled(old_size, alignment), is = is_recycled(new_size, alignment);
  if (!was && !is) return malloc_->Reallocate(old_size, new_size, alignment, bytes);
  if (was && is && size_number(old_size) == size_number(new_size)) {
    allocated_.fetch_add(new_size - old_size, kRelaxed);
    count(std::max<std::int64_t>(0, new_size - old_size));
    return arrow::Status::OK();
  }
  std::uint8_t* moved = nullptr;
  ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *bytes, static_cast<std::size_t>(std::min(old_size, new_size)));
  Free(*bytes, old_size, alignment);
  *bytes = moved;
  return arrow::Status::OK();
}

void RecyclingPool::Free(std::uint8_t* bytes, std::int64_t size, std::int64_t alignment) {
  if (!is_recycled(size, alignment)) return malloc_->Free(bytes, size, alignment);
  allocated_.fetch_sub(size, kRelaxed);
  keep(size_number(size), bytes);
}

void RecyclingPool::ReleaseUnused() {
  for (std::size_t number = 0; number < kSizes; ++number) {
    Unused& unused = unused_[number];
    const std::lock_guard lock(unused.mutex);
    for (std::uint8_t* const bytes : unused.buffers) std::free(bytes);
    unused_bytes_.fetch_sub(bytes_of(number) * std::ssize(unused.buffers));
    unused.buffers.clear();
  }
}

// The one given back last, which the caches may still hold.
arrow::Status RecyclingPool::take(std::size_t number, std::uint8_t** out) {
  {
    Unused& unused = unused_[number];
    const std::lock_guard lock(unused.mutex);
    if (!unused.buffers.empty()) {
      *out = unused.buffers.back();
      unused.buffers.pop_back();
      unused_bytes_.fetch_sub(bytes_of(number), kRelaxed);
      return arrow::Status::OK();
    }
  }
  constexpr auto kAlignment = static_cast<std::size_t>(arrow::kDefaultBufferAlignment);
  const auto rounded = (static_cast<std::size_t>(bytes_of(number)) + kAlignment - 1) / kAlignment;
  *out = static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, rounded * kAlignment));
  if (*out != nullptr) return arrow::Status::OK();
  return arrow::Status::OutOfMemory("malloc of ", bytes_of(number), " bytes failed");
}

void RecyclingPool::keep(std::size_t number, std::uint8_t* bytes) {
  const std::int64_t size = bytes_of(number);
  if (unused_bytes_.fetch_add(size, kRelaxed) + size > kMostUnused) {
    unused_bytes_.fetch_sub(size, kRelaxed);
    return std::free(bytes);
  }
  const std::lock_guard lock(unused_[number].mutex);
  unused_[number].buffers.push_back(bytes);
}

void RecyclingPool::count(std::int64_t bytes) {
  total_.fetch_add(bytes, kRelaxed);
  allocations_.fetch_add(1, kRelaxed);
}

std::int64_t RecyclingPool::bytes_allocated() const {
  return allocated_.load() + malloc_->bytes_allocated();
}
std::int64_t RecyclingPool::total_bytes_allocated() const {
  return total_.load() + malloc_->total_bytes_allocated();
}
std::int64_t RecyclingPool::num_allocations() const {
  return allocations_.load() + malloc_->num_allocations();
}

}  // namespace coeval::parquet_adapter
