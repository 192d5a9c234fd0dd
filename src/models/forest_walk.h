#pragma once

#include <cstdint>
#include <span>

#include "models/forest_layout.h"

namespace coeval::models {

/// Writes the keys of one row: layout.width floats in, layout.keys_count keys out.
void write_keys(const ForestLayout& layout, std::span<const float> row,
                std::span<std::uint32_t> keys);

/// Which row of its block of `category_bits` a column's code reads.
std::size_t category_place(const ForestLayout& layout, const ForestLayout::CategoryColumn& block,
                           float code);
/// The bits that a column's code reads of its block of `category_bits`.
std::span<const std::uint32_t> category_row(const ForestLayout& layout,
                                            const ForestLayout::CategoryColumn& block, float code);

/// Adds every tree's leaf to its output of `margins`, which has rows × layout.outputs for the rows
/// × layout.keys_count of `keys`, in the order of the trees, so that the bits are those of one row
/// alone. float32 sums leaves that are float32, float64 those of layout.leaf_values.
void add_leaves(const ForestLayout& layout, std::span<const std::uint32_t> keys,
                std::span<float> margins);
void add_leaves(const ForestLayout& layout, std::span<const std::uint32_t> keys,
                std::span<double> margins);

}  // namespace coeval::models
