#include "stats/ranking.h"

#include <doctest/doctest.h>

#include <cmath>

namespace coeval::stats {
namespace {
using Queries = std::vector<std::int64_t>;
using Scores = std::vector<float>;
using Relevance = std::vector<std::int32_t>;
}  // namespace

// scikit-learn's NDCG and brute force over 1,000 random cases: tests/statistics/test_ranking.py.

TEST_CASE("one query by hand") {
  const Queries queries(4, 9);
  const Scores scores = {4, 3, 2, 1};
  const Relevance relevance = {0, 2, 0, 1};
  const RankingMetrics at3 = ranking_metrics({queries, scores, relevance}, 3);
  CHECK(at3.queries == 1);
  // 3 at rank 2; ideal: 3 at rank 1, 1 at rank 2.
  CHECK(at3.ndcg == doctest::Approx(3 / std::log2(3.0) / (3 + 1 / std::log2(3.0))).epsilon(1e-14));
  CHECK(at3.map == 0.25);  // 1/2 over min(3, 2)
  CHECK(at3.mrr == 0.5);
  CHECK(at3.hit_rate == 1);
  CHECK(ranking_metrics({queries, scores, relevance}, 1).hit_rate == 0);
  CHECK(ranking_metrics({queries, scores, relevance}, 1).mrr == 0);
  CHECK(ranking_metrics({queries, scores, relevance}, 100).map == (0.5 + 0.5) / 2);
}

TEST_CASE("a constant score earns its expectation in NDCG and nothing else") {
  const Queries queries(2, 1);
  const Scores scores(2, 0.5f);
  const RankingMetrics metrics = ranking_metrics({queries, scores, Relevance{1, 0}}, 1);
  CHECK(metrics.ndcg == 0.5);
  CHECK(metrics.map == 0);
  CHECK(metrics.hit_rate == 0);
}

TEST_CASE("queries without a relevant document are left out and counted") {
  const RankingMetrics metrics =
      ranking_metrics({Queries{5, -2, 5, 7}, Scores{1, 1, 2, 1}, Relevance{1, 0, 0, 1}}, 10);
  CHECK(metrics.queries == 2);
  CHECK(metrics.without_relevant == 1);
  REQUIRE(metrics.by_query.size() == 2);
  CHECK(metrics.by_query[0].query == 5);
  CHECK(metrics.by_query[0].reciprocal_rank == 0.5);
  CHECK(metrics.mrr == 0.75);
  const RankingMetrics none = ranking_metrics({Queries{1}, Scores{1}, Relevance{0}}, 10);
  CHECK(std::isnan(none.ndcg));
  CHECK(none.without_relevant == 1);
}

TEST_CASE("a NaN score or a relevance out of range has no ranking") {
  for (const auto& [score, relevance] : {std::pair{std::nanf(""), 1}, {1.0f, -1}, {1.0f, 63}}) {
    const RankingMetrics metrics =
        ranking_metrics({Queries{1}, Scores{score}, Relevance{relevance}}, 1);
    CHECK(std::isnan(metrics.map));
    CHECK(metrics.queries == 0);
  }
  CHECK(ranking_metrics({Queries{1}, Scores{1}, Relevance{62}}, 1).ndcg == 1);
}

}  // namespace coeval::stats
