// The paired bootstrap of a metric's difference, 2,000 replicates: AUC over rows that are their own
// units and over rows of 50,000 entities, average precision, a mean of losses (log loss, Brier,
// accuracy, cost) over both; and the tests beside it. Scores of two models that know much the same;
// a fifth of the rows is positive.
//   bootstrap_bench [rows] [threads]        1,000,000 rows and 2 threads unless told otherwise

#include <time.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "base/worker_pool.h"
#include "stats/bootstrap.h"
#include "stats/model_tests.h"

namespace {

using namespace coeval;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Run>
void measure(const char* name, Run run) {
  const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
  const auto [value, lower, upper] = run();
  std::printf("%-44s %6.2f s wall %6.2f s CPU   %+.6f in [%+.6f, %+.6f]\n", name,
              seconds_of(CLOCK_MONOTONIC) - wall, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu, value,
              lower, upper);
}

struct Figures {
  double value, lower, upper;
};

Figures figures_of(const Result<stats::Improvement>& found) {
  if (!found) {
    std::fprintf(stderr, "%s\n", one_line(found.error()).c_str());
    std::exit(1);
  }
  return {found->value, found->interval.lower, found->interval.upper};
}

struct Table {
  std::vector<float> challenger, champion;
  std::vector<std::uint8_t> labels;
  std::vector<std::int64_t> entities;
  std::vector<double> challenger_loss, champion_loss;
};

Table make_table(std::size_t rows) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  Table table;
  for (std::size_t i = 0; i < rows; ++i) {
    const double known = normal(random), hidden = normal(random);
    const bool positive = known + hidden > 1.2;
    const auto score = [&](double noise) {
      return static_cast<float>(1 / (1 + std::exp(1.5 - 1.7 * (known + noise * normal(random)))));
    };
    table.labels.push_back(positive ? 1 : 0);
    table.challenger.push_back(score(0.28));
    table.champion.push_back(score(0.30));
    table.entities.push_back(static_cast<std::int64_t>(random() % 50'000));
    const auto loss = [&](float p) {
      return std::pow(static_cast<double>(p) - (positive ? 1 : 0), 2);
    };
    table.challenger_loss.push_back(loss(table.challenger.back()));
    table.champion_loss.push_back(loss(table.champion.back()));
  }
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  const auto rows = static_cast<std::size_t>(argc > 1 ? std::atoll(argv[1]) : 1'000'000);
  const int threads = argc > 2 ? std::atoi(argv[2]) : 2;
  const Table table = make_table(rows);
  WorkerPool pool(threads);
  const stats::BootstrapOptions options;
  std::printf("%zu rows, %d replicates, %d threads\n", rows, options.replicates, threads);
  const auto auc = [&](stats::Units units) {
    return figures_of(
        stats::compare_auc(table.challenger, table.champion, table.labels, units, options, &pool));
  };
  const auto brier = [&](stats::Units units) {
    return figures_of(stats::compare_ratios({table.challenger_loss, {}}, {table.champion_loss, {}},
                                            stats::Better::lower, stats::RatioForm::plain, units,
                                            options, &pool));
  };
  measure("AUC, each row its own unit", [&] { return auc({}); });
  measure("AUC, 50,000 entities", [&] { return auc(table.entities); });
  measure("average precision, each row its own unit", [&] {
    return figures_of(stats::compare_average_precision(table.challenger, table.champion,
                                                       table.labels, {}, options, &pool));
  });
  measure("Brier, each row its own unit", [&] { return brier({}); });
  measure("Brier, 50,000 entities", [&] { return brier(table.entities); });
  measure("DeLong (interval of the normal law)", [&] {
    const stats::DeLong found = stats::delong(table.challenger, table.champion, table.labels);
    const double half = 1.959963984540054 * found.standard_error;
    return Figures{found.difference, found.difference - half, found.difference + half};
  });
  return 0;
}
