#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::replay {

/// Row numbers in ascending order of `keys`, equal keys in row order. Stable radix sort: O(n)
/// passes over the bytes in which keys differ; one scan when they are sorted already.
std::vector<std::int64_t> stable_order(std::span<const std::int64_t> keys);

}  // namespace coeval::replay
