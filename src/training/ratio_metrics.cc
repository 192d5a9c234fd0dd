#include "training/ratio_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "exact/maths.h"

namespace coeval::training {
namespace {

constexpr double kClip = 1e-15;

// One row's part of a metric that is a ratio of two sums.
struct Terms {
  double numerator = 0, denominator = 1;
};
using TermsOf = Terms (*)(double score, bool flagged, bool positive);

Terms log_loss(double score, bool, bool positive) {
  const double likelihood = std::clamp(positive ? score : 1 - score, kClip, 1 - kClip);
  return {-exact::log(likelihood), 1};
}
Terms brier(double score, bool, bool positive) {
  const double error = score - (positive ? 1 : 0);
  return {error * error, 1};
}
Terms accuracy(double, bool flagged, bool positive) { return {flagged == positive ? 1.0 : 0.0, 1}; }
Terms precision(double, bool flagged, bool positive) {
  return {flagged && positive ? 1.0 : 0.0, flagged ? 1.0 : 0.0};
}
Terms recall(double, bool flagged, bool positive) {
  return {flagged && positive ? 1.0 : 0.0, positive ? 1.0 : 0.0};
}
Terms f1(double, bool flagged, bool positive) {
  return {flagged && positive ? 2.0 : 0.0, (flagged ? 1.0 : 0.0) + (positive ? 1.0 : 0.0)};
}

constexpr std::array<std::string_view, 6> kNames = {"log_loss",  "brier",  "accuracy",
                                                    "precision", "recall", "f1"};
constexpr std::array<TermsOf, 6> kTerms = {log_loss, brier, accuracy, precision, recall, f1};

// The same of a regression: of its error, its label, and the quantile that it estimates. The least
// label that a percentage is of is stats::mape's.
using NumberTermsOf = Terms (*)(double score, double label, double quantile);

Terms mae(double score, double label, double) { return {std::abs(score - label), 1}; }
Terms mape(double score, double label, double) {
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  return {std::abs(score - label) / std::max(std::abs(label), kLeast), 1};
}
Terms rmse(double score, double label, double) {
  const double error = score - label;
  return {error * error, 1};
}
Terms wape(double score, double label, double) {
  return {std::abs(score - label), std::abs(label)};
}
Terms pinball(double score, double label, double quantile) {
  const double above = label - score;
  return {above >= 0 ? quantile * above : (quantile - 1) * above, 1};
}

constexpr std::string_view kPinball = "pinball";
constexpr std::array<std::string_view, 5> kNumberNames = {"mae", "mape", "rmse", "wape", kPinball};
constexpr std::array<NumberTermsOf, 5> kNumberTerms = {mae, mape, rmse, wape, pinball};

// Of a multiclass model: of the probability of the label, whether that class was decided, and what
// the decision costs.
constexpr std::string_view kMeanCost = "mean_cost";
constexpr std::array<std::string_view, 3> kClassNames = {"accuracy", "log_loss", kMeanCost};
Terms class_terms(std::string_view metric, double likelihood, bool right, double cost) {
  if (metric == "accuracy") return {right ? 1.0 : 0.0, 1};
  if (metric == kMeanCost) return {cost, 1};
  return {-exact::log(std::clamp(likelihood, kClip, 1 - kClip)), 1};
}

// Of a ranking: each query's figure at its first row, so that their mean is a ratio of sums.
constexpr std::array<std::string_view, 4> kQueryNames = {"hit_rate", "map", "mrr", "ndcg"};

double figure(std::string_view metric, const stats::QueryMetrics& of) {
  if (metric == "hit_rate") return of.hit;
  if (metric == "map") return of.average_precision;
  if (metric == "mrr") return of.reciprocal_rank;
  return of.ndcg;
}

quality::MetricTerms query_terms(std::string_view metric, const ModelAnswers& answers) {
  const QueryRows own(answers);
  const auto found = stats::ranking_metrics(own.rows(), answers.rank_k);
  std::unordered_map<std::int64_t, std::size_t> first;
  for (std::size_t row = 0; row < answers.queries.size(); ++row)
    first.try_emplace(answers.queries[row], row);
  quality::MetricTerms terms;
  terms.numerators.resize(answers.queries.size());
  terms.denominators.resize(answers.queries.size());
  for (const stats::QueryMetrics& of : found.by_query) {
    const std::size_t row = first.at(of.query);
    terms.numerators[row] = figure(metric, of);
    terms.denominators[row] = 1;
  }
  return terms;
}

template <class Names, class Functions>
auto find(const Names& names, const Functions& functions, std::string_view metric) {
  return functions[static_cast<std::size_t>(std::ranges::find(names, metric) - names.begin())];
}

}  // namespace

std::vector<std::string_view> ratio_metrics(const ModelAnswers& answers) {
  if (answers.labels.is_ranking()) return {kQueryNames.begin(), kQueryNames.end()};
  if (answers.labels.is_multiclass()) {
    std::vector<std::string_view> names(kClassNames.begin(), kClassNames.end());
    if (answers.cost_matrix.empty()) std::erase(names, kMeanCost);
    return names;
  }
  if (!answers.labels.is_regression()) return {kNames.begin(), kNames.end()};
  std::vector<std::string_view> names(kNumberNames.begin(), kNumberNames.end());
  if (!answers.quantile) std::erase(names, kPinball);
  return names;
}

std::optional<quality::MetricTerms> ratio_terms(std::string_view metric,
                                                const ModelAnswers& answers) {
  const auto names = ratio_metrics(answers);
  if (std::ranges::find(names, metric) == names.end()) return std::nullopt;
  if (answers.labels.is_ranking()) return query_terms(metric, answers);
  const std::size_t rows = answers.labels.size();
  quality::MetricTerms terms;
  terms.numerators.reserve(rows);
  terms.denominators.reserve(rows);
  const auto add = [&](const Terms& row) {
    terms.numerators.push_back(row.numerator);
    terms.denominators.push_back(row.denominator);
  };
  if (answers.labels.is_regression()) {
    const NumberTermsOf terms_of = find(kNumberNames, kNumberTerms, metric);
    for (std::size_t i = 0; i < rows; ++i)
      add(terms_of(static_cast<double>(answers.scores[i]), answers.labels.numbers[i],
                   answers.quantile.value_or(0.5)));
    return terms;
  }
  if (answers.labels.is_multiclass()) {
    const ClassRows own(answers);
    const auto classes = static_cast<std::size_t>(own.classes);
    const auto decided = stats::decided_classes(own.rows());
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t label = answers.labels.classes[i];
      const auto decision = static_cast<std::size_t>(decided[i]);
      add(class_terms(metric, static_cast<double>(answers.scores[i * classes + label]),
                      decision == label,
                      own.costs.empty() ? 0 : own.costs[label * classes + decision]));
    }
    return terms;
  }
  const TermsOf terms_of = find(kNames, kTerms, metric);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto score = static_cast<double>(answers.scores[i]);
    add(terms_of(score, score >= answers.threshold, answers.labels.classes[i] != 0));
  }
  return terms;
}

stats::RatioForm ratio_form(std::string_view metric) {
  return metric == "rmse" ? stats::RatioForm::root : stats::RatioForm::plain;
}

}  // namespace coeval::training
