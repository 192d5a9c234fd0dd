#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "models/forest_layout.h"
#include "models/grouped_trees.h"

namespace coeval::models {

/// Reads rows and walks GroupedTrees. A row is trees.stride() bytes.
struct GroupedWalk {
  const char* name;  ///< of the instruction set
  /// Writes the ranks of one row.
  void (*write_ranks)(const GroupedTrees& trees, const float* row, std::int8_t* ranks);
  /// As add_leaves() of forest_walk.h, for rows × trees.outputs margins: the same bits.
  void (*add_leaves)(const GroupedTrees& trees, const std::int8_t* ranks, std::size_t rows,
                     float* margins);
};

/// Node by node, on any machine.
const GroupedWalk& plain_grouped_walk();
/// One for each instruction set that this machine and build have, the plain one first.
std::span<const GroupedWalk* const> all_grouped_walks();
const GroupedWalk& quickest_grouped_walk();

/// Writes the masks of one row behind its ranks. `layout` is that of the trees.
void write_masks(const ForestLayout& layout, const GroupedTrees& trees, std::span<const float> row,
                 std::int8_t* ranks);

}  // namespace coeval::models
