#include "training/evaluate.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "stats/curves.h"
#include "stats/metrics.h"
#include "stats/regression.h"
#include "stats/regression_plots.h"
#include "stats/thresholds.h"

namespace coeval::training {
namespace {

using data::Json;

Json bins_json(const stats::CalibrationError& error) {
  Json::Array bins;
  for (const stats::CalibrationBin& bin : error.bins) {
    Json json;
    json.set("count", bin.count);
    json.set("mean_score", bin.mean_score);
    json.set("positive_share", bin.positive_share);
    bins.push_back(std::move(json));
  }
  return bins;
}

// Arrays of numbers side by side are a tenth of the text that objects would be.
Json curves_json(const stats::BinaryRows& rows) {
  Json false_positives{Json::Array{}}, true_positives{Json::Array{}};
  for (const auto& point : stats::roc_curve(rows)) {
    false_positives.push(point.false_positive_rate);
    true_positives.push(point.true_positive_rate);
  }
  Json recalls{Json::Array{}}, precisions{Json::Array{}};
  for (const auto& point : stats::precision_recall_curve(rows)) {
    recalls.push(point.recall);
    precisions.push(point.precision);
  }
  Json positives{Json::Array{}}, negatives{Json::Array{}};
  for (const auto& bin : stats::score_histogram(rows)) {
    positives.push(bin.positives);
    negatives.push(bin.negatives);
  }
  Json curves;
  curves.set("false_positive_rate", std::move(false_positives));
  curves.set("true_positive_rate", std::move(true_positives));
  curves.set("recall", std::move(recalls));
  curves.set("precision", std::move(precisions));
  curves.set("histogram_positives", std::move(positives));
  curves.set("histogram_negatives", std::move(negatives));
  return curves;
}

Json confusion_json(const stats::Confusion& counts, double threshold) {
  const auto whole = [](double count) { return static_cast<std::int64_t>(count); };
  Json json;
  json.set("threshold", threshold);
  json.set("true_positives", whole(counts.true_positives));
  json.set("false_positives", whole(counts.false_positives));
  json.set("false_negatives", whole(counts.false_negatives));
  json.set("true_negatives", whole(counts.true_negatives));
  return json;
}

stats::BinaryRows binary_rows(const ModelAnswers& answers) {
  return {.scores = answers.scores, .labels = answers.labels.classes, .weights = {}};
}

Metrics binary_metrics(const ModelAnswers& answers) {
  const stats::BinaryMetrics binary = stats::binary_metrics(answers.scores, answers.labels.classes);
  const stats::Confusion counts = stats::confusion(binary_rows(answers), answers.threshold);
  return {{"auc", binary.auc},
          {"average_precision", binary.average_precision},
          {"log_loss", binary.log_loss},
          {"brier", binary.brier},
          {"calibration_error", binary.calibration_error},
          {"accuracy", stats::accuracy(counts)},
          {"precision", stats::precision(counts)},
          {"recall", stats::recall(counts)},
          {"f1", stats::f1(counts)}};
}

Metrics regression_metrics(const ModelAnswers& answers) {
  const std::vector<double> predictions = as_doubles(answers.scores);
  const stats::RegressionRows rows{.predictions = predictions, .targets = answers.labels.numbers};
  Metrics metrics = {{"mae", stats::mae(rows)},
                     {"mape", stats::mape(rows).value},
                     {"r_squared", stats::r_squared(rows)},
                     {"rmse", stats::rmse(rows)},
                     {"wape", stats::wape(rows)}};
  if (answers.quantile) metrics["pinball"] = stats::pinball(rows, *answers.quantile);
  return metrics;
}

Metrics class_metrics(const ModelAnswers& answers) {
  const ClassRows own(answers);
  const stats::MulticlassMetrics found = stats::multiclass_metrics(own.rows());
  return {{"accuracy", stats::accuracy(own.rows())},
          {"log_loss", stats::log_loss(own.rows())},
          {"macro_auc", found.macro_auc},
          {"macro_f1", found.macro_f1},
          {"mean_cost", stats::mean_cost(own.rows())},
          {"weighted_f1", found.weighted_f1}};
}

Metrics query_metrics(const ModelAnswers& answers) {
  const QueryRows own(answers);
  const stats::RankingMetrics found = stats::ranking_metrics(own.rows(), answers.rank_k);
  return {
      {"hit_rate", found.hit_rate}, {"map", found.map}, {"mrr", found.mrr}, {"ndcg", found.ndcg}};
}

void add_queries(Json& json, const ScoredPart& part) {
  const QueryRows own(part.answers);
  const stats::RankingMetrics found = stats::ranking_metrics(own.rows(), part.answers.rank_k);
  json.set("k", part.answers.rank_k);
  json.set("queries", found.queries);
  json.set("queries_without_relevant", found.without_relevant);
}

// What is told of each class, and how often each is taken for each other.
void add_classes(Json& json, const ScoredPart& part) {
  const ClassRows own(part.answers);
  const stats::MulticlassMetrics found = stats::multiclass_metrics(own.rows());
  const auto classes = static_cast<std::size_t>(own.classes);
  std::vector<std::int64_t> taken(classes * classes);
  const auto decided = stats::decided_classes(own.rows());
  for (std::size_t i = 0; i < decided.size(); ++i)
    ++taken[static_cast<std::size_t>(own.labels[i]) * classes +
            static_cast<std::size_t>(decided[i])];
  Json list{Json::Array{}};
  for (std::size_t of = 0; of < found.classes.size(); ++of) {
    const stats::ClassMetrics& metrics = found.classes[of];
    Json each;
    each.set("class", part.answers.class_names[of]);
    each.set("rows", static_cast<std::int64_t>(metrics.support));
    const std::pair<const char*, double> values[] = {{"precision", metrics.precision},
                                                     {"recall", metrics.recall},
                                                     {"f1", metrics.f1},
                                                     {"auc", metrics.auc}};
    for (const auto& [name, value] : values)
      if (std::isfinite(value)) each.set(name, value);
    Json rows_by_decision{Json::Array{}};
    for (std::size_t as = 0; as < classes; ++as) rows_by_decision.push(taken[of * classes + as]);
    each.set("decided", std::move(rows_by_decision));
    list.push(std::move(each));
  }
  json.set("log_loss_clip", 1e-15);
  json.set("classes_with_auc", found.classes_with_auc);
  json.set("classes", std::move(list));
}

void add_binary(Json& json, const ScoredPart& part) {
  const ModelAnswers& answers = part.answers;
  const stats::BinaryRows rows = binary_rows(answers);
  json.set("log_loss_clip", 1e-15);
  json.set("calibration_bins",
           bins_json(stats::calibration_error(answers.scores, answers.labels.classes)));
  json.set("confusion",
           confusion_json(stats::confusion(rows, answers.threshold), answers.threshold));
  if (part.name == "test") json.set("curves", curves_json(rows));
}

template <class Value>
Json list_of(const std::vector<stats::PredictionBin>& bins, const Value& value) {
  Json list{Json::Array{}};
  for (const auto& bin : bins) list.push(value(bin));
  return list;
}

// What the plots of a regression's test part show.
Json plots_json(const stats::RegressionRows& rows) {
  const auto bins = stats::prediction_bins(rows);
  using Bin = stats::PredictionBin;
  Json json;
  json.set("count", list_of(bins, [](const Bin& bin) { return bin.count; }));
  json.set("mean_prediction", list_of(bins, [](const Bin& bin) { return bin.mean_prediction; }));
  json.set("mean_label", list_of(bins, [](const Bin& bin) { return bin.mean_target; }));
  json.set("lower_label", list_of(bins, [](const Bin& bin) { return bin.lower_target; }));
  json.set("upper_label", list_of(bins, [](const Bin& bin) { return bin.upper_target; }));
  const auto histogram = stats::residual_histogram(rows);
  json.set("residual_least", histogram.least);
  json.set("residual_most", histogram.most);
  json.set("residuals", Json::Array(histogram.counts.begin(), histogram.counts.end()));
  return json;
}

void add_regression(Json& json, const ScoredPart& part) {
  const std::vector<double> predictions = as_doubles(part.answers.scores);
  const stats::RegressionRows rows{.predictions = predictions,
                                   .targets = part.answers.labels.numbers};
  json.set("mape_rows_near_zero", stats::mape(rows).rows_near_zero);
  if (part.name == "test") json.set("plots", plots_json(rows));
}

double mean_of(std::span<const double> numbers) {
  exact::ExactSum sum;
  for (const double number : numbers) sum.add(number);
  return sum.mean(std::ssize(numbers));
}

}  // namespace

Status check_evaluable(const ScoredPart& part) {
  const LabelSpan& labels = part.answers.labels;
  COEVAL_CHECK(labels.size() == 0 || part.answers.scores.size() % labels.size() == 0);
  if (labels.size() == 0) {
    return fail(Code::no_rows, "the " + part.name + " part has no rows to evaluate",
                "move the dates of `split` into the time that the source covers");
  }
  if (!labels.is_binary()) return {};
  const auto positives = std::ranges::count(labels.classes, 1);
  if (positives == 0 || positives == std::ssize(labels.classes)) {
    return fail(Code::no_rows,
                "the " + part.name +
                    " part has one class only, so it has no AUC: " + std::to_string(positives) +
                    " positives in " + std::to_string(labels.size()) + " rows",
                "check the label, or choose dates with labels of both kinds");
  }
  return {};
}

Metrics all_metrics(const ModelAnswers& answers) {
  Metrics metrics = answers.labels.is_regression()   ? regression_metrics(answers)
                    : answers.labels.is_multiclass() ? class_metrics(answers)
                    : answers.labels.is_ranking()    ? query_metrics(answers)
                                                     : binary_metrics(answers);
  std::erase_if(metrics, [](const auto& metric) { return !std::isfinite(metric.second); });
  return metrics;
}

Result<Json> evaluation_report(std::span<const ScoredPart> parts) {
  Json report;
  for (const ScoredPart& part : parts) {
    COEVAL_TRY(check_evaluable(part));
    const LabelSpan& labels = part.answers.labels;
    Json json;
    json.set("rows", static_cast<std::int64_t>(labels.size()));
    if (labels.is_regression())
      json.set("label_mean", mean_of(labels.numbers));
    else if (labels.is_binary())
      json.set("positives",
               static_cast<std::int64_t>(std::ranges::count(labels.classes, std::uint8_t{1})));
    for (const auto& [name, value] : all_metrics(part.answers)) json.set(name, value);
    for (const auto& [name, value] : part.further) json.set(name, value);
    if (labels.is_regression())
      add_regression(json, part);
    else if (labels.is_multiclass())
      add_classes(json, part);
    else if (labels.is_ranking())
      add_queries(json, part);
    else
      add_binary(json, part);
    report.set(part.name, std::move(json));
  }
  return report;
}

void add_intervals(Json& report, const Evidence& evidence) {
  const Json* test = report.find("test");
  if (test == nullptr) return;
  Json extended = *test;
  const Json stored = to_json(evidence);
  for (const char* member : {"intervals", "interval_unit", "interval_units", "auc_delong"})
    if (const Json* found = stored.find(member)) extended.set(member, *found);
  report.set("test", std::move(extended));
}

}  // namespace coeval::training
