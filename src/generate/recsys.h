#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "generate/generator.h"

namespace coeval::generate {

struct RecsysOptions {
  std::uint64_t seed = 1;
  std::int64_t rows = 1'000'000;
  std::int64_t users = 10'000;
  std::int64_t items = 2'000;
};

inline constexpr std::int64_t kExposuresADay = 50'000;
inline constexpr int kLatentFactors = 8;

/// Items shown to users, and whether they liked them. A piece is a row.
///
/// Who comes and what is shown to whom is by popularity alone (Zipf's law, 0.6 of users and 0.9 of
/// items). What is liked is by
/// 1 / (1 + exp(−(−2 + user's bias + item's bias + 1.3 · user's factors · item's factors))): biases
/// N(0, 0.5²) and N(0, 0.7²), eight factors each, whose product has the variance 1. Most users and
/// items are rare: that is the cold start.
///
/// Columns: ts, user, item, segment of the user (the sign of its first two factors), category of
/// the item (the greatest of its factors), liked, true_probability (that liked is true). Errors:
/// out_of_range.
Result<std::unique_ptr<Generator>> make_recsys(const RecsysOptions& options);

}  // namespace coeval::generate
