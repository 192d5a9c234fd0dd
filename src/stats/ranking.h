#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::stats {

/// Documents of queries (or items of users), each with a score and its relevance.
struct RankingRows {
  std::span<const std::int64_t> queries;    ///< any numbers; rows of a query need not be neighbours
  std::span<const float> scores;            ///< higher is earlier
  std::span<const std::int32_t> relevance;  ///< in [0, 62]; above 0 is relevant
};

/// Of one query that has a relevant document, each figure in [0, 1].
struct QueryMetrics {
  std::int64_t query = 0;
  /// DCG@k / ideal DCG@k, gain 2^rel − 1, discount log2(rank + 1), ranks from 1; a group of tied
  /// scores has its mean gain at each of its ranks (the expectation in random order).
  /// Source: scikit-learn ndcg_score(k) of the gains; McSherry & Najork 2008 for the ties.
  double ndcg = 0;
  /// Σ over relevant ranks i ≤ k of (relevant up to i)/i, over min(k, relevant documents).
  double average_precision = 0;
  /// 1/rank of the first relevant document, 0 when that is beyond k.
  double reciprocal_rank = 0;
  /// 1 when a relevant document is among the first k, else 0.
  double hit = 0;
};
/// Two models are compared over queries, which are the same for both: compare_ratios (bootstrap.h)
/// with a query's figure as numerator, and the queries as units.
///
/// For all but NDCG, documents that are not relevant come first among equal scores: a constant
/// score earns nothing. So every figure is a function of the multiset of rows.
struct RankingMetrics {
  std::int64_t queries = 0;                         ///< that are in the means
  std::int64_t without_relevant = 0;                ///< queries left out
  double ndcg = 0, map = 0, mrr = 0, hit_rate = 0;  ///< means over queries; NaN without any
  std::vector<QueryMetrics> by_query;               ///< ascending by query: units of a bootstrap
};
/// k > 0. Undefined (a NaN score, a relevance out of range): NaN means and no queries.
/// Determinism: exact sums, logarithms of exact/maths.h.
RankingMetrics ranking_metrics(const RankingRows& rows, std::int64_t k);

}  // namespace coeval::stats
