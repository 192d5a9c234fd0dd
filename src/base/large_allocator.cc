#include "base/large_allocator.h"

#include <sys/mman.h>

namespace coeval {

void* allocate_large(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  if (rounded < bytes) return nullptr;
  void* memory = std::aligned_alloc(kHugePage, rounded);
#ifdef MADV_HUGEPAGE
  if (memory != nullptr) (void)::madvise(memory, rounded, MADV_HUGEPAGE);  // a wish only
#endif
  return memory;
}

}  // namespace coeval
