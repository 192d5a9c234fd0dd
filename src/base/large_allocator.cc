#include "base/large_allocator.h"

#include <sys/mman.h>

namespace coeval {

void want_huge_pages(void* memory, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  (void)::madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

}  // namespace coeval
