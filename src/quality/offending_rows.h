#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace coeval::quality {

/// How many rows offend, and which of them have the smallest keyed hash: a sample that does not
/// favour the beginning of a file, and a function of the set of rows.
class OffendingRows {
 public:
  /// The key makes another sample of each rule.
  OffendingRows(std::size_t most, std::string_view key);
  /// Each row once. Complexity: O(1) but for O(most) rows.
  void add(std::int64_t row);
  void merge(const OffendingRows& other);
  std::int64_t count() const { return count_; }
  /// Ascending.
  std::vector<std::int64_t> rows() const;

 private:
  using Hashed = std::pair<std::uint64_t, std::int64_t>;
  void offer(Hashed row);

  std::size_t most_;
  std::uint64_t key_;
  std::int64_t count_ = 0;
  std::vector<Hashed> kept_;  // a heap, the greatest first
};

}  // namespace coeval::quality
