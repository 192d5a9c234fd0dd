#pragma once

#include <cstdint>
#include <span>

#include "models/forest_layout.h"

namespace coeval::models {

/// Writes the keys of one row: layout.width floats in, layout.keys_count keys out.
void write_keys(const ForestLayout& layout, std::span<const float> row,
                std::span<std::int32_t> keys);

/// Adds every tree's leaf to `margins`, one for each row of `keys` (rows × layout.keys_count), in
/// float32 and in the order of the trees, so that the bits are those of one row alone.
void add_leaves(const ForestLayout& layout, std::span<const std::int32_t> keys,
                std::span<float> margins);

}  // namespace coeval::models
