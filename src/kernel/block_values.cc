#include "kernel/block_values.h"

#include <algorithm>

namespace coeval::kernel {

std::byte* Arena::grow(std::size_t bytes) {
  constexpr std::size_t kSmallest = std::size_t{64} << 10;
  while (used_chunks_ < chunks_.size() && chunks_[used_chunks_].bytes < bytes) ++used_chunks_;
  if (used_chunks_ == chunks_.size()) {
    // Half as much again as there is, so that the chunks of a block are few.
    const std::size_t size = std::max({bytes, kSmallest, std::min(kept_bytes_ / 2, kKeptBytes)});
    chunks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    kept_bytes_ += size;
  }
  const Chunk& chunk = chunks_[used_chunks_++];
  next_ = chunk.memory.get() + bytes;
  left_ = chunk.bytes - bytes;
  return chunk.memory.get();
}

void Arena::forget() {
  while (kept_bytes_ > kKeptBytes) {
    kept_bytes_ -= chunks_.back().bytes;
    chunks_.pop_back();
  }
}

}  // namespace coeval::kernel
