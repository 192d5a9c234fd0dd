#include "stats/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/maths.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::int32_t kMostRelevance = 62;

struct Document {
  std::int64_t query;
  float score;
  std::int32_t relevance;
};

double gain(std::int32_t relevance) {
  return static_cast<double>((std::int64_t{1} << relevance) - 1);
}
double discount(std::size_t rank) { return 1 / exact::log2(static_cast<double>(rank) + 1); }

// DCG@k of documents whose gains are averaged within groups; `ends` is one past each group.
double tied_dcg(std::span<const Document> documents, std::size_t k) {
  exact::ExactSum sum;
  for (std::size_t begin = 0, end = 0; begin < std::min(k, documents.size()); begin = end) {
    exact::ExactSum gains, discounts;
    for (end = begin; end < documents.size() && documents[end].score == documents[begin].score;
         ++end) {
      gains.add(gain(documents[end].relevance));
      if (end < k) discounts.add(discount(end + 1));
    }
    sum.add(gains.mean(static_cast<std::int64_t>(end - begin)) * discounts.round());
  }
  return sum.round();
}

double ideal_dcg(std::span<const Document> documents, std::size_t k) {
  std::vector<std::int32_t> relevance;
  for (const Document& document : documents) relevance.push_back(document.relevance);
  std::ranges::sort(relevance, std::greater{});
  exact::ExactSum sum;
  for (std::size_t i = 0; i < std::min(k, relevance.size()); ++i)
    sum.add(gain(relevance[i]) * discount(i + 1));
  return sum.round();
}

// `documents` by score descending, those that are not relevant first among ties; `relevant` > 0.
QueryMetrics metrics_of(std::span<const Document> documents, std::size_t relevant, std::size_t k) {
  QueryMetrics metrics;
  metrics.query = documents.front().query;
  metrics.ndcg = std::min(1.0, tied_dcg(documents, k) / ideal_dcg(documents, k));
  exact::ExactSum precisions;
  std::size_t found = 0;
  for (std::size_t i = 0; i < std::min(k, documents.size()); ++i) {
    if (documents[i].relevance == 0) continue;
    if (found == 0) metrics.reciprocal_rank = 1 / static_cast<double>(i + 1);
    ++found;
    precisions.add(static_cast<double>(found) / static_cast<double>(i + 1));
  }
  metrics.hit = found > 0 ? 1 : 0;
  metrics.average_precision = precisions.mean(static_cast<std::int64_t>(std::min(k, relevant)));
  return metrics;
}

void add_means(RankingMetrics& metrics) {
  exact::ExactSum ndcg, map, mrr, hits;
  for (const QueryMetrics& query : metrics.by_query) {
    ndcg.add(query.ndcg);
    map.add(query.average_precision);
    mrr.add(query.reciprocal_rank);
    hits.add(query.hit);
  }
  metrics.queries = std::ssize(metrics.by_query);
  if (metrics.queries == 0) return;
  metrics.ndcg = ndcg.mean(metrics.queries);
  metrics.map = map.mean(metrics.queries);
  metrics.mrr = mrr.mean(metrics.queries);
  metrics.hit_rate = hits.mean(metrics.queries);
}

}  // namespace

RankingMetrics ranking_metrics(const RankingRows& rows, std::int64_t k) {
  COEVAL_CHECK(rows.queries.size() == rows.scores.size() &&
               rows.queries.size() == rows.relevance.size() && k > 0);
  RankingMetrics metrics;
  metrics.ndcg = metrics.map = metrics.mrr = metrics.hit_rate = kUndefined;
  std::vector<Document> documents;
  for (std::size_t i = 0; i < rows.queries.size(); ++i) {
    const Document document{rows.queries[i], rows.scores[i], rows.relevance[i]};
    if (std::isnan(document.score) || document.relevance < 0 || document.relevance > kMostRelevance)
      return metrics;
    documents.push_back(document);
  }
  std::ranges::sort(documents, [](const Document& a, const Document& b) {
    if (a.query != b.query) return a.query < b.query;
    if (a.score != b.score) return a.score > b.score;
    return a.relevance < b.relevance;
  });
  for (std::size_t begin = 0, end = 0; begin < documents.size(); begin = end) {
    std::size_t relevant = 0;
    for (end = begin; end < documents.size() && documents[end].query == documents[begin].query;
         ++end)
      relevant += documents[end].relevance > 0 ? 1 : 0;
    if (relevant == 0)
      ++metrics.without_relevant;
    else
      metrics.by_query.push_back(metrics_of(std::span(documents).subspan(begin, end - begin),
                                            relevant, static_cast<std::size_t>(k)));
  }
  add_means(metrics);
  return metrics;
}

}  // namespace coeval::stats
