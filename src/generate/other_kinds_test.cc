// Clicks, recommendations, churn and series: each held to what its header says.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "generate/churn.h"
#include "generate/clicks.h"
#include "generate/generated_for_tests.h"
#include "generate/recsys.h"
#include "generate/series.h"

namespace coeval::generate {
namespace {

/// Whether outcomes come as often as their probabilities say, in each tenth of them.
void check_calibrated(const std::vector<double>& probabilities, const std::vector<bool>& outcomes) {
  std::array<double, 10> expected{}, variance{}, found{};
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double p = probabilities[i];
    REQUIRE((p > 0 && p < 1.0000001));
    const auto tenth = static_cast<std::size_t>(std::min(p * 10, 9.0));
    expected[tenth] += p;
    variance[tenth] += p * (1 - p);
    found[tenth] += outcomes[i];
  }
  int filled = 0;
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    CAPTURE(tenth);
    filled += variance[tenth] > 10;
    CHECK(std::abs(found[tenth] - expected[tenth]) < 4 * std::sqrt(variance[tenth]) + 1e-6);
  }
  CHECK(filled >= 4);
}

TEST_CASE("clicks follow grade and position, and grades the hidden function") {
  const data::Batch rows = rows_of(*good(make_clicks({.sessions = 30'000, .queries = 300})), {}, 2);
  const auto probability = numbers<double>(rows, "true_probability");
  check_calibrated(probability, booleans(rows, "clicked"));
  const auto position = numbers<std::int32_t>(rows, "position");
  const auto grade = numbers<std::int32_t>(rows, "grade");
  const auto query = numbers<std::int32_t>(rows, "query");
  const auto document = numbers<std::int32_t>(rows, "document");
  const auto session = numbers<std::int64_t>(rows, "session");
  const auto examination = numbers<double>(rows, "examination");
  std::vector<std::vector<float>> features;
  for (std::size_t f = 0; f < kDocumentFeatures; ++f)
    features.push_back(numbers<float>(rows, "f" + std::to_string(f)));
  std::set<std::pair<std::int64_t, std::int32_t>> once;
  for (std::size_t i = 0; i < position.size(); ++i) {
    std::array<float, kDocumentFeatures> f{};
    for (std::size_t j = 0; j < f.size(); ++j) f[j] = features[j][i];
    CHECK(grade[i] == grade_of(hidden_relevance(f.data())));
    CHECK(std::abs(examination[i] - 1.0 / position[i]) < 1e-15);
    CHECK(std::abs(probability[i] - examination[i] * attraction_of(grade[i])) < 1e-15);
    CHECK(document[i] / 20 == query[i]);
    CHECK(once.insert({session[i], document[i]}).second);
  }
}

TEST_CASE("half of all documents have grade 0, and the best are rare") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<float> unit(0, 1);
  std::array<double, 5> of_grade{};
  constexpr int kDocuments = 200'000;
  for (int i = 0; i < kDocuments; ++i) {
    std::array<float, kDocumentFeatures> f{};
    for (float& one : f) one = unit(random);
    ++of_grade[static_cast<std::size_t>(grade_of(hidden_relevance(f.data())))];
  }
  const std::array<double, 5> shares = {0.50, 0.22, 0.15, 0.08, 0.05};
  for (std::size_t g = 0; g < 5; ++g) CHECK(std::abs(of_grade[g] / kDocuments - shares[g]) < 0.004);
  CHECK(attraction_of(0) == 0.05);
  CHECK(attraction_of(4) == 1);
}

TEST_CASE("the ranker that was in use is better than chance and worse than the grades") {
  const data::Batch rows = rows_of(*good(make_clicks({.sessions = 5'000, .queries = 500})));
  const auto position = numbers<std::int32_t>(rows, "position");
  const auto grade = numbers<std::int32_t>(rows, "grade");
  double top = 0, all = 0, ideal = 0;
  for (std::size_t i = 0; i < position.size(); i += 10) {
    top += grade[i];
    std::int32_t best = 0;
    for (std::size_t k = 0; k < 10; ++k) {
      all += grade[i + k] / 10.0;
      best = std::max(best, grade[i + k]);
    }
    ideal += best;
  }
  CHECK(top > 1.05 * all);
  CHECK(ideal > 1.5 * top);
}

TEST_CASE("likes follow their probabilities, and a few users and items have most rows") {
  const data::Batch rows =
      rows_of(*good(make_recsys({.rows = 300'000, .users = 5'000, .items = 1'000})), {}, 2);
  check_calibrated(numbers<double>(rows, "true_probability"), booleans(rows, "liked"));
  std::map<std::int32_t, int> users, items;
  for (const std::int32_t user : numbers<std::int32_t>(rows, "user")) ++users[user];
  for (const std::int32_t item : numbers<std::int32_t>(rows, "item")) ++items[item];
  double sum = 0;
  for (int k = 1; k <= 1000; ++k) sum += std::pow(k, -0.9);
  CHECK(std::abs(items[0] / 300'000.0 - 1 / sum) < 4 * std::sqrt(1 / sum / 300'000));
  CHECK(items[0] > 100 * items[999]);
  CHECK(users[0] > 20 * users[4999]);
  const auto ts = numbers<std::int64_t>(rows, "ts");
  CHECK(std::ranges::is_sorted(ts));
  CHECK((ts.back() - kStartUs) / kDayUs == 5);
}

TEST_CASE("customers leave by their hazard, once, and are watched to the end otherwise") {
  const data::Batch rows = rows_of(*good(make_churn({.customers = 30'000})), {}, 2);
  const data::Column* churned = rows.find("churned");
  const auto all_hazards = numbers<double>(rows, "true_probability");
  const auto customer = numbers<std::int64_t>(rows, "customer");
  const auto months = numbers<std::int32_t>(rows, "months");
  const auto ts = numbers<std::int64_t>(rows, "ts");
  const auto usage = numbers<std::int32_t>(rows, "usage");
  const auto revenue = numbers<double>(rows, "revenue");
  const std::int64_t end = kStartUs + 720 * kDayUs;
  std::vector<double> hazards;
  std::vector<bool> outcomes;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const auto i = static_cast<std::size_t>(row);
    const bool is_last = row + 1 == rows.rows || customer[i + 1] != customer[i];
    CHECK(churned->is_null(row) == (ts[i] + 30 * kDayUs > end));
    CHECK(ts[i] <= end);
    if (!is_last) CHECK(months[i + 1] == months[i] + 1);
    if (churned->is_null(row)) {
      CHECK(is_last);
      continue;
    }
    CHECK(churned->bit(row) == is_last);
    hazards.push_back(all_hazards[i]);
    outcomes.push_back(churned->bit(row));
    const std::string_view plan = rows.find("plan")->string(row);
    const double price = plan == "basic" ? 9 : plan == "plus" ? 19 : 49;
    CHECK(std::abs(revenue[i] - price - std::max(usage[i] - 25, 0) / 10.0) < 1e-12);
  }
  check_calibrated(hazards, outcomes);
}

TEST_CASE("values of series lie around their means with their deviation") {
  const data::Batch rows = rows_of(*good(make_series({.series = 300, .days = 400})), {}, 2);
  CHECK(rows.rows == 300 * 400);
  const auto value = numbers<double>(rows, "value"), mean = numbers<double>(rows, "true_mean"),
             deviation = numbers<double>(rows, "true_deviation"),
             plan = numbers<double>(rows, "plan");
  const auto above = booleans(rows, "above_plan");
  double sum = 0, squares = 0, lagged = 0, before = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const double z = (value[i] - mean[i]) / deviation[i];
    sum += z;
    squares += z * z;
    lagged += z * before;
    before = z;
    CHECK(above[i] == (value[i] > plan[i]));
  }
  const auto n = static_cast<double>(value.size());
  CHECK(std::abs(sum / n) < 4 / std::sqrt(n));
  CHECK(std::abs(lagged / n) < 4 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1) < 4 * std::sqrt(2 / n));
}

TEST_CASE("the mean of a series, less its plan, repeats when week and year do") {
  constexpr std::size_t kRound = 1461 * 7, kDays = kRound + 100;  // four years are 1461 days
  const data::Batch rows = rows_of(*good(make_series({.series = 5, .days = kDays})));
  const auto mean = numbers<double>(rows, "true_mean"), plan = numbers<double>(rows, "plan");
  for (std::size_t series = 0; series < 5; ++series) {
    const std::size_t at = series * kDays;
    double season = 0;
    for (std::size_t i = at; i < at + 100; ++i) {
      CHECK(std::abs(mean[i] - plan[i] - (mean[i + kRound] - plan[i + kRound])) < 1e-8 * plan[at]);
      season = std::max(season, std::abs(mean[i] / plan[i] - 1));
    }
    CHECK(season > 0.05);
  }
}

TEST_CASE("gaps leave out points and change none") {
  const data::Batch whole = rows_of(*good(make_series({.series = 100, .days = 300})));
  const data::Batch some = rows_of(*good(make_series({.series = 100, .days = 300, .gaps = 0.1})));
  CHECK(std::abs(static_cast<double>(some.rows) / 30'000 - 0.9) < 4 * std::sqrt(0.09 / 30'000));
  std::map<std::pair<std::int32_t, std::int64_t>, double> values;
  const auto series = numbers<std::int32_t>(whole, "series");
  const auto ts = numbers<std::int64_t>(whole, "ts");
  const auto value = numbers<double>(whole, "value");
  for (std::size_t i = 0; i < value.size(); ++i) values[{series[i], ts[i]}] = value[i];
  const auto kept_series = numbers<std::int32_t>(some, "series");
  const auto kept_ts = numbers<std::int64_t>(some, "ts");
  const auto kept_value = numbers<double>(some, "value");
  for (std::size_t i = 0; i < kept_value.size(); ++i)
    CHECK(values.at({kept_series[i], kept_ts[i]}) == kept_value[i]);
}

TEST_CASE("sizes that make no sense are refused") {
  CHECK(!make_clicks({.documents = 5}));  // fewer than positions
  CHECK(!make_clicks({.queries = 0}));
  CHECK(!make_clicks({.positions = 0}));
  CHECK(!make_clicks({.position_bias = std::nan("")}));
  CHECK(!make_recsys({.users = 0}));
  CHECK(!make_recsys({.items = 100'000'000}));
  CHECK(!make_churn({.days = -1}));
  CHECK(!make_series({.days = 0}));
  CHECK(!make_series({.gaps = 1}));
}

}  // namespace
}  // namespace coeval::generate
