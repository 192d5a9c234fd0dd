#include "stats/bootstrap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <random>
#include <utility>

#include "stats/binary.h"
#include "stats/bootstrap_draws.h"
#include "stats/model_tests.h"

namespace coeval::stats {
namespace {

struct Table {
  std::vector<float> challenger, champion;
  std::vector<std::uint8_t> labels;
  std::vector<std::int64_t> entities;
  std::vector<double> losses[2];
};

// The challenger's noise is a share of the champion's.
Table drawn(std::size_t rows, std::uint64_t seed, double noise = 1, int levels = 0) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Table table;
  for (std::size_t i = 0; i < rows; ++i) {
    const double truth = normal(random);
    const auto score = [&](double of) {
      const double value = 1 / (1 + std::exp(-truth - of * normal(random)));
      return static_cast<float>(levels > 0 ? std::round(value * levels) / levels : value);
    };
    table.challenger.push_back(score(noise));
    table.champion.push_back(score(1));
    table.labels.push_back(truth + normal(random) > 0.5 ? 1 : 0);
    table.entities.push_back(static_cast<std::int64_t>(random() % 1000) - 500);
    for (int model = 0; model < 2; ++model) {
      const double p = static_cast<double>((model == 0 ? table.challenger : table.champion).back());
      table.losses[model].push_back(std::pow(p - table.labels.back(), 2));
    }
  }
  return table;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(
      a, b, {}, [](double x) { return std::bit_cast<std::uint64_t>(x); },
      [](double x) { return std::bit_cast<std::uint64_t>(x); });
}

Improvement auc_of(const Table& table, Units units, const BootstrapOptions& options,
                   WorkerPool* pool = nullptr) {
  const auto found =
      compare_auc(table.challenger, table.champion, table.labels, units, options, pool);
  REQUIRE(found);
  return *found;
}

Improvement brier_of(const Table& table, Units units, const BootstrapOptions& options,
                     WorkerPool* pool = nullptr) {
  const auto found = compare_ratios({table.losses[0], {}}, {table.losses[1], {}}, Better::lower,
                                    RatioForm::plain, units, options, pool);
  REQUIRE(found);
  return *found;
}

}  // namespace

// Replicate by replicate, with weights that numpy draws by the description, over 1,000 random
// cases: tests/statistics/test_comparison.py.

TEST_CASE("weights are Poisson's with mean 1") {
  std::array<std::int64_t, kMostWeight + 1> counts{};
  std::int64_t sum = 0, draws = 0;
  std::uint8_t weights[kLanes];
  for (std::int64_t unit = 0; unit < 20'000; ++unit)
    for (std::uint64_t block = 0; block < 2; ++block) {
      draw_weights(42, unit, block, weights);
      for (const std::uint8_t weight : weights) {
        REQUIRE(weight <= kMostWeight);
        ++counts[weight];
        sum += weight;
        ++draws;
      }
    }
  // 2.56 million draws: a standard error of 0.000625.
  CHECK(std::abs(static_cast<double>(sum) / static_cast<double>(draws) - 1) < 0.0025);
  double share = std::exp(-1.0);
  for (std::size_t weight = 0; weight < counts.size(); ++weight) {
    const double seen = static_cast<double>(counts[weight]) / static_cast<double>(draws);
    CHECK(std::abs(seen - share) < 4 * std::sqrt(share / 2.56e6) + 1.6e-5);
    share /= static_cast<double>(weight + 1);
  }
}

TEST_CASE("neither threads nor the number of replicates change a bit of a replicate") {
  const Table table = drawn(3000, 1, 0.9, 40);
  for (const Units units : {Units{}, Units{table.entities}}) {
    BootstrapOptions options{.seed = 9, .replicates = 300};
    const Improvement alone = auc_of(table, units, options),
                      brier = brier_of(table, units, options);
    for (const int threads : {1, 2, 5}) {
      WorkerPool pool(threads);
      CHECK(same_bits(auc_of(table, units, options, &pool).replicates, alone.replicates));
      CHECK(same_bits(brier_of(table, units, options, &pool).replicates, brier.replicates));
    }
    options.replicates = 77;
    const auto fewer = auc_of(table, units, options).replicates;
    CHECK(same_bits(fewer, {alone.replicates.begin(), alone.replicates.begin() + 77}));
    options.seed = 10;
    CHECK(!same_bits(auc_of(table, units, options).replicates, fewer));
  }
}

TEST_CASE("AUC's replicates do not depend on the order of the rows of named units") {
  Table table = drawn(500, 2, 1, 9);
  const BootstrapOptions options{.replicates = 100};
  const Improvement before = auc_of(table, table.entities, options);
  std::ranges::reverse(table.challenger);
  std::ranges::reverse(table.champion);
  std::ranges::reverse(table.labels);
  std::ranges::reverse(table.entities);
  CHECK(same_bits(auc_of(table, table.entities, options).replicates, before.replicates));
}

TEST_CASE("each replicate of AUC is the AUC with the replicate's weights") {
  for (const int levels : {0, 1, 3, 30}) {
    const Table table = drawn(300, 3 + static_cast<std::uint64_t>(levels), 1, levels);
    const BootstrapOptions options{.seed = 5, .replicates = 70};
    const auto metric = [&](std::span<const double> weights) {
      return MetricPair{auc(BinaryRows{table.challenger, table.labels, weights}),
                        auc(BinaryRows{table.champion, table.labels, weights})};
    };
    const auto slow = compare_by(300, metric, Better::higher, table.entities, options, nullptr);
    REQUIRE(slow);
    CHECK(same_bits(slow->replicates, auc_of(table, table.entities, options).replicates));
  }
}

TEST_CASE("each replicate of average precision is that with the replicate's weights") {
  for (const int levels : {0, 1, 3, 30}) {
    const Table table = drawn(300, 30 + static_cast<std::uint64_t>(levels), 1, levels);
    const BootstrapOptions options{.seed = 6, .replicates = 70};
    const auto metric = [&](std::span<const double> weights) {
      return MetricPair{average_precision(BinaryRows{table.challenger, table.labels, weights}),
                        average_precision(BinaryRows{table.champion, table.labels, weights})};
    };
    const auto slow = compare_by(300, metric, Better::higher, table.entities, options, nullptr);
    const auto found = compare_average_precision(table.challenger, table.champion, table.labels,
                                                 table.entities, options, nullptr);
    REQUIRE(slow);
    REQUIRE(found);
    for (std::size_t i = 0; i < 70; ++i)
      CHECK(std::abs(slow->replicates[i] - found->replicates[i]) < 1e-14);
    WorkerPool pool(3);
    CHECK(same_bits(compare_average_precision(table.challenger, table.champion, table.labels,
                                              table.entities, options, &pool)
                        ->replicates,
                    found->replicates));
  }
}

TEST_CASE("runs of one class beyond what 16 bits hold are counted") {
  // 40,000 negatives, then as many positives, with some of each between.
  Table table;
  for (int i = 0; i < 80'000; ++i) {
    table.labels.push_back(i >= 40'000 || i % 39'000 == 38'000 ? 1 : 0);
    table.challenger.push_back(static_cast<float>(i));
    table.champion.push_back(i < 60'000 ? 0.0f : 1.0f);
  }
  const BootstrapOptions options{.replicates = 3};
  const auto metric = [&](std::span<const double> weights) {
    return MetricPair{auc(BinaryRows{table.challenger, table.labels, weights}),
                      auc(BinaryRows{table.champion, table.labels, weights})};
  };
  const auto slow = compare_by(80'000, metric, Better::higher, {}, options, nullptr);
  REQUIRE(slow);
  CHECK(same_bits(slow->replicates, auc_of(table, {}, options).replicates));
}

TEST_CASE("the interval of an AUC's difference is DeLong's, up to the noise of 2,000 replicates") {
  const Table table = drawn(4000, 4, 0.8);
  const Improvement found = auc_of(table, {}, {});
  const DeLong test = delong(table.challenger, table.champion, table.labels);
  const double half = 1.959963984540054 * test.standard_error;
  CHECK(found.value == doctest::Approx(test.difference));
  CHECK(std::abs(found.interval.lower - (test.difference - half)) < 0.12 * half);
  CHECK(std::abs(found.interval.upper - (test.difference + half)) < 0.12 * half);
}

TEST_CASE("the interval of a mean is that of the normal law, by rows and by entities") {
  const Table table = drawn(4000, 6, 0.8);
  const Improvement found = brier_of(table, {}, {});
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    const double d = table.losses[1][i] - table.losses[0][i];
    sum += d;
    squares += d * d;
  }
  const double mean = sum / 4000,
               half = 1.96 * std::sqrt(squares / 4000 - mean * mean) / std::sqrt(4000);
  CHECK(found.value == doctest::Approx(mean));
  CHECK(found.value > 0);  // the challenger loses less
  CHECK(found.challenger < found.champion);
  CHECK(std::abs(found.interval.lower - (mean - half)) < 0.12 * half);
  CHECK(std::abs(found.interval.upper - (mean + half)) < 0.12 * half);
}

TEST_CASE("rows that repeat an entity widen the interval") {
  Table table = drawn(1000, 7, 0.9);
  const Improvement once = auc_of(table, {}, {});
  const std::size_t rows = table.labels.size();
  std::vector<std::int64_t> units;
  for (int copy = 0; copy < 4; ++copy)
    for (std::size_t i = 0; i < rows; ++i) {
      units.push_back(static_cast<std::int64_t>(i));
      if (copy == 0) continue;
      table.challenger.push_back(table.challenger[i]);
      table.champion.push_back(table.champion[i]);
      table.labels.push_back(table.labels[i]);
    }
  // Four copies of each entity's row know nothing more than one; taken as rows they seem to.
  CHECK(same_bits(auc_of(table, units, {}).replicates, once.replicates));
  const Improvement naive = auc_of(table, {}, {});
  const auto width = [](const Improvement& of) { return of.interval.upper - of.interval.lower; };
  CHECK(width(naive) < 0.6 * width(once));
}

TEST_CASE("equal models improve nothing, and NaN metrics have no interval") {
  Table table = drawn(200, 8);
  table.champion = table.challenger;
  const Improvement equal = auc_of(table, {}, {});
  CHECK(equal.value == 0);
  CHECK(equal.interval.lower == 0);
  CHECK(equal.interval.upper == 0);
  CHECK(equal.p_value == 1);
  CHECK(outcome_of(equal.interval, {}, 0) == Outcome::not_shown_better);

  Table one_class = table;
  std::ranges::fill(one_class.labels, std::uint8_t{1});
  CHECK(std::isnan(auc_of(one_class, {}, {}).interval.lower));
  table.challenger[3] = std::nanf("");
  CHECK(std::isnan(auc_of(table, {}, {}).interval.lower));
  CHECK(std::isnan(auc_of(Table{}, {}, {}).value));
  CHECK(std::isnan(brier_of(Table{}, {}, {}).interval.upper));
}

TEST_CASE("an interval of which more than a tenth is undefined is none") {
  // Two positives: both have weight 0 in e^−2 = 13.5 % of the replicates; three: in 5 %.
  for (const std::size_t positives : {2u, 3u}) {
    Table table = drawn(50, 9);
    std::ranges::fill(table.labels, std::uint8_t{0});
    std::fill_n(table.labels.begin(), positives, std::uint8_t{1});
    const Improvement found = auc_of(table, {}, {});
    CHECK(!std::isnan(found.value));
    CHECK(std::isnan(found.interval.lower) == (positives == 2));
  }
}

TEST_CASE("of equal models few are promoted, and few intervals lie below 0") {
  // Each end is beyond 0 in one of forty samples; 400 samples: 10 ± 3.
  int promoted = 0, worse = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Improvement found =
        auc_of(drawn(300, 1000 + seed), {}, {.seed = seed, .replicates = 400});
    promoted += outcome_of(found.interval, {}, 0) == Outcome::promote ? 1 : 0;
    worse += found.interval.upper < 0 ? 1 : 0;
  }
  CHECK(promoted >= 2);
  CHECK(promoted <= 20);
  CHECK(worse >= 2);
  CHECK(worse <= 20);
}

TEST_CASE("options out of range are errors") {
  const Table table = drawn(10, 10);
  for (const BootstrapOptions& options :
       {BootstrapOptions{.replicates = 0}, BootstrapOptions{.replicates = 1'000'001},
        BootstrapOptions{.level = 0}, BootstrapOptions{.level = 1},
        BootstrapOptions{.level = std::nan("")}}) {
    const auto found =
        compare_auc(table.challenger, table.champion, table.labels, {}, options, nullptr);
    REQUIRE(!found);
    CHECK(found.error().code == Code::bad_toml_value);
    CHECK(!compare_ratios({table.losses[0], {}}, {table.losses[1], {}}, Better::lower,
                          RatioForm::plain, {}, options, nullptr));
  }
}

TEST_CASE("one model's interval is that of its difference from nothing") {
  const Table table = drawn(500, 11, 1, 20);
  const BootstrapOptions options{.seed = 7, .replicates = 130};
  WorkerPool pool(2);
  const std::vector<double> zeros(table.labels.size());
  const auto beside = compare_ratios({table.losses[0], {}}, {zeros, {}}, Better::higher,
                                     RatioForm::plain, table.entities, options, nullptr);
  REQUIRE(beside);
  const RatioRows both[] = {{zeros, {}}, {table.losses[0], {}}};
  for (WorkerPool* threads : {static_cast<WorkerPool*>(nullptr), &pool}) {
    const auto found = estimate_ratios(both, zeros.size(), table.entities, options, threads);
    REQUIRE(found);
    CHECK((*found)[0].interval.upper == 0);
    CHECK((*found)[1].value == beside->challenger);
    CHECK((*found)[1].interval.lower == beside->interval.lower);
    CHECK((*found)[1].interval.upper == beside->interval.upper);
    CHECK((*found)[1].units == beside->units);
  }
  // Scores that are all the same have an AUC of one half in every replicate.
  const std::vector<float> same(table.labels.size(), 0.5f);
  const auto difference =
      compare_auc(table.challenger, same, table.labels, table.entities, options, &pool);
  const auto alone = estimate_auc(table.challenger, table.labels, table.entities, options, &pool);
  REQUIRE(difference);
  REQUIRE(alone);
  CHECK(alone->interval.lower == doctest::Approx(0.5 + difference->interval.lower).epsilon(1e-12));
  CHECK(alone->interval.upper == doctest::Approx(0.5 + difference->interval.upper).epsilon(1e-12));
  CHECK(alone->interval.lower < alone->value);
  CHECK(alone->value < alone->interval.upper);
}

TEST_CASE("an estimate that is undefined has no interval") {
  const std::vector<float> scores = {0.5f, std::nanf(""), 0.25f};
  const std::vector<std::uint8_t> labels = {1, 0, 0};
  const auto found = estimate_auc(scores, labels, {}, {.replicates = 20}, nullptr);
  REQUIRE(found);
  CHECK(std::isnan(found->value));
  CHECK(std::isnan(found->interval.lower));
  CHECK(!estimate_auc(scores, labels, {}, {.replicates = 0}, nullptr));
}

TEST_CASE("the normal law's p-value goes on where replicates end") {
  Improvement clear{.challenger = 2,
                    .champion = 1,
                    .value = 1,
                    .interval = {},
                    .p_value = 0,
                    .replicates = {},
                    .units = 0};
  for (int i = 0; i < 100; ++i) clear.replicates.push_back(i % 2 == 0 ? 0.9 : 1.1);
  CHECK(normal_p_value(clear) < 1e-20);
  CHECK(normal_p_value(clear) > 0);
  clear.value = 0;
  CHECK(normal_p_value(clear) == 1);
  clear.value = 1;
  clear.replicates.assign(100, 1.0);
  CHECK(normal_p_value(clear) == 0);
  clear.replicates.assign(100, std::nan(""));
  CHECK(std::isnan(normal_p_value(clear)));
}

TEST_CASE("a challenger is blocked, promoted, or not shown better") {
  CHECK(outcome_of({0.001, 0.01}, {}, 0.002) == Outcome::promote);
  CHECK(outcome_of({0, 0.01}, {}, 0.002) == Outcome::not_shown_better);
  CHECK(outcome_of({-0.002, 0.01}, {}, 0.002) == Outcome::not_shown_better);
  CHECK(outcome_of({-0.003, 0.01}, {}, 0.002) == Outcome::block);
  const std::array slices = {Interval{0.1, 0.2}, Interval{-0.3, 0.2}};
  CHECK(outcome_of({0.001, 0.01}, slices, 0.002) == Outcome::block);
  CHECK(outcome_of({0.001, 0.01}, slices, 0.3) == Outcome::promote);
  CHECK(outcome_of({std::nan(""), std::nan("")}, {}, 1) == Outcome::block);
  const std::array unknown = {Interval{std::nan(""), 0}};
  CHECK(outcome_of({0.001, 0.01}, unknown, 1) == Outcome::block);
}

}  // namespace coeval::stats
