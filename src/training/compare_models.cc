#include "training/compare_models.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "exact/maths.h"
#include "stats/binary.h"
#include "stats/bootstrap.h"
#include "training/gates.h"

namespace coeval::training {
namespace {

constexpr int kReplicates = 2000;
constexpr int kFewReplicates = 200;
constexpr std::uint64_t kSeed = 20261128;
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

constexpr std::pair<std::string_view, TermsOf> kRatios[] = {
    {"log_loss", log_loss},   {"brier", brier},   {"accuracy", accuracy},
    {"precision", precision}, {"recall", recall}, {"f1", f1}};

struct Sums {
  std::vector<double> numerators, denominators;
  stats::RatioRows rows() const { return {numerators, denominators}; }
};

Sums sums_of(TermsOf terms_of, std::span<const float> scores, double threshold,
             std::span<const std::uint8_t> labels) {
  Sums sums;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const Terms terms = terms_of(static_cast<double>(scores[i]),
                                 static_cast<double>(scores[i]) >= threshold, labels[i] != 0);
    sums.numerators.push_back(terms.numerator);
    sums.denominators.push_back(terms.denominator);
  }
  return sums;
}

using Metric = double (*)(const stats::BinaryRows&);

Result<stats::Improvement> compare_anew(Metric metric, stats::Better better, const ModelPair& pair,
                                        WorkerPool& pool) {
  const auto both = [&](std::span<const double> weights) {
    return stats::MetricPair{metric({pair.candidate, pair.labels, weights}),
                             metric({pair.champion, pair.labels, weights})};
  };
  return stats::compare_by(pair.labels.size(), both, better, pair.units,
                           {.seed = kSeed, .replicates = kFewReplicates}, &pool);
}

Result<stats::Improvement> compare(const std::string& metric, const ModelPair& pair,
                                   WorkerPool& pool) {
  const stats::BootstrapOptions options{.seed = kSeed, .replicates = kReplicates};
  const auto better = higher_is_better(metric) ? stats::Better::higher : stats::Better::lower;
  if (metric == "auc")
    return stats::compare_auc(pair.candidate, pair.champion, pair.labels, pair.units, options,
                              &pool);
  if (metric == "average_precision")
    return stats::compare_average_precision(pair.candidate, pair.champion, pair.labels, pair.units,
                                            options, &pool);
  for (const auto& [name, terms_of] : kRatios) {
    if (name != metric) continue;
    const Sums mine = sums_of(terms_of, pair.candidate, pair.candidate_threshold, pair.labels);
    const Sums theirs = sums_of(terms_of, pair.champion, pair.champion_threshold, pair.labels);
    return stats::compare_ratios(mine.rows(), theirs.rows(), better, stats::RatioForm::plain,
                                 pair.units, options, &pool);
  }
  if (metric == "calibration_error")
    return compare_anew(&stats::calibration_error, better, pair, pool);
  return fail(Code::unsupported, "models cannot be compared by " + metric);
}

}  // namespace

Result<Comparison> compare_models(const std::string& metric, const ModelPair& pair,
                                  WorkerPool& pool) {
  COEVAL_ASSIGN(const stats::Improvement found, compare(metric, pair, pool));
  return Comparison{.metric = metric,
                    .candidate = found.challenger,
                    .champion = found.champion,
                    .improvement = found.value,
                    .lower = found.interval.lower,
                    .upper = found.interval.upper,
                    .p_value = found.p_value,
                    .units = found.units,
                    .replicates = std::ssize(found.replicates),
                    .unit = pair.unit};
}

}  // namespace coeval::training
