#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "training/trainer.h"

namespace coeval::training {

inline constexpr Objective kRegressionObjectives[] = {
    {.kind = Objective::Kind::squared},
    {.kind = Objective::Kind::absolute},
    {.kind = Objective::Kind::quantile, .quantile = 0.9},
};
inline constexpr Objective kThreeClasses = {.kind = Objective::Kind::multiclass, .classes = 3};

/// 600 rows of a number, a number with gaps and a category, from a small generator that a dozen
/// lines of any language repeat: the expected values of the tests were computed from Python by
/// the libraries themselves, on the same rows.
class TestTable {
 public:
  static constexpr std::int64_t kRows = 600, kTrainRows = 500;
  static constexpr std::size_t kWidth = 3;

  TestTable() {
    for (std::int64_t row = 0; row < kRows; ++row) add_row();
  }

  TrainingTable table() const {
    return {.rows = kRows,
            .train_rows = kTrainRows,
            .width = kWidth,
            .names = {"amount", "age", "shop"},
            .categorical = {false, false, true},
            .values = values_.data(),
            .labels = labels_.data()};
  }
  /// The same rows with a number as the label: 3 · amount, more in some shops, and noise.
  TrainingTable numbers_table() const {
    TrainingTable table = this->table();
    table.labels = nullptr;
    table.numbers = numbers_.data();
    return table;
  }
  /// The same rows with one of three classes as the label.
  TrainingTable classes_table() const {
    TrainingTable table = this->table();
    table.labels = classes_.data();
    return table;
  }
  /// The log loss of these probabilities, three a row, for the validation rows.
  double classes_loss(const std::vector<float>& probabilities) const {
    double sum = 0;
    const std::size_t rows = probabilities.size() / 3;
    for (std::size_t i = 0; i < rows; ++i)
      sum -= std::log(static_cast<double>(probabilities[i * 3 + classes_[kTrainRows + i]]));
    return sum / static_cast<double>(rows);
  }
  const std::vector<double>& numbers() const { return numbers_; }
  /// What a library calls the loss of these predictions for the validation rows.
  double validation_loss(const Objective& objective, const std::vector<float>& predictions) const {
    double sum = 0;
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      const double above = numbers_[kTrainRows + i] - static_cast<double>(predictions[i]);
      switch (objective.kind) {
        case Objective::Kind::quantile:
          sum += above >= 0 ? objective.quantile * above : (objective.quantile - 1) * above;
          break;
        case Objective::Kind::absolute:
          sum += std::abs(above);
          break;
        default:
          sum += above * above;
      }
    }
    const double mean = sum / static_cast<double>(predictions.size());
    return objective.kind == Objective::Kind::squared ? std::sqrt(mean) : mean;
  }
  const float* validation() const { return values_.data() + kTrainRows * kWidth; }
  std::vector<float>& values() { return values_; }
  std::vector<std::uint8_t>& labels() { return labels_; }

 private:
  std::uint64_t next(std::uint64_t below) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state_ >> 33) % below;
  }

  void add_row() {
    const std::uint64_t amount = next(1000), age = next(1000), shop = next(8), noise = next(1000);
    values_.push_back(static_cast<float>(amount) / 10);
    values_.push_back(age % 10 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                    : static_cast<float>(age));
    values_.push_back(static_cast<float>(shop));
    numbers_.push_back(static_cast<double>(amount) * 0.3 + (shop % 3 == 0 ? 90 : 0) +
                       static_cast<double>(noise) / 7);
    const double number = numbers_.back();
    classes_.push_back(number < 200 ? 0 : number < 330 ? 1 : 2);
    labels_.push_back(amount + (shop % 3 == 0 ? 300 : 0) + noise > 1100 ? 1 : 0);
  }

  std::uint64_t state_ = 12345;
  std::vector<float> values_;
  std::vector<std::uint8_t> labels_;
  std::vector<double> numbers_;
  std::vector<std::uint8_t> classes_;
};

}  // namespace coeval::training
