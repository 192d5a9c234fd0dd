#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "models/forest_layout.h"
#include "models/forest_source.h"

namespace coeval::models {

/// Where a node of one tree finds its category set: an index into the tree's segments, or kNoSet.
inline constexpr std::uint32_t kNoSet = UINT32_MAX;

/// Gathers the category sets of a forest into ForestLayout's bits.
/// Call order: count() for every tree, allocate() once, then add() for every node that is laid out.
class CategorySets {
 public:
  explicit CategorySets(const SourceForest& forest)
      : library_(forest.library), sets_go_left_(forest.sets_go_left), columns_(forest.width) {}

  /// Checks the tree's category arrays; its columns must be in range. Errors: bad_model, without
  /// the tree's number.
  Status count(const SourceTree& tree);
  /// Places every column's block behind the numbers' keys: layout.planes is complete. Errors:
  /// unsupported when too large.
  Status allocate(ForestLayout& layout);
  /// The slot of a node that splits by set `set` of `tree`; its bits are filled in.
  std::uint32_t add(ForestLayout& layout, const SourceTree& tree, std::uint32_t set);

  /// For each node of a tree that passed count(), its set or kNoSet.
  static std::vector<std::uint32_t> index(const SourceTree& tree);

 private:
  struct Column {
    std::uint32_t limit = 0;  ///< 0 = no set reads this column
    std::uint32_t sets = 0;
    std::uint32_t added = 0;
    std::size_t block = 0;  ///< index into ForestLayout::category_columns
  };
  Status count_set(const SourceTree& tree, std::size_t set);
  std::unexpected<Error> bad_sets(const std::string& what) const;
  std::string_view library_;
  bool sets_go_left_;
  std::int64_t total_codes_ = 0;
  std::vector<Column> columns_;
};

}  // namespace coeval::models
