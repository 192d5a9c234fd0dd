#include "stats/multiclass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/maths.h"
#include "exact/ratio.h"
#include "stats/binary.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr double kClip = 1e-15;

bool is_defined(const MulticlassRows& rows) {
  const auto classes = static_cast<std::size_t>(rows.classes);
  COEVAL_CHECK(rows.classes >= 0 && rows.probabilities.size() == rows.labels.size() * classes);
  COEVAL_CHECK(rows.weights.empty() || rows.weights.size() == rows.labels.size());
  return rows.classes >= 2 && !rows.labels.empty() &&
         std::ranges::none_of(rows.probabilities, [](float p) { return std::isnan(p); }) &&
         std::ranges::all_of(rows.labels, [&](int l) { return l >= 0 && l < rows.classes; }) &&
         std::ranges::all_of(rows.weights, [](double w) { return std::isfinite(w) && w >= 0; });
}

double weight_of(const MulticlassRows& rows, std::size_t row) {
  return rows.weights.empty() ? 1 : rows.weights[row];
}

std::span<const float> row_of(const MulticlassRows& rows, std::size_t row) {
  const auto classes = static_cast<std::size_t>(rows.classes);
  return rows.probabilities.subspan(row * classes, classes);
}

int decided(const MulticlassRows& rows, std::size_t row) {
  return static_cast<int>(decided_class(row_of(rows, row), rows.costs));
}

// Of value(row).
template <class Value>
double weighted_mean(const MulticlassRows& rows, const Value& value) {
  if (!is_defined(rows)) return kUndefined;
  exact::ExactSum sum, weights;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    sum.add(weight_of(rows, i) * value(i));
    weights.add(weight_of(rows, i));
  }
  return exact::ratio(sum, weights).value_or(kUndefined);
}

double auc_of_class(const MulticlassRows& rows, int of) {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    scores.push_back(row_of(rows, i)[static_cast<std::size_t>(of)]);
    labels.push_back(rows.labels[i] == of ? 1 : 0);
  }
  return auc(BinaryRows{scores, labels, rows.weights});
}

double share(double part, double whole) { return whole > 0 ? part / whole : kUndefined; }

void add_means(MulticlassMetrics& metrics) {
  exact::ExactSum f1, f1_by_support, support, auc;
  std::int64_t seen = 0;
  for (const ClassMetrics& of : metrics.classes) {
    if (!std::isnan(of.auc)) {
      auc.add(of.auc);
      ++metrics.classes_with_auc;
    }
    if (std::isnan(of.f1)) continue;
    ++seen;
    f1.add(of.f1);
    f1_by_support.add(of.f1 * of.support);
    support.add(of.support);
  }
  metrics.macro_f1 = seen > 0 ? f1.mean(seen) : kUndefined;
  metrics.weighted_f1 = exact::ratio(f1_by_support, support).value_or(kUndefined);
  metrics.macro_auc =
      metrics.classes_with_auc > 0 ? auc.mean(metrics.classes_with_auc) : kUndefined;
}

}  // namespace

std::size_t decided_class(std::span<const float> probabilities, std::span<const double> costs) {
  if (costs.empty())
    return static_cast<std::size_t>(std::ranges::max_element(probabilities) -
                                    probabilities.begin());
  const std::size_t classes = probabilities.size();
  COEVAL_CHECK(costs.size() == classes * classes);
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t decision = 0; decision < classes; ++decision) {
    double expected = 0;
    for (std::size_t label = 0; label < classes; ++label)
      expected += static_cast<double>(probabilities[label]) * costs[label * classes + decision];
    if (!(expected < least)) continue;
    least = expected;
    best = decision;
  }
  return best;
}

std::vector<std::int32_t> decided_classes(const MulticlassRows& rows) {
  std::vector<std::int32_t> classes(rows.labels.size());
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = decided(rows, i);
  return classes;
}

double log_loss(const MulticlassRows& rows) {
  return weighted_mean(rows, [&](std::size_t row) {
    const auto label = static_cast<std::size_t>(rows.labels[row]);
    const auto p = static_cast<double>(row_of(rows, row)[label]);
    return -exact::log(std::clamp(p, kClip, 1 - kClip));
  });
}

double accuracy(const MulticlassRows& rows) {
  return weighted_mean(
      rows, [&](std::size_t row) { return decided(rows, row) == rows.labels[row] ? 1.0 : 0.0; });
}

double mean_cost(const MulticlassRows& rows) {
  if (rows.costs.empty()) return kUndefined;
  return weighted_mean(rows, [&](std::size_t row) {
    return rows
        .costs[static_cast<std::size_t>(rows.labels[row] * rows.classes + decided(rows, row))];
  });
}

MulticlassMetrics multiclass_metrics(const MulticlassRows& rows) {
  MulticlassMetrics metrics;
  metrics.macro_f1 = metrics.weighted_f1 = metrics.macro_auc = kUndefined;
  if (!is_defined(rows)) return metrics;
  struct Sums {
    exact::ExactSum support, predicted, right;
  };
  std::vector<Sums> sums(static_cast<std::size_t>(rows.classes));
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    const int label = rows.labels[i], predicted = decided(rows, i);
    sums[static_cast<std::size_t>(label)].support.add(weight_of(rows, i));
    sums[static_cast<std::size_t>(predicted)].predicted.add(weight_of(rows, i));
    if (label == predicted) sums[static_cast<std::size_t>(label)].right.add(weight_of(rows, i));
  }
  for (int of = 0; of < rows.classes; ++of) {
    const Sums& sum = sums[static_cast<std::size_t>(of)];
    ClassMetrics& metric = metrics.classes.emplace_back();
    const double right = sum.right.round();
    metric.support = sum.support.round();
    metric.predicted = sum.predicted.round();
    metric.precision = share(right, metric.predicted);
    metric.recall = share(right, metric.support);
    metric.f1 = share(2 * right, metric.support + metric.predicted);
    metric.auc = auc_of_class(rows, of);
  }
  add_means(metrics);
  return metrics;
}

RankedClasses::RankedClasses(const MulticlassRows& rows, bool with_auc) : rows_(rows) {
  COEVAL_CHECK(rows.weights.empty());
  if (!is_defined(rows)) return;
  decided_ = decided_classes(rows);
  for (int of = 0; with_auc && of < rows.classes; ++of) {
    std::vector<std::uint32_t>& order = order_.emplace_back(rows.labels.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](std::uint32_t row) { return probability(row, of); });
  }
}

float RankedClasses::probability(std::uint32_t row, int of) const {
  return row_of(rows_, row)[static_cast<std::size_t>(of)];
}

auto RankedClasses::count(std::span<const double> weights) const -> Counts {
  const std::size_t classes = decided_.empty() ? 0 : static_cast<std::size_t>(rows_.classes);
  Counts counts{std::vector<double>(classes), std::vector<double>(classes),
                std::vector<double>(classes)};
  for (std::size_t i = 0; i < decided_.size(); ++i) {
    const auto label = static_cast<std::size_t>(rows_.labels[i]);
    const auto predicted = static_cast<std::size_t>(decided_[i]);
    counts.support[label] += weights[i];
    counts.predicted[predicted] += weights[i];
    if (label == predicted) counts.hits[label] += weights[i];
  }
  return counts;
}

double RankedClasses::macro_f1(std::span<const double> weights) const {
  const Counts counts = count(weights);
  exact::ExactSum sum;
  std::int64_t seen = 0;
  for (std::size_t of = 0; of < counts.hits.size(); ++of) {
    const double all = counts.support[of] + counts.predicted[of];
    if (all <= 0) continue;
    ++seen;
    sum.add(2 * counts.hits[of] / all);
  }
  return seen > 0 ? sum.mean(seen) : kUndefined;
}

double RankedClasses::weighted_f1(std::span<const double> weights) const {
  const Counts counts = count(weights);
  exact::ExactSum sum, support;
  for (std::size_t of = 0; of < counts.hits.size(); ++of) {
    const double all = counts.support[of] + counts.predicted[of];
    if (all > 0) sum.add(2 * counts.hits[of] / all * counts.support[of]);
    support.add(counts.support[of]);
  }
  return exact::ratio(sum, support).value_or(kUndefined);
}

// Of each class, the share of pairs (a row of it, another) that its probability orders rightly;
// equal ones count half. Sums of whole and half numbers below 2^53 are exact.
double RankedClasses::macro_auc(std::span<const double> weights) const {
  exact::ExactSum sum;
  std::int64_t seen = 0;
  for (int of = 0; of < std::ssize(order_); ++of) {
    const std::vector<std::uint32_t>& order = order_[static_cast<std::size_t>(of)];
    double below = 0, mine = 0, right = 0;
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      double positives = 0, negatives = 0;
      const float level = probability(order[begin], of);
      for (; end < order.size() && probability(order[end], of) == level; ++end)
        (rows_.labels[order[end]] == of ? positives : negatives) += weights[order[end]];
      right += positives * (below + negatives / 2);
      below += negatives;
      mine += positives;
    }
    if (mine <= 0 || below <= 0) continue;
    ++seen;
    sum.add(right / (mine * below));
  }
  return seen > 0 ? sum.mean(seen) : kUndefined;
}

}  // namespace coeval::stats
