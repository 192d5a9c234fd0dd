#include "training/rolling_origin.h"

#include <algorithm>

#include "base/time.h"
#include "define/trainer_params.h"
#include "training/evaluate.h"
#include "training/fit_model.h"
#include "training/pipeline.h"

namespace coeval::training {
namespace {

// Some rows of the training part, as a part of their own.
Result<TrainingRows> take_rows(const TrainingRows& rows, const std::vector<std::size_t>& places,
                               SplitPart part) {
  TrainingRows taken;
  taken.encoder = rows.encoder;
  taken.width = rows.width;
  taken.labels.kind = rows.labels.kind;
  taken.counts[static_cast<std::size_t>(part)] = std::ssize(places);
  COEVAL_ASSIGN(taken.values, SharedFloats::create("coeval fold", places.size() * rows.width));
  float* to = taken.values.data();
  for (const std::size_t place : places) {
    to = std::copy_n(rows.row(place), rows.width, to);
    taken.labels.push_back(rows.labels.span(), place);
    taken.at_us.push_back(rows.at_us[place]);
    if (!rows.weights.empty()) taken.weights.push_back(rows.weights[place]);
    if (!rows.units.empty()) taken.units.push_back(rows.units[place]);
  }
  return taken;
}

struct Fold {
  std::int64_t origin_us = 0;
  TrainingRows train, test;
};

// Whether labels differ, without which there is nothing to learn, and of classes nothing to judge.
bool labels_differ(const TrainingRows& rows) {
  const auto differ = [](const auto& labels) {
    return std::ranges::any_of(labels, [&](auto label) { return label != labels.front(); });
  };
  return rows.labels.kind == define::ModelKind::regression ? differ(rows.labels.numbers)
                                                           : differ(rows.labels.classes);
}

bool can_judge(const Fold& fold) {
  const bool binary = fold.test.labels.kind == define::ModelKind::binary;
  return labels_differ(fold.train) && (binary ? labels_differ(fold.test) : fold.test.rows() > 0);
}

Result<Fold> cut_fold(const define::Model& model, const TrainingRows& rows, int number) {
  const std::int64_t step = model.training.rolling.step_us;
  Fold fold;
  fold.origin_us = model.split.train_until_us - number * step;
  std::vector<std::size_t> train, test;
  const TrainingRows::Range part = rows.part(SplitPart::train);
  for (std::size_t i = part.from; i < part.from + part.count; ++i) {
    const std::int64_t at = rows.at_us[i];
    if (at < fold.origin_us - model.split.gap_us && rows.known_us[i] < fold.origin_us)
      train.push_back(i);
    else if (at >= fold.origin_us && at < fold.origin_us + step)
      test.push_back(i);
  }
  COEVAL_ASSIGN(fold.train, take_rows(rows, train, SplitPart::train));
  COEVAL_ASSIGN(fold.test, take_rows(rows, test, SplitPart::test));
  return fold;
}

Result<data::Json> judge_fold(const Workshop& shop, const define::Model& model, const Fold& fold) {
  data::Json json;
  json.set("origin", format_time(fold.origin_us));
  json.set("train_rows", fold.train.rows());
  json.set("test_rows", fold.test.rows());
  if (!can_judge(fold)) {
    json.set("missing", model.kind != define::ModelKind::binary
                            ? "it has no test rows, or its training rows have one label only"
                            : "a part of it has rows of one class only, or none");
    return json;
  }
  COEVAL_ASSIGN(const TrainedModel trained,
                train_on(shop, model, fold.train, training_range(fold.train)));
  COEVAL_ASSIGN(const auto runtime, runtime_of(shop, model, trained, fold.train));
  const std::size_t values = fold.test.rows() * runtime.outputs();
  std::vector<float> margins(values), scores(values);
  COEVAL_TRY(runtime.predict(fold.test.values, margins, scores));
  for (const auto& [name, value] : all_metrics({.scores = scores,
                                                .labels = fold.test.labels.span(),
                                                .threshold = model.threshold,
                                                .quantile = quantile_of(model),
                                                .class_names = model.classes,
                                                .cost_matrix = model.cost_matrix,
                                                .queries = std::span(fold.test.units),
                                                .rank_k = model.rank_k}))
    json.set(name, value);
  return json;
}

}  // namespace

Result<data::Json> evaluate_rolling(const Workshop& shop, const define::Model& model, int rounds,
                                    const TrainingRows& rows) {
  define::Model at_origin = model;
  if (define::trains_in_rounds(model.trainer)) at_origin.rounds = rounds;
  at_origin.early_stopping_rounds = 0;
  data::Json folds{data::Json::Array{}};
  for (int number = 1; number <= model.training.rolling.folds; ++number) {
    COEVAL_ASSIGN(const Fold fold, cut_fold(model, rows, number));
    COEVAL_ASSIGN(data::Json judged, judge_fold(shop, at_origin, fold));
    shop.say(model.name + ": from " + format_time(fold.origin_us) + " on: " + judged.dump());
    folds.push(std::move(judged));
  }
  return folds;
}

}  // namespace coeval::training
