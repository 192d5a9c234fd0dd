#include "training/rolling_origin.h"

#include <algorithm>

#include "base/time.h"
#include "training/evaluate.h"
#include "training/fit_model.h"
#include "training/pipeline.h"

namespace coeval::training {
namespace {

// Some rows of the training part, as a part of their own.
TrainingRows take_rows(const TrainingRows& rows, const std::vector<std::size_t>& places,
                       SplitPart part) {
  TrainingRows taken;
  taken.encoder = rows.encoder;
  taken.width = rows.width;
  taken.counts[static_cast<std::size_t>(part)] = std::ssize(places);
  for (const std::size_t place : places) {
    taken.values.insert(taken.values.end(), rows.row(place), rows.row(place) + rows.width);
    taken.labels.push_back(rows.labels[place]);
    taken.at_us.push_back(rows.at_us[place]);
    if (!rows.weights.empty()) taken.weights.push_back(rows.weights[place]);
  }
  return taken;
}

bool has_both_classes(const TrainingRows& rows) {
  const auto positives = std::ranges::count(rows.labels, std::uint8_t{1});
  return positives > 0 && positives < std::ssize(rows.labels);
}

struct Fold {
  std::int64_t origin_us = 0;
  TrainingRows train, test;
};

Fold cut_fold(const define::Model& model, const TrainingRows& rows, int number) {
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
  fold.train = take_rows(rows, train, SplitPart::train);
  fold.test = take_rows(rows, test, SplitPart::test);
  return fold;
}

Result<data::Json> judge_fold(const Workshop& shop, const define::Model& model, const Fold& fold) {
  data::Json json;
  json.set("origin", format_time(fold.origin_us));
  json.set("train_rows", fold.train.rows());
  json.set("test_rows", fold.test.rows());
  if (!has_both_classes(fold.train) || !has_both_classes(fold.test)) {
    json.set("missing", "a part of it has rows of one class only, or none");
    return json;
  }
  COEVAL_ASSIGN(const TrainedModel trained,
                train_on(shop, model, fold.train, training_range(fold.train)));
  COEVAL_ASSIGN(const auto runtime, models::Runtime::read(trained.bytes, shop.openers));
  std::vector<float> margins(fold.test.rows()), scores(fold.test.rows());
  COEVAL_TRY(runtime.predict(fold.test.values, margins, scores));
  for (const auto& [name, value] : all_metrics(scores, fold.test.labels, model.threshold))
    json.set(name, value);
  return json;
}

}  // namespace

Result<data::Json> evaluate_rolling(const Workshop& shop, const define::Model& model, int rounds,
                                    const TrainingRows& rows) {
  define::Model at_origin = model;
  at_origin.rounds = rounds;
  at_origin.early_stopping_rounds = 0;
  data::Json folds{data::Json::Array{}};
  for (int number = 1; number <= model.training.rolling.folds; ++number) {
    const Fold fold = cut_fold(model, rows, number);
    COEVAL_ASSIGN(data::Json judged, judge_fold(shop, at_origin, fold));
    shop.say(model.name + ": from " + format_time(fold.origin_us) + " on: " + judged.dump());
    folds.push(std::move(judged));
  }
  return folds;
}

}  // namespace coeval::training
