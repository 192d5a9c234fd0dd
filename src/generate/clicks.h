#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "generate/generator.h"

namespace coeval::generate {

struct ClicksOptions {
  std::uint64_t seed = 1;
  std::int64_t sessions = 100'000;
  std::int64_t queries = 1'000;
  std::int64_t documents = 20;  ///< candidates of each query
  std::int64_t positions = 10;  ///< that are shown
  double position_bias = 1;     ///< position k is looked at with probability k^−position_bias
};

inline constexpr std::int64_t kSessionsADay = 10'000;
inline constexpr std::size_t kDocumentFeatures = 8;

/// Clicks on ranked lists, by the position-based model (Craswell, Zoeter, Taylor, Ramsey 2008): a
/// click needs that the position is looked at and that the document attracts.
///
/// A piece is a session: one query, its `positions` rows from the top. Queries are popular by
/// Zipf's law. A document of a query has features f0 … f7 in (0, 1) and the grade 0 … 4 that a
/// function of f0 … f5 gives it, so the best ranking is by grade, and features tell it without an
/// error. What was shown was ranked by f0, f6 and f7 and some noise: neither well nor at random.
///
/// Columns: ts, session, query, document, position (from 1), f0 … f7, clicked; and what no log has:
/// grade, examination (the propensity of the position), attraction, true_probability of the click.
/// Errors: out_of_range.
Result<std::unique_ptr<Generator>> make_clicks(const ClicksOptions& options);

/// The hidden function: 1.5 f0 + f1 f2 + (0.8 f4 where f3 > 0.7) + 0.5 f0 f5.
double hidden_relevance(const float* features);
/// The grade of such a value: half of all documents 0, then 22, 15, 8 and 5 in a hundred.
int grade_of(double relevance);
/// 0.05 + 0.95 (2^grade − 1) / 15: the probability of a click where it is looked at.
double attraction_of(int grade);

}  // namespace coeval::generate
