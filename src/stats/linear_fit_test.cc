#include "stats/linear_fit.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace coeval::stats {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Table {
  std::vector<float> values, weights;
  std::vector<double> labels;
  std::size_t width = 1;
  LinearRows rows() const { return {values, width, labels, weights}; }
};

// A small generator, so that rows are the same everywhere.
class Draws {
 public:
  double next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 33) / 2147483648.0;
  }

 private:
  std::uint64_t state_ = 7;
};

// Two numbers, one with gaps, and a category of 5.
Table table(std::size_t rows) {
  Table made;
  made.width = 3;
  Draws draws;
  for (std::size_t i = 0; i < rows; ++i) {
    const double a = draws.next() * 10, b = draws.next() - 0.5, c = std::floor(draws.next() * 5);
    made.values.insert(made.values.end(),
                       {static_cast<float>(a), draws.next() < 0.2 ? kNan : static_cast<float>(b),
                        static_cast<float>(c)});
    const double margin = 0.3 * (a - 5) - 2 * b + (c == 3 ? 1.5 : 0);
    made.labels.push_back(draws.next() < 1 / (1 + std::exp(-margin)) ? 1.0 : 0.0);
  }
  return made;
}

LinearDesign design_of(const Table& made, const std::vector<bool>& categorical) {
  auto design = LinearDesign::fit(made.rows(), categorical);
  REQUIRE_MESSAGE(design.has_value(), (design ? "" : one_line(design.error())));
  return *design;
}

LinearSolution fit(const Table& made, const LinearDesign& design, const LinearOptions& options,
                   int threads = 1) {
  WorkerPool pool(threads);
  auto found = fit_linear(design, made.rows(), options, pool);
  REQUIRE_MESSAGE(found.has_value(), (found ? "" : one_line(found.error())));
  return *found;
}

}  // namespace

TEST_CASE("numbers are standardised, categories one-hot, nulls have a column where they occurred") {
  Table made;
  made.width = 3;
  made.values = {1, 0, 5, 3, 2, 5, kNan, kNan, 5};
  made.labels = {0, 1, 1};
  const LinearDesign design = design_of(made, {false, true, false});
  REQUIRE(design.columns().size() == 3);
  CHECK(design.columns()[0].mean == 2);
  CHECK(design.columns()[0].scale == 1);
  CHECK(design.columns()[1].levels == 3);  // code 1 is in no row, but has its place
  CHECK(design.columns()[1].level_shares[1] == 0);
  CHECK(design.columns()[2].first == LinearDesign::kNone);  // never changes
  CHECK(design.numbers() == 1);
  CHECK(design.size() == 1 + 1 + 3 + 1);
  std::vector<double> numbers(1);
  std::vector<std::uint32_t> ones(3);
  REQUIRE(design.write(std::span(made.values).subspan(3, 3), numbers, ones) == 1);
  CHECK(numbers[0] == 1);
  CHECK(ones[0] == design.columns()[1].first + 2);
  REQUIRE(design.write(std::span(made.values).subspan(6, 3), numbers, ones) == 2);
  CHECK(numbers[0] == 0);  // the mean
  CHECK(ones[0] == design.columns()[0].indicator);
  CHECK(ones[1] == design.columns()[1].indicator);
  // A code that no row had has no column.
  CHECK(design.write(std::vector<float>{1, 7, 5}, numbers, ones) == 0);
}

TEST_CASE("ridge regression of one number is its closed form") {
  Table made;
  made.values = {1, 2, 3, 4};
  made.labels = {1, 3, 2, 6};
  const LinearDesign design = design_of(made, {false});
  const LinearSolution found = fit(made, design, {.loss = LinearLoss::squared, .l1 = 0, .l2 = 2});
  // x standardised: Σ x² = 4; Σ x·y = Σ (v − 2.5)·y / √1.25.
  const double xy = (-1.5 * 1 - 0.5 * 3 + 0.5 * 2 + 1.5 * 6) / std::sqrt(1.25);
  CHECK(found.converged);
  CHECK(found.coefficients[0] == doctest::Approx(xy / (4 + 2)).epsilon(1e-12));
  CHECK(found.intercept == doctest::Approx(3).epsilon(1e-12));
  // l1 takes its size away from the numerator: soft thresholding.
  const LinearSolution sparse = fit(made, design, {.loss = LinearLoss::squared, .l1 = 3, .l2 = 2});
  CHECK(sparse.coefficients[0] == doctest::Approx((xy - 3) / 6).epsilon(1e-12));
  CHECK(
      fit(made, design, {.loss = LinearLoss::squared, .l1 = xy + 0.001, .l2 = 2}).coefficients[0] ==
      0);
}

TEST_CASE("a weight of two is a row that stands twice, of none a row that is not there") {
  Table once = table(300), twice = once;
  for (std::size_t i = 0; i < 300; ++i) once.weights.push_back(i < 50 ? 2.0f : i < 250 ? 1 : 0);
  twice.values.resize(250 * 3);
  twice.labels.resize(250);
  twice.values.insert(twice.values.end(), once.values.begin(), once.values.begin() + 150);
  twice.labels.insert(twice.labels.end(), once.labels.begin(), once.labels.begin() + 50);
  const LinearSolution a = fit(once, design_of(once, {false, false, true}), {});
  const LinearSolution b = fit(twice, design_of(twice, {false, false, true}), {});
  CHECK(a.intercept == doctest::Approx(b.intercept).epsilon(1e-9));
  REQUIRE(a.coefficients.size() == b.coefficients.size());
  for (std::size_t i = 0; i < a.coefficients.size(); ++i)
    CHECK(a.coefficients[i] == doctest::Approx(b.coefficients[i]).epsilon(1e-9));
}

TEST_CASE("the number of threads changes no bit") {
  const Table made = table(40'000);
  const LinearDesign design = design_of(made, {false, false, true});
  for (const double l1 : {0.0, 30.0}) {
    const LinearSolution one = fit(made, design, {.l1 = l1, .l2 = 1}, 1);
    const LinearSolution three = fit(made, design, {.l1 = l1, .l2 = 1}, 3);
    CHECK(one.converged);
    CHECK(one.intercept == three.intercept);
    CHECK(one.coefficients == three.coefficients);
    CHECK(one.iterations == three.iterations);
  }
}

TEST_CASE("a coefficient keeps to its direction") {
  const Table made = table(2000);  // the first number rises, the second falls
  const LinearDesign design = design_of(made, {false, false, true});
  std::vector<int> against(design.size());
  against[0] = -1;
  against[1] = -1;
  const LinearSolution found = fit(made, design, {.directions = against});
  CHECK(found.converged);
  CHECK(found.coefficients[0] == 0);
  CHECK(found.coefficients[1] < -0.1);
}

TEST_CASE("too few iterations are told by gap and flag") {
  const Table made = table(2000);
  const LinearDesign design = design_of(made, {false, false, true});
  const LinearSolution one = fit(made, design, {.max_iterations = 1});
  CHECK_FALSE(one.converged);
  CHECK(one.iterations == 1);
  CHECK(one.gap > 1e-10);
  const LinearSolution all = fit(made, design, {});
  CHECK(all.converged);
  CHECK(all.gap <= 1e-10);
  CHECK(all.objective < one.objective);
}

TEST_CASE("columns that add up are fitted without a penalty") {
  Table made = table(2000);  // the category's five columns add up to the intercept's
  const LinearSolution found = fit(made, design_of(made, {false, false, true}), {.l1 = 0, .l2 = 0});
  CHECK(found.converged);
  for (const double coefficient : found.coefficients) CHECK(std::isfinite(coefficient));
}

TEST_CASE("what cannot be fitted is refused") {
  WorkerPool pool(1);
  Table made = table(100);
  const auto error_of = [&](const Table& bad) {
    const auto design = LinearDesign::fit(bad.rows(), {false, false, true});
    if (!design) return design.error().code;
    const auto found = fit_linear(*design, bad.rows(), {}, pool);
    REQUIRE(!found.has_value());
    return found.error().code;
  };
  Table one_class = made;
  one_class.labels.assign(100, 1.0);
  CHECK(error_of(one_class) == Code::no_rows);
  Table no_weight = made;
  no_weight.weights.assign(100, 0.0f);
  CHECK(error_of(no_weight) == Code::no_rows);
  Table bad_weight = made;
  bad_weight.weights.assign(100, kNan);
  CHECK(error_of(bad_weight) == Code::training_failed);
  Table bad_label = made;
  bad_label.labels[3] = kNan;
  CHECK(error_of(bad_label) == Code::training_failed);
  bad_label.labels[3] = 0.5;
  CHECK(error_of(bad_label) == Code::training_failed);
  Table wide = made;
  for (std::size_t i = 0; i < 100; ++i) wide.values[3 * i + 2] = static_cast<float>(100 * i);
  CHECK(error_of(wide) == Code::training_failed);
}

}  // namespace coeval::stats
