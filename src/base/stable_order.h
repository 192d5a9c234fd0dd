#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval {

/// Row numbers in ascending order of `keys`, equal keys in row order. Rows are put into
/// buckets of keys and sorted there: O(n) where keys are spread evenly, O(n log n) at worst; one
/// scan when they are sorted already.
std::vector<std::int64_t> stable_order(std::span<const std::int64_t> keys);

}  // namespace coeval
