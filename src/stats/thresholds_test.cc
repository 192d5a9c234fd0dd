#include "stats/thresholds.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace coeval::stats {
namespace {

const std::vector<float> kScores = {0.125f, 0.25f, 0.5f, 0.5f, 0.75f, 0.875f};
const std::vector<std::uint8_t> kLabels = {0, 1, 0, 1, 0, 1};
const BinaryRows kRows{kScores, kLabels};

Code code_of(const Result<ThresholdChoice>& choice) {
  REQUIRE(!choice);
  CHECK(!choice.error().message.empty());
  CHECK(!choice.error().advice.empty());
  return choice.error().code;
}

}  // namespace

// All thresholds of 1,000 random cases by brute force: tests/statistics/test_binary.py.

TEST_CASE("a row is flagged when its score is at least the threshold") {
  const Confusion counts = confusion(kRows, 0.5);
  CHECK(counts.true_positives == 2);
  CHECK(counts.false_positives == 2);
  CHECK(counts.false_negatives == 1);
  CHECK(counts.true_negatives == 1);
  CHECK(accuracy(counts) == 0.5);
  CHECK(precision(counts) == 0.5);
  CHECK(recall(counts) == 2.0 / 3);
  CHECK(f1(counts) == 4.0 / 7);
  CHECK(total_cost(counts, {-10, 3, 50, 0.25}) == 2 * -10 + 2 * 3 + 50 + 0.25);
}

TEST_CASE("scores and thresholds are compared as doubles") {
  // 0.35f is 0.34999999403…
  const std::vector<float> scores = {0.35f};
  const std::vector<std::uint8_t> labels = {1};
  CHECK(confusion({scores, labels}, 0.35).true_positives == 0);
  CHECK(confusion({scores, labels}, static_cast<double>(0.35f)).true_positives == 1);
}

TEST_CASE("a figure without a denominator is NaN") {
  const Confusion none = confusion(kRows, 2);
  CHECK(std::isnan(precision(none)));
  CHECK(recall(none) == 0);
  CHECK(f1(none) == 0);
  const std::vector<std::uint8_t> negatives(6, 0);
  const Confusion nothing = confusion({kScores, negatives}, 2);
  CHECK(std::isnan(recall(nothing)));
  CHECK(std::isnan(f1(nothing)));
  CHECK(accuracy(nothing) == 1);
  CHECK(std::isnan(accuracy(confusion({}, 0.5))));
  CHECK(std::isnan(confusion(kRows, std::nan("")).true_positives));
}

TEST_CASE("a budget that ends in a group of ties finds its share of it") {
  // 0.875 is a positive, 0.75 none, of the two at 0.5 one is.
  CHECK(recall_at_budget(kRows, 0) == 0);
  CHECK(recall_at_budget(kRows, 1) == 1.0 / 3);
  CHECK(recall_at_budget(kRows, 2) == 1.0 / 3);
  CHECK(recall_at_budget(kRows, 3) == 1.5 / 3);
  CHECK(recall_at_budget(kRows, 4) == 2.0 / 3);
  CHECK(recall_at_budget(kRows, 100) == 1);
  CHECK(std::isnan(recall_at_budget({kScores, std::vector<std::uint8_t>(6, 0)}, 3)));
}

TEST_CASE("precision at k is a mean over days, however many rows a day has") {
  const std::vector<std::int64_t> days = {7, 7, 7, 7, 7, -1};
  // Day 7: 0.75 (no), then half of the ties at 0.5; day −1 has one row, a positive.
  const DailyPrecision found = precision_at_k_per_day(kRows, days, 2);
  CHECK(found.value == (0.25 + 1) / 2);
  CHECK(found.days == 2);
  CHECK(found.short_days == 1);
  CHECK(std::isnan(precision_at_k_per_day({}, {}, 1).value));
}

TEST_CASE("of thresholds that cost the same the highest is chosen") {
  // Missed positives cost nothing, so flagging none is as good as flagging the first positive.
  const auto choice = choose_threshold(kRows, LeastCost{{0, 1, 0, 0}});
  REQUIRE(choice);
  CHECK(choice->threshold == std::numeric_limits<double>::infinity());
  CHECK(choice->objective == 0);
  const auto cheap = choose_threshold(kRows, LeastCost{{0, 1, 2, 0}});
  REQUIRE(cheap);
  // 0.875: 2 missed = 4; 0.75: 5; 0.5: 2 wrong + 1 missed = 4; 0.25: 2 wrong = 2.
  CHECK(cheap->threshold == 0.25);
  CHECK(cheap->objective == 2);
}

TEST_CASE("the most recall at a precision, the most precision at a recall") {
  const auto recall_first = choose_threshold(kRows, MostRecall{0.6});
  REQUIRE(recall_first);
  CHECK(recall_first->threshold == 0.25);  // 3 of 5
  CHECK(recall_first->objective == 1);
  CHECK(recall_first->counts.false_positives == 2);
  const auto strict = choose_threshold(kRows, MostRecall{0.9});
  REQUIRE(strict);
  CHECK(strict->threshold == 0.875);
  const auto precision_first = choose_threshold(kRows, MostPrecision{0.5});
  REQUIRE(precision_first);
  CHECK(precision_first->threshold == 0.25);  // 3/5 against 2/4 at 0.5
  CHECK(precision_first->objective == 0.6);
}

TEST_CASE("of thresholds of equal precision the one that finds more is chosen") {
  const std::vector<float> scores = {0.75f, 0.5f};
  const std::vector<std::uint8_t> labels = {1, 1};
  const auto choice = choose_threshold({scores, labels}, MostPrecision{0.5});
  REQUIRE(choice);
  CHECK(choice->threshold == 0.5);
}

TEST_CASE("a threshold that is not defined is an error that says why") {
  const std::vector<std::uint8_t> negatives(6, 0);
  CHECK(code_of(choose_threshold({kScores, negatives}, MostRecall{0.5})) == Code::no_rows);
  CHECK(code_of(choose_threshold({kScores, negatives}, MostPrecision{0.5})) == Code::no_rows);
  CHECK(choose_threshold({kScores, negatives}, LeastCost{{0, 1, 1, 0}}));
  CHECK(code_of(choose_threshold({}, LeastCost{})) == Code::no_rows);
  CHECK(code_of(choose_threshold({kScores, kLabels, std::vector<double>(6, 0.0)}, LeastCost{})) ==
        Code::no_rows);
  CHECK(code_of(choose_threshold({std::vector<float>{std::nanf("")}, std::vector<std::uint8_t>{1}},
                                 LeastCost{})) == Code::no_rows);
  for (const double floor : {0.0, -1.0, 1.5, std::nan("")}) {
    CHECK(code_of(choose_threshold(kRows, MostRecall{floor})) == Code::bad_toml_value);
    CHECK(code_of(choose_threshold(kRows, MostPrecision{floor})) == Code::bad_toml_value);
  }
  CHECK(code_of(choose_threshold(kRows, LeastCost{{0, std::nan(""), 0, 0}})) ==
        Code::bad_toml_value);
  // The highest score is a negative's.
  const std::vector<std::uint8_t> wrong = {0, 1, 0, 1, 0, 0};
  const auto unreachable = choose_threshold({kScores, wrong}, MostRecall{0.99});
  CHECK(code_of(unreachable) == Code::bad_toml_value);
  CHECK(unreachable.error().message.find("precision 0.99") != std::string::npos);
}

}  // namespace coeval::stats
