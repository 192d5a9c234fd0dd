#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "define/expr.h"

namespace coeval::define {

/// What rows of a class count in training. Scores are then those of a world with other shares:
/// a calibration puts them right, so a model that has these has one.
struct ClassWeights {
  bool balanced = false;  ///< each class counts as half of all, by the training rows' counts
  double negative = 1, positive = 1;
  bool given() const { return balanced || negative != 1 || positive != 1; }
};

/// A score never falls (+1), or never rises (−1), while this input rises.
struct Monotone {
  std::string input;
  int direction = 1;
};

/// How scores become probabilities, fitted on the split's own part. `automatic`: Platt's below
/// 1,000 rows, isotonic above. (statistics: calibration)
enum class Calibration : std::uint8_t { none, automatic, platt, isotonic };
/// "none", "auto", "platt", "isotonic".
std::string_view name(Calibration calibration);

/// Where a decision changes. All but `fixed` are chosen on the split's own part.
struct ThresholdRule {
  enum class Kind : std::uint8_t { fixed, least_cost, precision, recall };
  Kind kind = Kind::fixed;
  double floor = 0;                               ///< of precision or recall
  double false_positive = 0, false_negative = 0;  ///< what one costs
};

/// What training may take. No result depends on it, and no hash.
struct TrainingLimits {
  std::int64_t time_budget_us = 3'600'000'000;  ///< of one training run
  std::int64_t memory_bytes = 0;                ///< of address space; 0 = none
  int threads = 0;                              ///< 0: as many as the command has
};

/// Looking for better parameters, under a budget.
struct Search {
  int trials = 0;                               ///< 0: no search
  std::int64_t time_budget_us = 3'600'000'000;  ///< of all trials; one that has begun is finished
  std::string metric = "log_loss";              ///< of the validation part
  std::int64_t max_latency_ns = 0;              ///< of one row in our runtime; 0: no cap
  struct Range {
    std::string param;
    double least = 0, most = 0;
  };
  std::vector<Range> space;  ///< in place of the trainer's own ranges, for those named
};

/// A value of the row by which the test part is cut into slices.
struct Slice {
  std::string name;  ///< as written
  ExprPtr expr;
};

/// What repeats in rows, so that bootstrap draws all of one together.
struct Resampling {
  enum class Unit : std::uint8_t { automatic, row, day, value };
  Unit unit = Unit::automatic;  ///< days where the test part has at least 20 of them, else rows
  std::string name;             ///< of `value`, as written
  ExprPtr expr;
};

/// Prequential evaluation: the model is also trained at earlier origins, and judged on what
/// followed each.
struct RollingOrigin {
  int folds = 0;  ///< 0: none
  std::int64_t step_us = 0;
};

/// How a model is fitted and judged, besides its rows, parameters and dates.
struct TrainingOptions {
  std::string experiment;  ///< under which runs are listed; the project's name unless given
  ExprPtr weight;          ///< numeric over the question's row; null: each row counts 1
  ClassWeights class_weights;
  std::vector<Monotone> monotone;
  Calibration calibration = Calibration::none;
  ThresholdRule threshold_rule;
  std::vector<Slice> slices;
  Resampling resampling;
  TrainingLimits limits;
  Search search;
  RollingOrigin rolling;
  double core_hour_price = 0.05;  ///< for the gate on cost_per_million, in whatever money that is
};

/// The lines of a definition's canonical text: nothing for what is as it always was.
std::string training_options_ir(const TrainingOptions& options);

}  // namespace coeval::define
