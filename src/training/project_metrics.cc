#include "training/project_metrics.h"

#include <cmath>
#include <numeric>

namespace coeval::training {
namespace {

// The columns of a part's rows, as the metrics know them.
data::Batch columns_of(const TrainingRows& rows, TrainingRows::Range part) {
  std::vector<std::int64_t> places(part.count);
  std::iota(places.begin(), places.end(), static_cast<std::int64_t>(part.from));
  return data::take(rows.metric_columns, places);
}

}  // namespace

ProjectMetrics::ProjectMetrics(const define::Model& model, const TrainingRows& rows,
                               TrainingRows::Range part, std::span<const float> scores,
                               const DecisionRule& rule) {
  if (model.metrics.empty()) return;
  const data::Batch columns = columns_of(rows, part);
  const LabelSpan labels = rows.labels.span().subspan(part.from, part.count);
  std::vector<double> grades;
  if (labels.is_ranking()) grades.assign(labels.classes.begin(), labels.classes.end());
  const quality::AnsweredRows answered{
      .scores = scores,
      .threshold = rule.threshold,
      .labels = labels.classes,
      .numbers = labels.is_ranking() ? std::span<const double>(grades) : labels.numbers,
      .classes = model.classes,
      .cost_matrix = rule.cost_matrix,
      .columns = &columns};
  for (const define::Metric& metric : model.metrics)
    all_.push_back({&metric, quality::metric_terms(metric, answered)});
}

void ProjectMetrics::add_to(Metrics& metrics) const {
  for (const Of& of : all_) {
    const double value = quality::metric_value(*of.metric, of.terms);
    if (std::isfinite(value)) metrics[of.metric->name] = value;
  }
}

ProjectMetrics ProjectMetrics::take(std::span<const std::size_t> rows) const {
  ProjectMetrics some;
  for (const Of& of : all_) some.all_.push_back({of.metric, quality::take(of.terms, rows)});
  return some;
}

}  // namespace coeval::training
