// Rows a second that each generator makes, as columns in memory, without writing them anywhere.
// Prints CPU and wall seconds of so many rows of each kind.
//
//   generate_bench [rows] [threads]     (default: 5000000 1)

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "generate/churn.h"
#include "generate/clicks.h"
#include "generate/fraud.h"
#include "generate/produce.h"
#include "generate/recsys.h"
#include "generate/series.h"

namespace {

using namespace coeval;

double seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void measure(const char* kind, Result<std::unique_ptr<generate::Generator>> made, std::int64_t rows,
             int threads) {
  if (!made) return;
  const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
  const auto range = generate::pieces_of(**made, {0, 1, rows});
  if (!range) return;
  const auto produced = generate::produce(
      **made, *range, threads, [](const data::Batch&) -> Status { return {}; },
      [](std::int64_t, std::int64_t) {});
  if (!produced) return;
  const double took = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  std::printf("%-7s %10lld rows  %6.2f s CPU  %6.2f s wall  %6.1f M rows/s of CPU\n", kind,
              static_cast<long long>(produced->rows), took, seconds(CLOCK_MONOTONIC) - wall,
              static_cast<double>(produced->rows) / took / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 5'000'000;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  measure("fraud", generate::make_fraud({.days = generate::kMostDays}), rows, threads);
  measure("clicks", generate::make_clicks({.sessions = 100'000'000}), rows, threads);
  measure("recsys", generate::make_recsys({.rows = 1'000'000'000}), rows, threads);
  measure("churn", generate::make_churn({.customers = 1'000'000'000}), rows, threads);
  measure("series", generate::make_series({.series = 1'000'000}), rows, threads);
}
