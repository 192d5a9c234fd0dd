#include "stats/calibration.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

namespace coeval::stats {
namespace {

using Scores = std::vector<float>;
using Labels = std::vector<std::uint8_t>;

struct Table {
  Scores scores;
  Labels labels;
  BinaryRows rows() const { return {scores, labels, {}}; }
};

// Labels drawn with probability 1/(1 + e^(−4·score + 2)).
Table drawn(std::size_t rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  Table table;
  for (std::size_t i = 0; i < rows; ++i) {
    table.scores.push_back(static_cast<float>(uniform(random)));
    const double p = 1 / (1 + std::exp(-4 * static_cast<double>(table.scores.back()) + 2));
    table.labels.push_back(uniform(random) < p ? 1 : 0);
  }
  return table;
}

}  // namespace

// scikit-learn's own maps over 1,000 random cases: tests/statistics/test_calibration.py.

TEST_CASE("Platt's sigmoid finds the law that labels were drawn by") {
  const Table table = drawn(200'000, 1);
  const auto map = fit_platt(table.rows());
  REQUIRE(map);
  CHECK(map->slope == doctest::Approx(-4).epsilon(0.02));
  CHECK(map->intercept == doctest::Approx(2).epsilon(0.02));
  CHECK(map->apply(0.5) == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("Platt's sigmoid of two scores by hand") {
  // At each score the sigmoid can be the mean target: (3 + 1)/(3 + 2) of three positives is 0.8,
  // and 1/(1 + 2) of one negative.
  const Table table{{1, 1, 1, 0}, {1, 1, 1, 0}};
  const auto map = fit_platt(table.rows());
  REQUIRE(map);
  CHECK(map->apply(1) == doctest::Approx(0.8).epsilon(1e-12));
  CHECK(map->apply(0) == doctest::Approx(1.0 / 3).epsilon(1e-12));
  CHECK(map->apply(std::numeric_limits<double>::infinity()) == 1);
  CHECK(map->apply(-std::numeric_limits<double>::infinity()) == 0);
  CHECK(std::isnan(map->apply(std::nan(""))));
}

TEST_CASE("isotonic regression pools what descends, and is linear between pools") {
  const Table table{{0.125f, 0.25f, 0.25f, 0.5f, 0.75f, 1}, {0, 1, 1, 0, 1, 1}};
  const auto map = fit_isotonic(table.rows());
  REQUIRE(map);
  // 0.25 has 1 and 0.5 has 0: pooled to 2/3.
  CHECK(map->scores == std::vector<double>{0.125, 0.25, 0.5, 0.75, 1});
  // Six rows without an event say 1/14, not 0.
  CHECK(map->values == std::vector<double>{1.0 / 14, 2.0 / 3, 2.0 / 3, 1 - 1.0 / 14, 1 - 1.0 / 14});
  CHECK(map->apply(-1) == 1.0 / 14);
  CHECK(map->apply(0.3) == 2.0 / 3);
  CHECK(map->apply(0.1875) == doctest::Approx((1.0 / 14 + 2.0 / 3) / 2));
  CHECK(map->apply(9) == 1 - 1.0 / 14);
  CHECK(std::isnan(map->apply(std::nan(""))));
}

TEST_CASE("an isotonic map never says that something is impossible or certain") {
  Table table{{0, 1}, {0, 1}};
  std::vector<double> weights = {1, 1};
  for (int i = 0; i < 100; ++i) {  // rows without weight are no evidence
    table.scores.push_back(0);
    table.labels.push_back(0);
    weights.push_back(0);
  }
  const auto map = fit_isotonic({table.scores, table.labels, weights});
  REQUIRE(map);
  CHECK(map->apply(0) == 1.0 / 6);
  CHECK(map->apply(1) == 1 - 1.0 / 6);
  CHECK(static_cast<float>(1 - 0x1p-24) < 1.0f);  // the nearest that the bound comes to 1
}

TEST_CASE("an isotonic map never descends") {
  const Table table = drawn(5000, 2);
  const auto map = fit_isotonic(table.rows());
  REQUIRE(map);
  double before = 0;
  for (int i = -10; i <= 100'010; ++i) {
    const double value = map->apply(i / 100'000.0);
    CHECK_MESSAGE((value >= before && value <= 1), i);
    before = value;
  }
}

TEST_CASE("Platt below 1,000 rows with weight, isotonic from there") {
  const Table table = drawn(1000, 3);
  std::vector<double> weights(1000, 1.0);
  const auto kind = [&](const BinaryRows& rows) { return fit_calibration(rows)->kind; };
  CHECK(kind(table.rows()) == CalibrationMap::Kind::isotonic);
  CHECK(kind({table.scores, table.labels, weights}) == CalibrationMap::Kind::isotonic);
  weights[17] = 0;
  CHECK(kind({table.scores, table.labels, weights}) == CalibrationMap::Kind::platt);
}

TEST_CASE("rows that say nothing about probabilities are errors") {
  const float endless = std::numeric_limits<float>::infinity();
  struct Case {
    Scores scores;
    Labels labels;
    std::vector<double> weights;
  };
  for (const Case& bad :
       {Case{}, Case{{0, 1}, {1, 1}, {}}, Case{{0, 1}, {0, 0}, {}}, Case{{1, 1}, {0, 1}, {}},
        Case{{0, 1}, {0, 1}, {1, 0}}, Case{{0, 1}, {0, 1}, {1, -1}},
        Case{{0, std::nanf("")}, {0, 1}, {}}, Case{{0, endless}, {0, 1}, {}}})
    for (const auto& fit : {fit_platt, fit_isotonic, fit_calibration}) {
      const auto map = fit({bad.scores, bad.labels, bad.weights});
      REQUIRE(!map);
      CHECK(map.error().code == Code::no_rows);
      CHECK(!map.error().advice.empty());
    }
}

TEST_CASE("a map reads back from its text to the same bits") {
  const Table table = drawn(700, 4);
  for (const auto& fit : {fit_platt, fit_isotonic}) {
    const auto map = fit(table.rows());
    REQUIRE(map);
    const auto json = data::parse_json(to_json(*map).dump());
    REQUIRE(json);
    const auto read = calibration_from_json(*json);
    REQUIRE(read);
    CHECK(*read == *map);
  }
}

TEST_CASE("a damaged map is refused") {
  for (const char* text :
       {"null", "3", "{}", R"({"kind": "spline"})", R"({"kind": "platt", "slope": 1.0})",
        R"({"kind": "platt", "slope": 1.0, "intercept": "NaN"})",
        R"({"kind": "isotonic", "scores": [], "values": []})",
        R"({"kind": "isotonic", "scores": [0.0, 1.0], "values": [0.5]})",
        R"({"kind": "isotonic", "scores": [1.0, 1.0], "values": [0.5, 0.6]})",
        R"({"kind": "isotonic", "scores": [0.0, 1.0], "values": [0.7, 0.6]})",
        R"({"kind": "isotonic", "scores": [0.0, 1.0], "values": [0.7, 1.5]})",
        R"({"kind": "isotonic", "scores": [0.0, "x"], "values": [0.7, 0.8]})"}) {
    CAPTURE(text);
    const auto json = data::parse_json(text);
    REQUIRE(json);
    const auto map = calibration_from_json(*json);
    REQUIRE(!map);
    CHECK(map.error().code == Code::bad_model);
  }
}

}  // namespace coeval::stats
