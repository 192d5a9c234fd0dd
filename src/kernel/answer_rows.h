#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/large_allocator.h"
#include "kernel/answer_columns.h"
#include "kernel/kernel.h"

namespace coeval::kernel {

/// Answers being found question by question, in any order and by several threads: of each some
/// 64-bit words, of which columns are made later all at once, some cells, and bits for cells that
/// are null or a sketch's. Every row must be filled once.
class AnswerRows {
 public:
  AnswerRows(std::size_t words, std::size_t cells)
      : words_(words), cells_(cells), marks_((cells + 63) / 64) {}

  /// Rows without contents; memory is kept.
  void start(std::size_t rows);

  /// A row to be filled: words and cells without a value, none null, none approximate.
  class Row {
   public:
    std::uint64_t* words() { return words_; }
    void put(std::size_t cell, const Cell& value) {
      cells_[cell] = value.valid ? value.bits : 0;
      nulls_[cell / 64] |= std::uint64_t{!value.valid} << cell % 64;
      sketched_[cell / 64] |= std::uint64_t{value.approximate} << cell % 64;
    }

   private:
    friend class AnswerRows;
    std::uint64_t *words_, *cells_, *nulls_, *sketched_;
  };
  Row row(std::size_t row) {
    Row out;
    out.words_ = contents_.data() + row * stride();
    out.cells_ = out.words_ + words_;
    out.nulls_ = out.cells_ + cells_;
    out.sketched_ = out.nulls_ + marks_;
    for (std::size_t i = 0; i < 2 * marks_; ++i) out.nulls_[i] = 0;
    return out;
  }

  /// Asks for a row, ahead of time.
  void fetch(std::size_t row) const {
    constexpr std::size_t kLine = 8, kMostLines = 16;  // in words
    const std::uint64_t* words = contents_.data() + row * stride();
    const std::size_t most = std::min(stride(), kLine * kMostLines);
    for (std::size_t i = 0; i < most; i += kLine) __builtin_prefetch(words + i, 1);
    if (most > 0) __builtin_prefetch(words + most - 1, 1);
  }

  /// Puts the cells of rows [first, first + count), at most kTile of them, into columns of as many
  /// rows: cell i into that of features[i]. Different tiles may be put side by side.
  void put_cells(AnswerColumns& columns, std::span<const std::size_t> features, std::size_t first,
                 std::size_t count) const;
  /// A word of a row; that of the next row is stride() further on.
  const std::uint64_t* word(std::size_t row, std::size_t i) const {
    return contents_.data() + row * stride() + i;
  }
  std::size_t stride() const { return words_ + cells_ + 2 * marks_; }

 private:
  std::size_t words_, cells_, marks_;    // marks_: words of a row's bitmap
  LargeVector<std::uint64_t> contents_;  // by row: words, cells, nulls, sketched
};

}  // namespace coeval::kernel
