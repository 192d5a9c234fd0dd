#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/large_allocator.h"
#include "define/project.h"
#include "kernel/kernel.h"

namespace coeval::kernel {

/// Columns of answers being filled: 64-bit cells by feature, and a bitmap once something is null.
/// Every cell must be given once.
class AnswerColumns {
 public:
  AnswerColumns(const define::View& view, std::size_t rows);

  std::size_t features() const { return types_.size(); }
  std::size_t rows() const { return rows_; }

  static constexpr std::size_t kTile = 64;

  /// Where the cells of a feature are, for those who fill columns one after the other.
  std::uint64_t* values(std::size_t feature) { return values_[feature]; }
  /// Rows of the feature that are null: bit i of `nulls` says so of row first + i. `first` is a
  /// multiple of kTile. Different tiles may be filled side by side once can_be_null() was called.
  void put_nulls(std::size_t feature, std::size_t first, std::uint64_t nulls) {
    if (nulls_[feature].empty()) nulls_[feature].resize((rows_ + kTile - 1) / kTile);
    nulls_[feature][first / kTile] |= nulls;
  }
  /// Makes room for nulls in every feature.
  void can_be_null() {
    for (auto& nulls : nulls_) nulls.resize((rows_ + kTile - 1) / kTile);
  }
  /// Likewise of rows whose answer is a sketch's, of one of approximate_features().
  void put_sketched(std::size_t feature, std::size_t first, std::uint64_t rows);

  /// Puts the cells of at most kTile questions, each in feature order, from `first` on. The columns
  /// lie far apart, often at the same place of a cache, so they are filled one after the other.
  void put(std::size_t first, std::span<const Cell* const> rows) {
    for (std::size_t feature = 0; feature < types_.size(); ++feature) {
      std::uint64_t* values = values_[feature] + first;
      bool all_valid = true;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        values[i] = rows[i][feature].bits;
        all_valid = all_valid && rows[i][feature].valid;
      }
      for (std::size_t i = 0; !all_valid && i < rows.size(); ++i)
        if (!rows[i][feature].valid) put_null(feature, first + i);
    }
    for (std::size_t i = 0; i < approximate_.size(); ++i) put_approximate(i, first, rows);
  }
  /// One column a feature, then those of approximate_features(). `lists_in_arena`: cells of strings
  /// are lists of a ListArena.
  std::vector<data::Column> finish(bool lists_in_arena = false);

 private:
  void put_null(std::size_t feature, std::size_t row) {
    put_nulls(feature, row - row % kTile, std::uint64_t{1} << row % kTile);
  }
  void put_approximate(std::size_t i, std::size_t first, std::span<const Cell* const> rows);

  std::size_t rows_;
  std::vector<data::Type> types_;
  std::shared_ptr<LargeVector<std::uint64_t>>
      cells_;                                      // of all features, which columns go on to hold
  std::vector<std::uint64_t*> values_;             // into cells_
  std::vector<std::vector<std::uint64_t>> nulls_;  // a bit for each row; empty while there is none
  std::vector<std::size_t> approximate_;           // approximate_features()
  std::vector<std::vector<std::uint8_t>> sketched_;  // bitmaps, one for each of those
};

}  // namespace coeval::kernel
