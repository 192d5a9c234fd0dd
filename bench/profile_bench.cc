// What a profile costs: each part of it for a column of numbers, whole columns of several kinds,
// and a wide table profiled and compared with a reference. CPU time of the process, so that other
// programs on the machine do not disturb it; the least of five runs.
//
//   profile_bench [columns] [rows] [threads]

#include <time.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/worker_pool.h"
#include "data/hash.h"
#include "exact/distinct_count.h"
#include "quality/binade_counts.h"
#include "quality/even_bins.h"
#include "quality/profile.h"
#include "stats/distances.h"

namespace {

using namespace coeval;

constexpr int kRuns = 5;

double seconds_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void measure(const char* name, std::int64_t values, const std::function<void()>& run) {
  double least = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const double began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    run();
    least = std::min(least, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began);
  }
  std::printf("%-56s %7.2f ns a value\n", name, least * 1e9 / static_cast<double>(values));
}

template <class T>
data::Column column_of(data::Type type, const std::vector<T>& values, double null_share = 0,
                       std::uint64_t seed = 1) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::copy_n(reinterpret_cast<const std::byte*>(values.data()), bytes.size(), bytes.begin());
  std::vector<std::uint8_t> validity;
  if (null_share > 0) {
    std::mt19937_64 random(seed);
    std::bernoulli_distribution null(null_share);
    validity.assign((values.size() + 7) / 8, 0xFF);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (null(random)) validity[i / 8] &= static_cast<std::uint8_t>(~(1 << i % 8));
  }
  return data::Column::fixed(type, std::move(bytes), std::move(validity),
                             static_cast<std::int64_t>(values.size()));
}

std::vector<double> normals(std::int64_t rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(3, 10);
  std::vector<double> values(static_cast<std::size_t>(rows));
  for (double& value : values) value = normal(random);
  return values;
}

template <class T>
std::vector<T> integers(std::int64_t rows, std::int64_t most, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> uniform(0, most);
  std::vector<T> values(static_cast<std::size_t>(rows));
  for (T& value : values) value = static_cast<T>(uniform(random));
  return values;
}

data::Column texts(std::int64_t rows, std::int64_t distinct) {
  std::mt19937_64 random(7);
  data::ColumnBuilder builder(data::Type::string);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::string digits =
        std::to_string(random() % static_cast<std::uint64_t>(distinct) + 100'000'000'000);
    builder.append_string("customer" + digits);  // 20 bytes
  }
  return builder.finish();
}

void measure_column(const char* name, const data::Column& column) {
  measure(name, column.size(), [&] {
    quality::ColumnProfile profile(column.type());
    profile.add(column);
  });
}

// The parts of what a column of numbers costs beyond 4,096 distinct values.
void measure_parts(std::int64_t rows) {
  const std::vector<double> values = normals(rows, 1);
  std::vector<std::int64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<std::int64_t>(value));
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  const double size_of_greatest = std::max(std::abs(*least), std::abs(*greatest));
  const auto each_block = [&](const auto& take) {
    for (std::size_t start = 0; start < bits.size(); start += 1024)
      take(start, std::min<std::size_t>(1024, bits.size() - start));
  };
  measure("  moments and bins by exponent", rows, [&] {
    quality::BinadeCounts binades;
    exact::ExactSum sum;
    exact::SquareSum squares;
    std::int64_t unsettled = 0;
    each_block([&](std::size_t start, std::size_t size) {
      binades.add_with_sums({bits.data() + start, size}, size_of_greatest);
      if ((unsettled += 1024) < quality::BinadeCounts::kMostUnsettled) return;
      binades.settle(sum, squares);
      unsettled = 0;
    });
  });
  measure("  even bins", rows, [&] {
    quality::EvenBins<double> even;
    each_block([&](std::size_t start, std::size_t size) {
      even.add({bits.data() + start, size}, *least, *greatest);
    });
  });
  measure("  distinct", rows, [&] {
    exact::DistinctCount<std::int64_t> distinct(4096);
    each_block([&](std::size_t start, std::size_t size) {
      distinct.add_all({bits.data() + start, size});
    });
  });
  const data::Column column = column_of(data::Type::float64, values);
  const auto bins = stats::ReferenceBins::of(column);
  if (!bins) std::exit(1);
  std::vector<std::int64_t> counts(bins->size(), 0);
  measure("  reference bins", rows, [&] { bins->count(column, counts); });
}

void measure_columns(std::int64_t rows) {
  measure_column("float64, normal", column_of(data::Type::float64, normals(rows, 1)));
  measure_column("float64, normal, 5 % null",
                 column_of(data::Type::float64, normals(rows, 1), 0.05));
  std::vector<float> floats;
  for (const double value : normals(rows, 1)) floats.push_back(static_cast<float>(value));
  measure_column("float32, normal", column_of(data::Type::float32, floats));
  measure_column("int64, all distinct",
                 column_of(data::Type::int64, integers<std::int64_t>(rows, 1'000'000'000'000, 2)));
  measure_column("int64, 1,000,000 distinct",
                 column_of(data::Type::int64, integers<std::int64_t>(rows, 1'000'000, 2)));
  measure_column("int32, 1,000 distinct",
                 column_of(data::Type::int32, integers<std::int32_t>(rows, 1000, 3)));
  measure_column("int32, 4,000 distinct",
                 column_of(data::Type::int32, integers<std::int32_t>(rows, 4000, 3)));
  const data::Column many = texts(rows, 100'000'000);
  measure_column("texts of 20 bytes, all distinct", many);
  measure("  distinct alone", rows, [&] {
    exact::DistinctCount<exact::Key128> distinct(4096);
    std::vector<exact::Key128> keys;
    for (std::int64_t row = 0; row < many.size(); ++row) {
      const data::Hash128 hash = data::xxh3_128(many.string(row));
      keys.push_back({hash.high, hash.low});
      if (keys.size() < 1024) continue;
      distinct.add_all(keys);
      keys.clear();
    }
  });
  measure_column("texts of 20 bytes, 1,000 distinct", texts(rows, 1000));
}

// Profiles all columns and counts them into the bins of a reference, as `ingest` does.
void measure_table(int columns, std::int64_t rows, int threads) {
  std::vector<data::Column> made;
  data::Batch batch;
  batch.rows = rows;
  for (int i = 0; i < columns; ++i) {
    batch.schema.fields.push_back({"c" + std::to_string(i), data::Type::float64, false});
    // A quarter of the table is made, and used four times: the machine has little memory.
    if (i < (columns + 3) / 4)
      made.push_back(
          column_of(data::Type::float64, normals(rows, 100 + static_cast<std::uint64_t>(i))));
    batch.columns.push_back(made[static_cast<std::size_t>(i) % made.size()]);
  }
  quality::Profile reference(batch.schema);
  WorkerPool pool(threads);
  if (!reference.add(batch, &pool)) std::exit(1);
  std::vector<stats::ReferenceBins> bins;
  for (const quality::ColumnProfile& column : reference.columns())
    bins.push_back(*column.reference());
  const double began = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
  quality::Profile profile(batch.schema);
  if (!profile.add(batch, &pool)) std::exit(1);
  std::vector<double> found(bins.size(), 0);
  pool.run(bins.size(), [&](std::size_t i) {
    std::vector<std::int64_t> counts(bins[i].size(), 0);
    bins[i].count(batch.columns[i], counts);
    found[i] = stats::stability(bins[i].counts(), counts).corrected;
  });
  const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began,
               wall_took = seconds_of(CLOCK_MONOTONIC) - wall;
  const double values = static_cast<double>(columns) * static_cast<double>(rows);
  std::printf(
      "%d columns x %jd rows profiled and compared on %d threads: %.2f s of CPU (%.1f ns a value), "
      "%.2f s of wall time; 1,000 columns x 1.3 M rows: %.1f s of CPU\n",
      columns, static_cast<std::intmax_t>(rows), threads, cpu, cpu / values * 1e9, wall_took,
      cpu / values * 1.3e9);
}

}  // namespace

int main(int argc, char** argv) {
  const int columns = argc > 1 ? std::atoi(argv[1]) : 40;
  const std::int64_t rows = argc > 2 ? std::atoll(argv[2]) : 1'300'000;
  const int threads = argc > 3 ? std::atoi(argv[3]) : 2;
  std::printf("float64, normal, part by part\n");
  measure_parts(rows);
  measure_columns(rows);
  if (columns > 0) measure_table(columns, rows, threads);
  return 0;
}
