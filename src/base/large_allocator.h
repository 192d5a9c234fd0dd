#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace coeval {

/// From so many bytes on memory is worth huge pages.
inline constexpr std::size_t kLargeBytes = std::size_t{4} << 20;

/// Memory in huge pages where the system gives them, which saves page faults and misses of the
/// address cache; null when there is none. Freed by std::free.
void* allocate_large(std::size_t bytes);

/// Wishes for huge pages for memory that is not written yet, as far as whole ones lie in it.
void wish_huge_pages(void* memory, std::size_t bytes);

/// An empty vector with room for `count` elements, in huge pages when they are many: for vectors
/// whose type others share, who take no LargeVector.
template <class T>
std::vector<T> make_reserved(std::size_t count) {
  std::vector<T> made;
  made.reserve(count);
  if (count * sizeof(T) >= kLargeBytes) wish_huge_pages(made.data(), count * sizeof(T));
  return made;
}

/// Arrays that are filled once, and filled or read at many places at once: in huge pages when they
/// are large, and elements that are not given a value are not given one. Trivial types only.
template <class T>
struct LargeAllocator {
  using value_type = T;

  LargeAllocator() = default;
  template <class U>
  explicit LargeAllocator(const LargeAllocator<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes < kLargeBytes) return static_cast<T*>(::operator new(bytes, std::align_val_t{64}));
    void* memory = allocate_large(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    if (count * sizeof(T) < kLargeBytes)
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
