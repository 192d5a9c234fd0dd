#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace coeval::kernel {

/// Calls part(0) … part(parts − 1), each once, in any order or side by side, and returns when all
/// are done.
using RunParts =
    std::function<void(std::size_t parts, const std::function<void(std::size_t)>& part)>;
inline void run_in_turn(std::size_t parts, const std::function<void(std::size_t)>& part) {
  for (std::size_t i = 0; i < parts; ++i) part(i);
}

/// Rows cut into ranges that are worth a thread each: a few, whatever the number of threads, so
/// that what is made of them does not depend on it.
class RowRanges {
 public:
  explicit RowRanges(std::int64_t rows)
      : rows_(rows),
        count_(static_cast<std::size_t>(std::clamp<std::int64_t>(rows / kWorth, 1, 16))) {}
  std::size_t count() const { return count_; }
  /// Ranges begin at multiples of 1,024, the size of a block of rows.
  std::int64_t begin(std::size_t range) const {
    if (range == count_) return rows_;
    return rows_ / static_cast<std::int64_t>(count_) * static_cast<std::int64_t>(range) / 1024 *
           1024;
  }

 private:
  static constexpr std::int64_t kWorth = 131'072;
  std::int64_t rows_;
  std::size_t count_;
};

}  // namespace coeval::kernel
