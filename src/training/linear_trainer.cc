#include "training/linear_trainer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "data/json.h"
#include "exact/maths.h"
#include "models/linear_model.h"
#include "stats/linear_fit.h"
#include "training/json_member.h"

namespace coeval::training {
namespace {

using data::Json;

Result<double> number_of(const std::string& name, const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (fault == std::errc{} && stop == end && value >= 0 && std::isfinite(value)) return value;
  return fail(Code::training_failed, name + " must be a number from 0 on, is '" + text + "'");
}

Result<stats::LinearOptions> options_of(const TrainingPlan& plan) {
  stats::LinearOptions options;
  double iterations = plan.rounds;
  for (const auto& [name, text] : plan.params) {
    double* const place = name == "l1"               ? &options.l1
                          : name == "l2"             ? &options.l2
                          : name == "tolerance"      ? &options.tolerance
                          : name == "max_iterations" ? &iterations
                                                     : nullptr;
    if (place == nullptr)
      return fail(Code::unsupported, "the linear trainer has no parameter '" + name + "'",
                  "it has l1, l2, max_iterations and tolerance");
    COEVAL_ASSIGN(*place, number_of(name, text));
  }
  if (plan.objective.kind == Objective::Kind::squared)
    options.loss = stats::LinearLoss::squared;
  else if (plan.objective.is_regression())
    return fail(Code::unsupported, "the linear trainer has the squared loss only",
                "leave `loss` of the model out");
  if (plan.early_stopping_rounds > 0)
    return fail(Code::unsupported, "a linear model has no rounds to stop early",
                "remove early_stopping_rounds");
  // The answer of a worker may not have more rounds than its plan.
  options.max_iterations = static_cast<int>(std::min<double>(iterations, plan.rounds));
  return options;
}

std::vector<double> labels_of(const TrainingTable& table) {
  if (table.numbers != nullptr) return {table.numbers, table.numbers + table.train_rows};
  return {table.labels, table.labels + table.train_rows};
}

stats::LinearRows rows_of(const TrainingTable& table, const std::vector<double>& labels) {
  const auto rows = static_cast<std::size_t>(table.train_rows);
  return {.values = {table.values, rows * table.width},
          .width = table.width,
          .labels = labels,
          .weights =
              table.weights == nullptr ? std::span<const float>() : std::span(table.weights, rows)};
}

// A sign for the coefficient of each input that has one.
std::vector<int> directions_of(const TrainingTable& table, const stats::LinearDesign& design) {
  if (std::ranges::count(table.monotone, 0) == std::ssize(table.monotone)) return {};
  std::vector<int> directions(design.size());
  for (std::size_t i = 0; i < table.width; ++i) {
    const auto& column = design.columns()[i];
    if (!column.categorical && column.first != stats::LinearDesign::kNone)
      directions[column.first] = table.monotone[i];
  }
  return directions;
}

models::LinearTerm term_of(const stats::LinearDesign::Column& column, const std::string& name,
                           const std::vector<double>& coefficients) {
  models::LinearTerm term;
  term.name = name;
  term.categorical = column.categorical;
  if (column.indicator != stats::LinearDesign::kNone) term.missing = coefficients[column.indicator];
  term.average = column.missing_share * term.missing;
  for (std::uint32_t level = 0; level < column.levels; ++level) {
    term.coefficients.push_back(coefficients[column.first + level]);
    term.average += column.level_shares[level] * term.coefficients.back();
  }
  if (column.categorical || column.first == stats::LinearDesign::kNone) return term;
  term.mean = column.mean;
  term.coefficient = coefficients[column.first] / column.scale;
  return term;
}

Result<models::LinearModel> model_of(const TrainingTable& table, const stats::LinearDesign& design,
                                     const stats::LinearOptions& options,
                                     const stats::LinearSolution& found) {
  models::LinearParts parts;
  parts.link = options.loss == stats::LinearLoss::squared ? models::LinearLink::identity
                                                          : models::LinearLink::logistic;
  parts.intercept = found.intercept;
  for (std::size_t i = 0; i < table.width; ++i)
    parts.terms.push_back(term_of(design.columns()[i], table.names[i], found.coefficients));
  parts.fit = {.l1 = options.l1,
               .l2 = options.l2,
               .iterations = found.iterations,
               .converged = found.converged,
               .gap = found.gap};
  return models::LinearModel::make(std::move(parts));
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

// A file's numbers for prediction, taken from its JSON here.
struct SecondReading {
  struct Column {
    bool categorical = false;
    double mean = 0, coefficient = 0, missing = 0;
    std::vector<double> coefficients;
  };
  double intercept = 0;
  bool identity = false;  // the score is the margin
  std::vector<Column> columns;
};

Result<SecondReading> read_again(const std::string& bytes) {
  SecondReading reading;
  COEVAL_ASSIGN(const Json json, data::parse_json(bytes, {.max_bytes = std::size_t{1} << 30}));
  COEVAL_ASSIGN(reading.intercept, number_member(json, "intercept"));
  COEVAL_ASSIGN(const std::string link, string_member(json, "link"));
  reading.identity = link == "identity";
  COEVAL_ASSIGN(const auto* columns, array_member(json, "columns"));
  for (const Json& each : *columns) {
    SecondReading::Column column;
    COEVAL_ASSIGN(const std::string kind, string_member(each, "kind"));
    COEVAL_ASSIGN(column.missing, number_member(each, "missing"));
    column.categorical = kind == "category";
    if (column.categorical) {
      COEVAL_ASSIGN(const auto* all, array_member(each, "coefficients"));
      for (const Json& one : *all)
        column.coefficients.push_back(one.real() == nullptr ? 0 : *one.real());
    } else {
      COEVAL_ASSIGN(column.mean, number_member(each, "mean"));
      COEVAL_ASSIGN(column.coefficient, number_member(each, "coefficient"));
    }
    reading.columns.push_back(std::move(column));
  }
  return reading;
}

double coefficient_of(const SecondReading::Column& column, double value) {
  double found = 0;
  for (std::size_t code = 0; code < column.coefficients.size(); ++code)
    if (static_cast<double>(code) == value) found = column.coefficients[code];
  return found;
}

void add_column(const SecondReading::Column& column, const float* cell, std::size_t width,
                std::vector<double>& margins) {
  for (std::size_t row = 0; row < margins.size(); ++row) {
    const auto value = static_cast<double>(cell[row * width]);
    if (std::isnan(value) || std::isinf(value))
      margins[row] += column.missing;
    else if (!column.categorical)
      margins[row] += (value - column.mean) * column.coefficient;
    else
      margins[row] += coefficient_of(column, value);
  }
}

class LinearTrainer final : public Trainer {
 public:
  Result<TrainedModel> train(const TrainingTable& table, const TrainingPlan& plan,
                             void (*progress)(int round, int rounds)) override {
    COEVAL_ASSIGN(stats::LinearOptions options, options_of(plan));
    const std::vector<double> labels = labels_of(table);
    const stats::LinearRows rows = rows_of(table, labels);
    COEVAL_ASSIGN(const auto design, stats::LinearDesign::fit(rows, table.categorical));
    options.directions = directions_of(table, design);
    WorkerPool pool(std::max(1, plan.threads));
    COEVAL_ASSIGN(const auto found, stats::fit_linear(design, rows, options, pool));
    COEVAL_ASSIGN(const auto model, model_of(table, design, options, found));
    TrainedModel trained;
    trained.bytes = model.to_text();
    trained.rounds_used = std::max(1, found.iterations);
    trained.engine = "coeval linear 1";
    if (!found.converged)
      trained.notes.push_back("the linear model has not converged after " +
                              std::to_string(found.iterations) + " iterations: its gap is " +
                              short_number(found.gap) + ", the tolerance " +
                              short_number(options.tolerance));
    if (progress != nullptr) progress(trained.rounds_used, plan.rounds);
    return trained;
  }

  Result<std::vector<float>> predict_margins(const std::string& model_bytes, const float* rows,
                                             std::int64_t count, std::size_t width) override {
    COEVAL_ASSIGN(const Margins found, margins_of(model_bytes, rows, count, width));
    return std::vector<float>(found.margins.begin(), found.margins.end());
  }

  Result<std::vector<float>> predict(const std::string& model_bytes, const float* rows,
                                     std::int64_t count, std::size_t width) override {
    COEVAL_ASSIGN(const Margins found, margins_of(model_bytes, rows, count, width));
    if (found.identity) return std::vector<float>(found.margins.begin(), found.margins.end());
    std::vector<float> scores;
    for (const double margin : found.margins) {
      const double e = exact::exp(margin < 0 ? margin : -margin);
      scores.push_back(static_cast<float>(margin < 0 ? e / (1 + e) : 1 / (1 + e)));
    }
    return scores;
  }

 private:
  struct Margins {
    std::vector<double> margins;
    bool identity = false;
  };

  static Result<Margins> margins_of(const std::string& bytes, const float* rows, std::int64_t count,
                                    std::size_t width) {
    auto reading = read_again(bytes);
    if (!reading) return fail(Code::bad_model, reading.error().message);
    if (reading->columns.size() != width)
      return fail(Code::bad_model, "the model has another width than the rows");
    Margins found{std::vector<double>(static_cast<std::size_t>(count), reading->intercept),
                  reading->identity};
    for (std::size_t i = 0; i < width; ++i)
      add_column(reading->columns[i], rows + i, width, found.margins);
    return found;
  }
};

}  // namespace

std::unique_ptr<Trainer> make_linear_trainer() { return std::make_unique<LinearTrainer>(); }

}  // namespace coeval::training
