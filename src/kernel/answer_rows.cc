#include "kernel/answer_rows.h"

namespace coeval::kernel {

void AnswerRows::start(std::size_t rows) {
  if (contents_.size() < rows * stride()) contents_ = LargeVector<std::uint64_t>(rows * stride());
}

// Columns lie far apart, often at the same place of a cache, so they are filled one after the
// other.
void AnswerRows::put_cells(AnswerColumns& columns, std::span<const std::size_t> features,
                           std::size_t first, std::size_t count) const {
  const std::size_t step = stride();
  const std::uint64_t* cells = word(first, words_);
  for (std::size_t i = 0; i < features.size(); ++i) {
    std::uint64_t* values = columns.values(features[i]) + first;
    for (std::size_t row = 0; row < count; ++row) values[row] = cells[row * step + i];
  }
  for (std::size_t mark = 0; mark < 2 * marks_; ++mark) {
    const std::uint64_t* bits = cells + cells_ + mark;
    std::uint64_t any = 0;
    for (std::size_t row = 0; row < count; ++row) any |= bits[row * step];
    for (; any != 0; any &= any - 1) {
      const auto bit = static_cast<std::size_t>(__builtin_ctzll(any));
      std::uint64_t set = 0;
      for (std::size_t row = 0; row < count; ++row) set |= (bits[row * step] >> bit & 1) << row;
      const std::size_t feature = features[mark % marks_ * 64 + bit];
      mark < marks_ ? columns.put_nulls(feature, first, set)
                    : columns.put_sketched(feature, first, set);
    }
  }
}

}  // namespace coeval::kernel
