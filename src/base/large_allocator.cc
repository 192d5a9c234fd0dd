#include "base/large_allocator.h"

#include <sys/mman.h>

#include <cstdint>

namespace coeval {

namespace {
constexpr std::size_t kHugePage = std::size_t{2} << 20;
}  // namespace

void wish_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  const std::size_t before =
      (kHugePage - reinterpret_cast<std::uintptr_t>(memory) % kHugePage) % kHugePage;
  if (bytes < before + kHugePage) return;
  const std::size_t whole = (bytes - before) / kHugePage * kHugePage;
  (void)::madvise(static_cast<char*>(memory) + before, whole, MADV_HUGEPAGE);  // a wish only
#endif
}

void* allocate_large(std::size_t bytes) {
  const std::size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  if (rounded < bytes) return nullptr;
  void* memory = std::aligned_alloc(kHugePage, rounded);
  if (memory != nullptr) wish_huge_pages(memory, rounded);
  return memory;
}

}  // namespace coeval
