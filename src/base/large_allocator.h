#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace coeval {

/// Asks the system to back memory with huge pages; it may ignore that.
void want_huge_pages(void* memory, std::size_t bytes);

/// Memory for arrays of many megabytes that are filled or read at many places at once: huge pages
/// where the system gives them, which saves page faults and misses of the address cache. Elements
/// that are not given a value are not given one: trivial types only.
template <class T>
struct LargeAllocator {
  using value_type = T;
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  LargeAllocator() = default;
  template <class U>
  explicit LargeAllocator(const LargeAllocator<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes < 2 * kHugePage) return static_cast<T*>(::operator new(bytes, std::align_val_t{64}));
    const std::size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    void* memory = std::aligned_alloc(kHugePage, rounded);
    if (memory == nullptr) throw std::bad_alloc();
    want_huge_pages(memory, rounded);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    if (count * sizeof(T) < 2 * kHugePage)
      ::operator delete(memory, std::align_val_t{64});
    else
      std::free(memory);
  }
  template <class U>
  void construct(U*) {}
  template <class U, class First, class... Rest>
  void construct(U* place, First&& first, Rest&&... rest) {
    ::new (static_cast<void*>(place)) U(std::forward<First>(first), std::forward<Rest>(rest)...);
  }
  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }
};

/// Elements beyond the old size have no value after resize().
template <class T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace coeval
