#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "define/project.h"
#include "kernel/kernel.h"

namespace coeval::kernel {

/// Columns of answers being filled: 64-bit cells by feature, and a bitmap once something is null.
class AnswerColumns {
 public:
  AnswerColumns(const define::View& view, std::size_t rows);

  /// Puts the cells of one question, in feature order.
  void put(std::size_t row, std::span<const Cell> cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      values_[i][row] = cells[i].bits;
      if (!cells[i].valid) [[unlikely]]
        put_null(i, row);
    }
  }
  std::vector<data::Column> finish();

 private:
  void put_null(std::size_t feature, std::size_t row);

  std::size_t rows_;
  std::vector<data::Type> types_;
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<std::uint64_t*> values_;  // into bytes_
  std::vector<std::vector<std::uint8_t>> validity_;
};

}  // namespace coeval::kernel
