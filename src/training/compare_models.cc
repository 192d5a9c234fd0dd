#include "training/compare_models.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include "stats/binary.h"
#include "stats/model_tests.h"
#include "stats/multiclass.h"
#include "training/gates.h"
#include "training/ratio_metrics.h"

namespace coeval::training {
namespace {

constexpr int kReplicates = 2000;
constexpr int kFewReplicates = 200;
constexpr std::uint64_t kSeed = 20261128;
constexpr std::size_t kMostRanked = 50'000'000;
constexpr std::array<std::string_view, 3> kWholeOfClasses = {"macro_auc", "macro_f1",
                                                             "weighted_f1"};

// Of each replicate the calibration error is computed anew.
Result<stats::Improvement> compare_calibration(const ModelPair& pair, WorkerPool& pool) {
  const stats::RankedCalibration mine(pair.candidate, pair.labels.classes),
      theirs(pair.champion, pair.labels.classes);
  const auto both = [&](std::span<const double> weights) {
    return stats::MetricPair{mine.error(weights), theirs.error(weights)};
  };
  return stats::compare_by(pair.labels.size(), both, stats::Better::lower, pair.units,
                           bootstrap_options("calibration_error"), &pool);
}

// A metric of a multiclass model that is no ratio of sums, of one model under a replicate's
// weights.
double class_metric(const std::string& metric, const stats::RankedClasses& ranked,
                    std::span<const double> weights) {
  if (metric == "macro_f1") return ranked.macro_f1(weights);
  if (metric == "weighted_f1") return ranked.weighted_f1(weights);
  return ranked.macro_auc(weights);
}

// The order of the rows by each class's probability takes 4 bytes a row and class.
bool can_rank(std::span<const float> scores) { return scores.size() <= kMostRanked; }

Result<stats::Improvement> compare_classes(const std::string& metric, const ModelPair& pair,
                                           WorkerPool& pool) {
  const bool with_auc = metric == "macro_auc";
  if (with_auc && !can_rank(pair.candidate))
    return fail(Code::unsupported,
                "models cannot be compared by macro_auc over so many rows and classes",
                "compare them by log_loss, or test on fewer rows");
  const ClassRows mine(pair.candidate_answers()), theirs(pair.champion_answers());
  const stats::RankedClasses candidate(mine.rows(), with_auc), champion(theirs.rows(), with_auc);
  const auto both = [&](std::span<const double> weights) {
    return stats::MetricPair{class_metric(metric, candidate, weights),
                             class_metric(metric, champion, weights)};
  };
  return stats::compare_by(pair.labels.size(), both, stats::Better::higher, pair.units,
                           bootstrap_options(metric), &pool);
}

stats::Better better_of(bool higher) {
  return higher ? stats::Better::higher : stats::Better::lower;
}

// A sum is compared as a mean: so many rows times that.
void scale(stats::Improvement& found, double rows) {
  for (double* value : {&found.challenger, &found.champion, &found.value, &found.interval.lower,
                        &found.interval.upper})
    *value *= rows;
}

const ProjectMetrics::Of* find(const ProjectMetrics* worth, const std::string& metric) {
  if (worth == nullptr) return nullptr;
  for (const auto& of : worth->all())
    if (of.metric->name == metric) return &of;
  return nullptr;
}

// The terms of a metric as a mean or a ratio; of a sum, the mean of what all rows are worth.
stats::RatioRows mean_rows(const ProjectMetrics::Of& of) {
  if (of.metric->kind == define::Metric::Kind::sum) return {of.terms.numerators, {}};
  return rows_of(of.terms);
}

Result<stats::Improvement> compare_worth(const ProjectMetrics::Of& mine,
                                         const ProjectMetrics::Of& theirs, const ModelPair& pair,
                                         WorkerPool& pool) {
  COEVAL_ASSIGN(
      stats::Improvement found,
      stats::compare_ratios(mean_rows(mine), mean_rows(theirs),
                            better_of(mine.metric->higher_is_better), stats::RatioForm::plain,
                            pair.units, bootstrap_options(mine.metric->name), &pool));
  if (mine.metric->kind == define::Metric::Kind::sum)
    scale(found, static_cast<double>(pair.labels.size()));
  return found;
}

// Metrics that are no ratio of sums over rows; nothing for another one.
std::optional<Result<stats::Improvement>> compare_whole(const std::string& metric,
                                                        const ModelPair& pair, WorkerPool& pool) {
  const stats::BootstrapOptions options = bootstrap_options(metric);
  if (pair.labels.is_regression()) {
    if (metric != "r_squared") return std::nullopt;
    return stats::compare_r_squared(as_doubles(pair.candidate), as_doubles(pair.champion),
                                    pair.labels.numbers, pair.units, options, &pool);
  }
  if (pair.labels.is_ranking()) return std::nullopt;
  if (pair.labels.is_multiclass()) {
    if (std::ranges::count(kWholeOfClasses, metric) == 0) return std::nullopt;
    return compare_classes(metric, pair, pool);
  }
  if (metric == "auc")
    return stats::compare_auc(pair.candidate, pair.champion, pair.labels.classes, pair.units,
                              options, &pool);
  if (metric == "average_precision")
    return stats::compare_average_precision(pair.candidate, pair.champion, pair.labels.classes,
                                            pair.units, options, &pool);
  if (metric == "calibration_error") return compare_calibration(pair, pool);
  return std::nullopt;
}

Result<stats::Improvement> compare(const std::string& metric, const ModelPair& pair,
                                   WorkerPool& pool) {
  if (auto found = compare_whole(metric, pair, pool)) return std::move(*found);
  const auto mine = ratio_terms(metric, pair.candidate_answers());
  const auto theirs = ratio_terms(metric, pair.champion_answers());
  if (mine && theirs)
    return stats::compare_ratios(rows_of(*mine), rows_of(*theirs),
                                 better_of(higher_is_better(metric)), ratio_form(metric),
                                 pair.units, bootstrap_options(metric), &pool);
  const auto* worth = find(pair.candidate_worth, metric);
  const auto* champion_worth = find(pair.champion_worth, metric);
  if (worth != nullptr && champion_worth != nullptr)
    return compare_worth(*worth, *champion_worth, pair, pool);
  return fail(Code::unsupported, "models cannot be compared by " + metric);
}

Comparison comparison_of(const std::string& metric, const ModelPair& pair,
                         const stats::Improvement& found) {
  Comparison comparison{.metric = metric,
                        .candidate = found.challenger,
                        .champion = found.champion,
                        .improvement = found.value,
                        .lower = found.interval.lower,
                        .upper = found.interval.upper,
                        .p_value = found.p_value,
                        .units = found.units,
                        .replicates = std::ssize(found.replicates),
                        .unit = pair.unit,
                        .delong_p = {}};
  if (metric != "auc") return comparison;
  const double p = stats::delong(pair.candidate, pair.champion, pair.labels.classes).p_value;
  if (std::isfinite(p)) comparison.delong_p = p;
  return comparison;
}

// The rows of one slice value. The spans of `pair` are into the other members.
struct SlicePair {
  SlicePair(const ModelPair& all, const std::vector<std::size_t>& rows)
      : candidate(take(all.candidate, rows, all.width())),
        champion(take(all.champion, rows, all.width())),
        labels(take(all.labels, rows)),
        units(take(all.units, rows, 1)),
        pair(all) {
    if (all.candidate_worth != nullptr) candidate_worth = all.candidate_worth->take(rows);
    if (all.champion_worth != nullptr) champion_worth = all.champion_worth->take(rows);
    pair.candidate = candidate;
    pair.champion = champion;
    pair.labels = labels.span();
    pair.units = units;
    pair.candidate_worth = candidate_worth ? &*candidate_worth : nullptr;
    pair.champion_worth = champion_worth ? &*champion_worth : nullptr;
  }
  SlicePair(const SlicePair&) = delete;
  SlicePair& operator=(const SlicePair&) = delete;

  std::int64_t units_count() const {
    return units.empty() ? static_cast<std::int64_t>(labels.size())
                         : std::ssize(std::set(units.begin(), units.end()));
  }

  std::vector<float> candidate, champion;
  RowLabels labels;
  std::vector<std::int64_t> units;
  std::optional<ProjectMetrics> candidate_worth, champion_worth;
  ModelPair pair;
};

void add(Intervals& intervals, const std::string& metric, const stats::Interval& interval) {
  if (std::isfinite(interval.lower) && std::isfinite(interval.upper))
    intervals[metric] = {interval.lower, interval.upper};
}

// Means and ratios, whose replicates share their draws.
Status add_ratios(const ModelPair& pair, Intervals& intervals, WorkerPool& pool) {
  std::vector<std::string> names;
  std::vector<quality::MetricTerms> terms;
  const ModelAnswers answers = pair.candidate_answers();
  for (const auto metric : ratio_metrics(answers)) {
    names.emplace_back(metric);
    terms.push_back(*ratio_terms(metric, answers));
  }
  std::vector<stats::RatioRows> rows;
  for (const auto& of : terms) rows.push_back(rows_of(of));
  std::vector<double> scales(names.size(), 1.0);
  if (pair.candidate_worth != nullptr)
    for (const auto& of : pair.candidate_worth->all()) {
      names.push_back(of.metric->name);
      rows.push_back(mean_rows(of));
      const bool is_sum = of.metric->kind == define::Metric::Kind::sum;
      scales.push_back(is_sum ? static_cast<double>(pair.labels.size()) : 1.0);
    }
  COEVAL_ASSIGN(const auto found, stats::estimate_ratios(rows, pair.labels.size(), pair.units,
                                                         bootstrap_options({}), &pool));
  for (std::size_t i = 0; i < names.size(); ++i) {
    stats::Interval interval{found[i].interval.lower * scales[i],
                             found[i].interval.upper * scales[i]};
    // Percentiles of roots are roots of percentiles.
    if (i < terms.size() && ratio_form(names[i]) == stats::RatioForm::root)
      interval = {std::sqrt(interval.lower), std::sqrt(interval.upper)};
    add(intervals, names[i], interval);
  }
  return {};
}

}  // namespace

stats::BootstrapOptions bootstrap_options(const std::string& metric) {
  return {.seed = kSeed,
          .replicates = metric == "calibration_error" || metric == "macro_auc" ? kFewReplicates
                                                                               : kReplicates};
}

Result<Comparison> compare_models(const std::string& metric, const ModelPair& pair,
                                  WorkerPool& pool) {
  COEVAL_ASSIGN(const stats::Improvement found, compare(metric, pair, pool));
  return comparison_of(metric, pair, found);
}

namespace {

// Of decisions that were right.
DecisionComparison decision_comparison(std::span<const std::uint8_t> mine,
                                       std::span<const std::uint8_t> theirs) {
  const stats::McNemar found = stats::mcnemar(mine, theirs);
  return {found.challenger_only, found.champion_only, found.p_value};
}

}  // namespace

DecisionComparison compare_decisions(const ModelPair& pair) {
  std::vector<std::uint8_t> mine, theirs;
  if (pair.labels.is_multiclass()) {
    const auto ours = stats::decided_classes(ClassRows(pair.candidate_answers()).rows());
    const auto others = stats::decided_classes(ClassRows(pair.champion_answers()).rows());
    for (std::size_t i = 0; i < pair.labels.size(); ++i) {
      mine.push_back(ours[i] == pair.labels.classes[i]);
      theirs.push_back(others[i] == pair.labels.classes[i]);
    }
    return decision_comparison(mine, theirs);
  }
  for (std::size_t i = 0; i < pair.labels.size(); ++i) {
    const bool label = pair.labels.classes[i] != 0;
    mine.push_back((static_cast<double>(pair.candidate[i]) >= pair.candidate_threshold) == label);
    theirs.push_back((static_cast<double>(pair.champion[i]) >= pair.champion_threshold) == label);
  }
  return decision_comparison(mine, theirs);
}

Result<std::vector<SliceComparison>> compare_slices(const std::string& metric,
                                                    const ModelPair& pair,
                                                    std::span<const SliceRows> slices,
                                                    WorkerPool& pool) {
  std::vector<SliceComparison> compared;
  std::vector<double> p_values;
  for (const SliceRows& slice : slices) {
    const SlicePair some(pair, slice.rows);
    if (some.units_count() < kLeastUnits) continue;
    COEVAL_ASSIGN(const stats::Improvement found, compare(metric, some.pair, pool));
    SliceComparison& made = compared.emplace_back();
    made.slice = slice.slice;
    made.value = slice.value;
    made.comparison = comparison_of(metric, some.pair, found);
    made.comparison.p_value = stats::normal_p_value(found);
    p_values.push_back(made.comparison.p_value);
  }
  const std::vector<double> adjusted = stats::holm(p_values);
  for (std::size_t i = 0; i < compared.size(); ++i) compared[i].adjusted_p = adjusted[i];
  return compared;
}

namespace {

using Asked = std::function<bool(const std::string&)>;

// Of a binary model those that are no ratios.
Status add_ranked(const ModelPair& pair, const Asked& asked, Intervals& intervals,
                  WorkerPool& pool) {
  const auto labels = pair.labels.classes;
  COEVAL_ASSIGN(const auto auc, stats::estimate_auc(pair.candidate, labels, pair.units,
                                                    bootstrap_options("auc"), &pool));
  add(intervals, "auc", auc.interval);
  if (asked("average_precision")) {
    COEVAL_ASSIGN(const auto found,
                  stats::estimate_average_precision(pair.candidate, labels, pair.units,
                                                    bootstrap_options("average_precision"), &pool));
    add(intervals, "average_precision", found.interval);
  }
  if (asked("calibration_error")) {
    const stats::RankedCalibration ranked(pair.candidate, labels);
    const double value = stats::calibration_error(pair.candidate, labels).value;
    COEVAL_ASSIGN(const auto found,
                  stats::estimate_by(
                      labels.size(), value,
                      [&](std::span<const double> weights) { return ranked.error(weights); },
                      pair.units, bootstrap_options("calibration_error"), &pool));
    add(intervals, "calibration_error", found.interval);
  }
  return {};
}

// Of a multiclass model those that are no ratios.
Status add_classes(const ModelPair& pair, const Asked& asked, Intervals& intervals,
                   WorkerPool& pool) {
  const ClassRows own(pair.candidate_answers());
  const bool with_auc = asked("macro_auc") && can_rank(pair.candidate);
  const stats::RankedClasses ranked(own.rows(), with_auc);
  const std::vector<double> once(pair.labels.size(), 1.0);
  for (const std::string_view name : kWholeOfClasses) {
    const std::string metric(name);
    if (metric == "macro_auc" ? !with_auc : !asked(metric)) continue;
    const double value = class_metric(metric, ranked, once);
    if (!std::isfinite(value)) continue;
    COEVAL_ASSIGN(const auto found, stats::estimate_by(
                                        pair.labels.size(), value,
                                        [&](std::span<const double> weights) {
                                          return class_metric(metric, ranked, weights);
                                        },
                                        pair.units, bootstrap_options(metric), &pool));
    add(intervals, metric, found.interval);
  }
  return {};
}

// Of a regression.
Status add_r_squared(const ModelPair& pair, Intervals& intervals, WorkerPool& pool) {
  COEVAL_ASSIGN(const auto found,
                stats::estimate_r_squared(as_doubles(pair.candidate), pair.labels.numbers,
                                          pair.units, bootstrap_options("r_squared"), &pool));
  add(intervals, "r_squared", found.interval);
  return {};
}

}  // namespace

Result<Intervals> metric_intervals(const ModelPair& pair, bool few,
                                   std::span<const std::string> also, WorkerPool& pool) {
  Intervals intervals;
  const Asked asked = [&](const std::string& metric) {
    return !few || std::ranges::count(also, metric) > 0;
  };
  if (pair.labels.is_binary())
    COEVAL_TRY(add_ranked(pair, asked, intervals, pool));
  else if (pair.labels.is_multiclass())
    COEVAL_TRY(add_classes(pair, asked, intervals, pool));
  else if (pair.labels.is_regression() && asked("r_squared"))
    COEVAL_TRY(add_r_squared(pair, intervals, pool));
  COEVAL_TRY(add_ratios(pair, intervals, pool));
  return intervals;
}

}  // namespace coeval::training
