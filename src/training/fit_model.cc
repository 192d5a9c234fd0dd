#include "training/fit_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "data/hash.h"
#include "stats/thresholds.h"
#include "stores/files.h"
#include "training/external_trainer.h"
#include "training/given_model.h"
#include "training/onnx_trial.h"
#include "training/pipeline.h"

namespace coeval::training {
namespace {

constexpr std::size_t kGoldenRows = 64;

stats::BinaryRows rows_of(const TrainingRows& rows, std::span<const float> scores, SplitPart part) {
  const TrainingRows::Range range = rows.part(part);
  return {.scores = scores.subspan(range.from, range.count),
          .labels = std::span(rows.labels.classes).subspan(range.from, range.count),
          .weights = {}};
}

std::vector<int> directions(const define::Model& model, const models::Encoder& encoder) {
  if (model.training.monotone.empty()) return {};
  std::vector<int> all;
  for (const auto& column : encoder.columns()) {
    const auto found =
        std::ranges::find(model.training.monotone, column.name, &define::Monotone::input);
    all.push_back(found == model.training.monotone.end() ? 0 : found->direction);
  }
  return all;
}

Result<std::optional<stats::CalibrationMap>> fit_calibration(const define::Model& model,
                                                             const TrainingRows& rows,
                                                             std::span<const float> scores) {
  if (model.training.calibration == define::Calibration::none) return std::nullopt;
  const stats::BinaryRows part = rows_of(rows, scores, SplitPart::calibrate);
  Result<stats::CalibrationMap> map;
  switch (model.training.calibration) {
    case define::Calibration::none:
    case define::Calibration::automatic:
      map = stats::fit_calibration(part);
      break;
    case define::Calibration::platt:
      map = stats::fit_platt(part);
      break;
    case define::Calibration::isotonic:
      map = stats::fit_isotonic(part);
      break;
  }
  if (!map)
    return std::unexpected(std::move(map).error().within("calibrating model '" + model.name + "'"));
  return std::move(*map);
}

stats::ThresholdRule rule_of(const define::ThresholdRule& rule) {
  switch (rule.kind) {
    case define::ThresholdRule::Kind::precision:
      return stats::MostRecall{rule.floor};
    case define::ThresholdRule::Kind::recall:
      return stats::MostPrecision{rule.floor};
    case define::ThresholdRule::Kind::fixed:
    case define::ThresholdRule::Kind::least_cost:
      break;
  }
  return stats::LeastCost{
      {.false_positive = rule.false_positive, .false_negative = rule.false_negative}};
}

Result<double> choose(const define::Model& model, const TrainingRows& rows,
                      std::span<const float> scores) {
  const define::ThresholdRule& rule = model.training.threshold_rule;
  if (rule.kind == define::ThresholdRule::Kind::fixed) return model.threshold;
  auto choice = stats::choose_threshold(rows_of(rows, scores, SplitPart::threshold), rule_of(rule));
  if (!choice)
    return std::unexpected(
        std::move(choice).error().within("choosing the threshold of model '" + model.name + "'"));
  // A probability: +infinity flags nothing, and so does what no score of the part has reached.
  return std::isfinite(choice->threshold) ? static_cast<double>(choice->threshold)
                                          : std::nextafter(1.0, 2.0);
}

// Those of one row.
std::vector<float> values_at(const std::vector<float>& values, std::size_t row, std::size_t width) {
  const auto from = values.begin() + static_cast<std::ptrdiff_t>(row * width);
  return {from, from + static_cast<std::ptrdiff_t>(width)};
}

// How many rows each query has; training queries end where validation begins.
std::vector<std::uint32_t> query_sizes(const TrainingRows& rows, const TrainingRange& range) {
  std::vector<std::uint32_t> groups;
  for (std::size_t row = range.from; row < range.from + range.train + range.validate; ++row) {
    const bool begins = row == range.from || row == range.from + range.train ||
                        rows.units[row] != rows.units[row - 1];
    if (begins) groups.push_back(0);
    ++groups.back();
  }
  return groups;
}

CommandJob job_of(const Workshop& shop, const define::Model& model, const TrainingRows& rows,
                  const std::string& folder) {
  CommandJob job{model.name, shop.project->folder, folder, {}};
  for (const auto& column : rows.encoder.columns()) job.values.push_back(column.dictionary);
  return job;
}

Result<models::Runtime> opened_runtime(const Workshop& shop, const define::Model& model,
                                       const std::string& bytes, const TrainingRows& rows) {
  if (models::format_of(bytes) == models::ModelFormat::onnx)
    COEVAL_TRY(try_onnx(shop, model, bytes, rows));
  return models::Runtime::read(bytes, shop.openers);
}

}  // namespace

// What the trainer wrote is not trusted more than any other file.
Result<models::Runtime> runtime_of(const Workshop& shop, const define::Model& model,
                                   const TrainedModel& trained, const TrainingRows& rows) {
  const std::size_t width = rows.width;
  auto runtime = opened_runtime(shop, model, trained.bytes, rows);
  const std::size_t outputs = objective_of(model).outputs();
  if (runtime && runtime->width() == width && runtime->outputs() == outputs &&
      runtime->scores() == outputs)
    return runtime;
  const Error error = runtime
                          ? Error{Code::bad_model,
                                  "it has " + std::to_string(runtime->width()) + " inputs and " +
                                      std::to_string(runtime->outputs()) + " outputs instead of " +
                                      std::to_string(width) + " and " + std::to_string(outputs),
                                  {},
                                  {},
                                  {}}
                          : runtime.error();
  if (shop.given != nullptr)
    return fail(error.code, "'" + shop.given->name + "' cannot be used: " + error.message,
                error.advice.empty() ? "the model's inputs are what its row has" : error.advice);
  return fail(Code::training_failed,
              "trainer '" + model.trainer +
                  "' wrote a model that cannot be used: " + error.message +
                  (trained.words.empty() ? "" : "; its last words: " + trained.words),
              error.code == Code::unsupported || error.code == Code::missing_component
                  ? error.advice
                  : "run the command again; if it ends the same way, ./dev setup installs the "
                    "library that belongs to this version");
}

TrainingRange training_range(const TrainingRows& rows) {
  return {.from = 0,
          .train = rows.part(SplitPart::train).count,
          .validate = rows.part(SplitPart::validate).count};
}

Objective objective_of(const define::Model& model) {
  if (model.kind == define::ModelKind::binary) return {};
  if (model.kind == define::ModelKind::multiclass)
    return {.kind = Objective::Kind::multiclass, .classes = static_cast<int>(model.classes.size())};
  if (model.kind == define::ModelKind::ranking)
    return {.kind = Objective::Kind::ranking, .rank_k = model.rank_k};
  switch (model.loss.kind) {
    case define::Loss::Kind::squared:
      break;
    case define::Loss::Kind::absolute:
      return {.kind = Objective::Kind::absolute};
    case define::Loss::Kind::quantile:
      return {.kind = Objective::Kind::quantile, .quantile = model.loss.quantile};
  }
  return {.kind = Objective::Kind::squared};
}

std::vector<float> training_weights(const define::Model& model, const TrainingRows& rows,
                                    const TrainingRange& range) {
  const define::ClassWeights& classes = model.training.class_weights;
  if (rows.weights.empty() && !classes.given()) return {};
  if (rows.labels.kind != define::ModelKind::binary) {
    const auto own = std::span(rows.weights).subspan(range.from, range.train + range.validate);
    return {own.begin(), own.end()};
  }
  const auto labels =
      std::span(rows.labels.classes).subspan(range.from, range.train + range.validate);
  double of[2] = {classes.negative, classes.positive};
  if (classes.balanced) {
    const auto positives =
        static_cast<double>(std::ranges::count(labels.first(range.train), std::uint8_t{1}));
    const auto all = static_cast<double>(range.train);
    of[0] = all / (2 * std::max(all - positives, 1.0));
    of[1] = all / (2 * std::max(positives, 1.0));
  }
  std::vector<float> weights(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double own = rows.weights.empty() ? 1 : static_cast<double>(rows.weights[range.from + i]);
    weights[i] = static_cast<float>(own * of[labels[i]]);
  }
  return weights;
}

Result<TrainedModel> train_on(const Workshop& shop, const define::Model& model,
                              const TrainingRows& rows, const TrainingRange& range) {
  if (shop.given != nullptr) {
    COEVAL_TRY(check_input_names(*shop.given, rows.encoder));
    return TrainedModel{shop.given->bytes, 0, shop.given->engine(), {}};
  }
  const define::TrainingLimits& limits = model.training.limits;
  const std::vector<float> weights = training_weights(model, rows, range);
  TrainingTable table;
  table.rows = static_cast<std::int64_t>(range.train + range.validate);
  table.train_rows = static_cast<std::int64_t>(range.train);
  table.width = rows.width;
  for (const auto& column : rows.encoder.columns()) {
    table.names.push_back(column.name);
    // docs/adr/0003: to forests, ordinal codes of the sorted dictionary
    table.categorical.push_back(model.trainer == "linear" && column.categorical);
  }
  table.monotone = directions(model, rows.encoder);
  table.values = rows.row(range.from);
  table.memory = &rows.values.memory();
  if (model.kind == define::ModelKind::regression)
    table.numbers = rows.labels.numbers.data() + range.from;
  else
    table.labels = rows.labels.classes.data() + range.from;
  if (model.kind == define::ModelKind::ranking) table.groups = query_sizes(rows, range);
  table.weights = weights.empty() ? nullptr : weights.data();
  const TrainingPlan plan{model.params,
                          model.rounds,
                          model.early_stopping_rounds,
                          model.seed,
                          limits.threads > 0 ? limits.threads : shop.threads,
                          objective_of(model)};
  const std::string folder = shop.work_folder(model.name + "-train");
  const ChildLimits bounds{.time_budget_s = static_cast<double>(limits.time_budget_us) / 1e6,
                           .memory_limit_bytes = static_cast<std::uint64_t>(limits.memory_bytes)};
  if (model.trainer == define::kExternalTrainer) {
    COEVAL_ASSIGN(const auto command, define::external_trainer(model));
    return train_by_command(shop.formats, command, job_of(shop, model, rows, folder), table, plan,
                            bounds);
  }
  COEVAL_TRY(stores::make_folders(folder));
  auto trained = train_in_child(shop.program, folder, model.trainer, table, plan, bounds, nullptr);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return trained;
}

Result<double> median_latency_us(const models::Runtime& runtime, std::span<const float> rows,
                                 std::size_t width) {
  constexpr int kTrials = 201;
  constexpr std::size_t kRows = 64;
  const std::size_t all = width == 0 ? 0 : rows.size() / width;
  const std::size_t count = std::min(kRows, all);
  if (count == 0) return 0;
  std::vector<double> trials;
  std::vector<float> margins(runtime.outputs()), scores(runtime.scores());
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i)
      COEVAL_TRY(runtime.predict(rows.subspan(i * all / count * width, width), margins, scores));
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    trials.push_back(took.count() / static_cast<double>(count));
  }
  std::ranges::nth_element(trials, trials.begin() + kTrials / 2);
  return trials[kTrials / 2];
}

Result<FittedModel> fit_model(const Workshop& shop, const define::Model& model,
                              const TrainingRows& rows) {
  FittedModel fitted;
  COEVAL_ASSIGN(fitted.trained, train_on(shop, model, rows, training_range(rows)));
  COEVAL_ASSIGN(fitted.runtime, runtime_of(shop, model, fitted.trained, rows));
  fitted.outputs = fitted.runtime.outputs();
  fitted.margins.resize(rows.rows() * fitted.outputs);
  fitted.raw_scores.resize(rows.rows() * fitted.outputs);
  COEVAL_TRY(fitted.runtime.predict(rows.values, fitted.margins, fitted.raw_scores));
  COEVAL_ASSIGN(fitted.calibration, fit_calibration(model, rows, fitted.raw_scores));
  fitted.scores = fitted.raw_scores;
  models::calibrate(fitted.calibration, fitted.scores);
  COEVAL_ASSIGN(fitted.threshold, choose(model, rows, fitted.scores));
  return fitted;
}

std::vector<models::GoldenRow> golden_rows(const TrainingRows& rows, const FittedModel& fitted) {
  std::vector<models::GoldenRow> golden;
  const TrainingRows::Range test = rows.part(SplitPart::test);
  for (std::size_t i = 0; i < kGoldenRows && test.count > 0; ++i) {
    const std::size_t at = test.from + data::xxh3_64("golden", i) % test.count;
    golden.push_back({std::vector<float>(rows.row(at), rows.row(at) + rows.width),
                      values_at(fitted.margins, at, fitted.outputs),
                      values_at(fitted.scores, at, fitted.outputs)});
  }
  return golden;
}

}  // namespace coeval::training
