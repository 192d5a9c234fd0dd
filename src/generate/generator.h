#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "data/column.h"

namespace coeval::generate {

/// The first moment of all generated data: 2018-04-01, as in the Fraud Detection Handbook.
inline constexpr std::int64_t kStartUs = 17622 * kDayUs;
/// Nothing is generated beyond a hundred years.
inline constexpr std::int64_t kMostDays = 36'500;

/// Makes rows out of a seed, piece by piece: a piece (a day, a session, a customer, a series) is a
/// function of the seed, the options and its number alone. So any piece can be made without those
/// before it, and how many there are changes none of them.
///
/// Threading: const members are safe from any thread.
/// Determinism: the same bits on every machine: integers, + − × ÷ sqrt, and src/exact.
class Generator {
 public:
  virtual ~Generator() = default;
  /// Columns that files of the pieces [first, end) have: all that make() gives, or fewer.
  virtual data::Schema schema(std::int64_t first, std::int64_t end) const = 0;
  virtual std::int64_t pieces() const = 0;
  /// Rows of a piece where all have as many.
  virtual std::optional<std::int64_t> rows_per_piece() const = 0;
  /// How many pieces make a batch of useful size; no result depends on it but where batches end.
  virtual std::int64_t pieces_per_batch() const = 0;
  /// The rows of the pieces [first, end), one piece after the other.
  /// Complexity: proportional to the rows.
  virtual data::Batch make(std::int64_t first, std::int64_t end) const = 0;
  /// The boolean column that a model of the data would predict.
  virtual std::string label() const = 0;
};

}  // namespace coeval::generate
