#include "quality/business_metrics.h"

#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/ratio.h"
#include "kernel/evaluate.h"
#include "stats/multiclass.h"

namespace coeval::quality {
namespace {

using define::Metric;

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// The answers of a binary model: score, decision, label.
std::vector<data::Column> decided(const AnsweredRows& rows) {
  COEVAL_CHECK(rows.scores.size() == rows.labels.size());
  data::ColumnBuilder score(data::Type::float64), decision(data::Type::boolean),
      label(data::Type::boolean);
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    const auto own = static_cast<double>(rows.scores[i]);
    score.append_real(own);
    decision.append_boolean(own >= rows.threshold);
    label.append_boolean(rows.labels[i] != 0);
  }
  return {score.finish(), decision.finish(), label.finish()};
}

// Those of a multiclass model: the decided class's score, the decided class, the label.
std::vector<data::Column> classified(const AnsweredRows& rows) {
  const std::size_t classes = rows.classes.size();
  COEVAL_CHECK(rows.scores.size() == rows.labels.size() * classes);
  data::ColumnBuilder score(data::Type::float64), decision(data::Type::string),
      label(data::Type::string);
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    const auto own = rows.scores.subspan(i * classes, classes);
    const std::size_t place = stats::decided_class(own, rows.cost_matrix);
    score.append_real(static_cast<double>(own[place]));
    decision.append_string(rows.classes[place]);
    label.append_string(rows.classes[rows.labels[i]]);
  }
  return {score.finish(), decision.finish(), label.finish()};
}

// Those of a regression: score, label.
std::vector<data::Column> estimated(const AnsweredRows& rows) {
  COEVAL_CHECK(rows.scores.size() == rows.numbers.size());
  data::ColumnBuilder score(data::Type::float64), label(data::Type::float64);
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    score.append_real(static_cast<double>(rows.scores[i]));
    label.append_real(rows.numbers[i]);
  }
  return {score.finish(), label.finish()};
}

// What the expressions of a metric are over.
data::Batch answered(const Metric& metric, const AnsweredRows& rows) {
  const auto count =
      static_cast<std::int64_t>(rows.classes.empty() ? rows.scores.size() : rows.labels.size());
  data::Batch batch;
  batch.rows = count;
  batch.schema = metric.schema;
  batch.columns = !rows.classes.empty()        ? classified(rows)
                  : metric.answer_columns == 3 ? decided(rows)
                                               : estimated(rows);
  COEVAL_CHECK(batch.columns.size() == metric.answer_columns);
  for (std::size_t i = metric.answer_columns; i < metric.schema.fields.size(); ++i) {
    const data::Field& field = metric.schema.fields[i];
    const data::Column* column = rows.columns == nullptr ? nullptr : rows.columns->find(field.name);
    COEVAL_CHECK(column != nullptr && column->size() == count && column->type() == field.type);
    batch.columns.push_back(*column);
  }
  return batch;
}

double number_at(const data::Column& column, std::int64_t row) {
  if (column.type() == data::Type::boolean) return column.bit(row) ? 1 : 0;
  if (data::is_float(column.type())) return column.real(row);
  if (data::is_integer(column.type())) return static_cast<double>(column.integer(row));
  return std::stod(data::to_text(column.value(row), column.type()));  // a decimal
}

// Values with 0 for null; `counted` then says 1 for each that is there.
std::vector<double> numbers_of(const define::Expr& expr, const data::Batch& batch,
                               std::vector<double>* counted) {
  kernel::EvaluationCounts ignored;
  const data::Column column = kernel::evaluate(expr, batch, {}, ignored);
  std::vector<double> numbers;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const bool there = !column.is_null(row);
    numbers.push_back(there ? number_at(column, row) : 0);
    if (counted != nullptr) counted->push_back(there ? 1 : 0);
  }
  return numbers;
}

}  // namespace

MetricTerms metric_terms(const Metric& metric, const AnsweredRows& rows) {
  const data::Batch batch = answered(metric, rows);
  MetricTerms terms;
  const bool is_ratio = metric.kind == Metric::Kind::ratio;
  terms.numerators = numbers_of(*metric.value, batch, is_ratio ? nullptr : &terms.denominators);
  if (is_ratio) terms.denominators = numbers_of(*metric.divisor, batch, nullptr);
  return terms;
}

double metric_value(const Metric& metric, const MetricTerms& terms) {
  exact::ExactSum numerator, denominator;
  for (const double term : terms.numerators) numerator.add(term);
  for (const double term : terms.denominators) denominator.add(term);
  const double sum = numerator.round();
  if (metric.kind == Metric::Kind::sum) return std::isfinite(sum) ? sum : kUndefined;
  if (!std::isfinite(sum) || !(denominator.round() > 0)) return kUndefined;
  return exact::ratio(numerator, denominator).value_or(kUndefined);
}

MetricTerms take(const MetricTerms& terms, std::span<const std::size_t> rows) {
  MetricTerms some;
  for (const std::size_t row : rows) {
    some.numerators.push_back(terms.numerators[row]);
    some.denominators.push_back(terms.denominators[row]);
  }
  return some;
}

}  // namespace coeval::quality
