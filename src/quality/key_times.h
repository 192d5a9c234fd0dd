#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "data/column.h"
#include "quality/checks.h"

namespace coeval::quality {

/// When each value of a column first became known: answers checks of `refers` from the rows of the
/// source that they name. A row that is replaced or deleted later was known all the same.
/// Memory: about 48 bytes a distinct value, told apart by 128 bits of hash, at most `max_keys` of
/// them. Threading: one writer, or any readers.
class KeyTimes {
 public:
  static constexpr std::size_t kMaxKeys = std::size_t{1} << 24;
  explicit KeyTimes(std::size_t max_keys = kMaxKeys);
  ~KeyTimes();
  /// Rows in any order: their values and when each was known, µs. Nulls are no keys. Errors:
  /// unsupported for more than max_keys distinct values; those before it are there.
  Status add(const data::Column& values, std::span<const std::int64_t> known_us);
  /// known[i] = 1 where the value was known before before[i], else 0.
  void answer(const data::Column& values, std::span<const std::int64_t> before,
              std::span<std::uint8_t> known) const;
  std::size_t size() const;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace coeval::quality
