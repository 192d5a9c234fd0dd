#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "data/column.h"
#include "define/project.h"

namespace coeval::sim {

/// Draws of one seed. Every draw is a statement of its own, for the order within an expression is
/// the compiler's choice, and a seed must replay in every build.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  /// 0 … n − 1.
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  /// True once in `n` times.
  bool one_in(std::uint64_t n) { return engine_() % n == 0; }

 private:
  std::mt19937_64 engine_;
};

/// How the rows of a world look.
struct RowHabits {
  std::int64_t ids = 0;  ///< given out so far
  std::uint64_t keys = 5;
  std::uint64_t longest_text = 300;
};

/// Rows of a source as senders send them at `now_us`: late, out of order, from the future, with ids
/// given twice, corrections of earlier and of unknown rows, deletions and nulls.
data::Batch random_rows(Random& random, RowHabits& habits, const define::Source& source,
                        std::int64_t rows, std::int64_t now_us);

/// A row as its JSON object.
std::string json_of(const data::Batch& rows, std::int64_t row);

}  // namespace coeval::sim
