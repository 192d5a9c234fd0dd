#include "stats/multiclass.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

int likeliest(std::span<const float> probabilities) {
  return static_cast<int>(std::ranges::max_element(probabilities) - probabilities.begin());
}

template <class Value>
double weighted_mean(const MulticlassRows& rows, const Value& value) {
  if (!is_defined(rows)) return kUndefined;
  exact::ExactSum sum, weights;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    sum.add(weight_of(rows, i) * value(row_of(rows, i), rows.labels[i]));
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

double log_loss(const MulticlassRows& rows) {
  return weighted_mean(rows, [](std::span<const float> probabilities, int label) {
    const auto p = static_cast<double>(probabilities[static_cast<std::size_t>(label)]);
    return -exact::log(std::clamp(p, kClip, 1 - kClip));
  });
}

double accuracy(const MulticlassRows& rows) {
  return weighted_mean(rows, [](std::span<const float> probabilities, int label) {
    return likeliest(probabilities) == label ? 1.0 : 0.0;
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
    const int label = rows.labels[i], predicted = likeliest(row_of(rows, i));
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

}  // namespace coeval::stats
