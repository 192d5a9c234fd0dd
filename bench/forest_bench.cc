// Prediction of one row and of 64, beside the library's own call, and what a model costs to load
// and to hold. Three models: 500 trees of depth 6 over 30 numbers, a forest like the flight model's
// (150 trees, depth 6, 41 inputs, two of them categories), and LightGBM's 500 trees of 64 leaves
// over 30 numbers. The peers run in the same process, alternating; all on one thread, whose CPU
// time is taken, so that a busy machine counts less. ONNX Runtime is asked too about the first
// forest, where its library is among the peers.

#include <time.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "models/contributions.h"
#include "models/forest.h"
#include "models/lightgbm_model.h"
#include "models/lightgbm_oracle.h"
#include "models/xgboost_model.h"
#include "models/xgboost_oracle.h"
#include "onnx_peer.h"

namespace {

using coeval::bench::OnnxForest;
using coeval::bench::OnnxPeer;
using coeval::models::Contributions;
using coeval::models::Forest;
using coeval::models::LightgbmOracle;
using coeval::models::XgboostOracle;

constexpr std::size_t kRows = 20'000;
constexpr unsigned kAirports = 230;
constexpr int kRepetitions = 9;
constexpr std::size_t kCalls = 1'000;

struct Shape {
  const char* name;
  std::size_t width;
  int rounds;
  std::vector<std::size_t> categories;  ///< columns
  double goal;                          ///< times the library's own call
};

struct Table {
  std::size_t width;
  std::vector<float> rows, labels;

  std::span<const float> row(std::size_t i) const {
    return std::span(rows).subspan(i * 7919 % kRows * width, width);
  }
  std::span<const float> block(std::size_t i) const {
    return std::span(rows).subspan(i * 64 % (kRows - 64) * width, 64 * width);
  }
};

Table make_table(const Shape& shape) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  Table table{shape.width, {}, {}};
  std::vector<float> airport(kAirports);
  for (float& effect : airport) effect = normal(random);
  for (std::size_t row = 0; row < kRows; ++row) {
    std::vector<float> cells(shape.width);
    for (float& cell : cells) cell = normal(random);
    float effect = cells[0] * cells[1] + cells[20] + normal(random);
    for (const std::size_t column : shape.categories) {
      const auto code = random() % kAirports;
      cells[column] = static_cast<float>(code);
      effect += airport[code];
    }
    for (std::size_t i = 5; i < shape.width; ++i) {
      if (random() % 20 == 0) cells[i] = std::numeric_limits<float>::quiet_NaN();
    }
    table.rows.insert(table.rows.end(), cells.begin(), cells.end());
    table.labels.push_back(effect > 0.5f ? 1.0f : 0.0f);
  }
  return table;
}

/// Of this thread.
double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double microseconds_per_call(std::size_t calls, const std::function<void(std::size_t)>& call) {
  const double start = cpu_microseconds();
  for (std::size_t i = 0; i < calls; ++i) call(i);
  return (cpu_microseconds() - start) / static_cast<double>(calls);
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

/// The library's own prediction of some rows' margins; the result is used so that it is computed.
using Peer = std::function<double(std::span<const float> rows)>;

/// ONNX Runtime on the same trees, or null.
std::unique_ptr<OnnxPeer> make_onnx(const std::string& bytes, const Forest& forest,
                                    const Table& table) {
  if (!OnnxPeer::is_there()) return nullptr;
  const auto source = coeval::models::read_xgboost(bytes);
  if (!source) throw std::runtime_error(coeval::one_line(source.error()));
  auto onnx = std::make_unique<OnnxPeer>(OnnxForest::write(*source), source->width);
  for (std::size_t i = 0; i < 100; ++i) {
    const float difference =
        forest.margin(table.row(i)) - source->base_margins[0] - onnx->predict(table.row(i));
    if (std::fabs(difference) > 1e-4f) throw std::runtime_error("ONNX Runtime disagrees");
  }
  return onnx;
}

struct Times {
  std::vector<double> ours, ours_block, theirs, theirs_block, ratio, load, explain, onnx,
      onnx_block, onnx_ratio;
};

void measure(const Forest& forest, const Contributions& contributions, const std::string& bytes,
             const Peer& peer, const OnnxPeer* onnx, const Table& table, Times& times) {
  std::vector<float> out(64);
  std::vector<double> parts(table.width + 1);
  double sum = 0;
  times.theirs.push_back(
      microseconds_per_call(kCalls, [&](std::size_t i) { sum += peer(table.row(i)); }));
  times.ours.push_back(microseconds_per_call(
      kCalls, [&](std::size_t i) { sum -= static_cast<double>(forest.margin(table.row(i))); }));
  times.ours_block.push_back(
      microseconds_per_call(kCalls / 8,
                            [&](std::size_t i) { forest.margins(table.block(i), out); }) /
      64);
  times.theirs_block.push_back(
      microseconds_per_call(kCalls / 32, [&](std::size_t i) { sum += peer(table.block(i)); }) / 64);
  times.explain.push_back(
      microseconds_per_call(20, [&](std::size_t i) { contributions.of(table.row(i), parts); }));
  times.load.push_back(
      microseconds_per_call(1, [&](std::size_t) { sum += Forest::read(bytes) ? 1 : 0; }));
  times.ratio.push_back(times.theirs.back() / times.ours.back());
  if (onnx != nullptr) {
    times.onnx.push_back(microseconds_per_call(
        kCalls, [&](std::size_t i) { sum += static_cast<double>(onnx->predict(table.row(i))); }));
    times.onnx_block.push_back(
        microseconds_per_call(
            kCalls / 32,
            [&](std::size_t i) { sum += static_cast<double>(onnx->predict(table.block(i))); }) /
        64);
    times.onnx_ratio.push_back(times.onnx.back() / times.ours.back());
  }
  if (sum != sum) std::puts("NaN");  // keeps the calls from being optimised away
}

std::size_t count_differences(const Forest& forest, const Table& table,
                              std::span<const double> theirs) {
  std::vector<double> ours(kRows);
  forest.margins(table.rows, ours);
  std::size_t differences = 0;
  for (std::size_t i = 0; i < kRows; ++i) {
    differences += std::bit_cast<std::uint64_t>(ours[i]) != std::bit_cast<std::uint64_t>(theirs[i]);
  }
  return differences;
}

/// Returns whether every margin was the library's.
bool report(const Shape& shape, const std::string& bytes, const Table& table, const Peer& peer,
            std::span<const double> theirs) {
  const auto forest = Forest::read(bytes);
  if (!forest) throw std::runtime_error(coeval::one_line(forest.error()));
  const auto contributions = Contributions::read(bytes);
  if (!contributions) throw std::runtime_error(coeval::one_line(contributions.error()));
  const std::size_t differences = count_differences(*forest, table, theirs);
  const bool numbers = shape.categories.empty() && !coeval::models::is_lightgbm(bytes);
  const auto onnx = numbers ? make_onnx(bytes, *forest, table) : nullptr;
  Times times;
  for (int i = 0; i < kRepetitions; ++i) {
    measure(*forest, *contributions, bytes, peer, onnx.get(), table, times);
  }
  std::printf("%s: %zu trees, %zu inputs; %zu of %zu margins differ\n", shape.name, forest->trees(),
              forest->width(), differences, kRows);
  std::printf("  one row, coeval           %8.2f us\n", median(times.ours));
  std::printf("  one row, library          %8.2f us  (one thread)\n", median(times.theirs));
  std::printf("  ratio                     %8.1f x   (goal %.0f)\n", median(times.ratio),
              shape.goal);
  std::printf("  64 rows, coeval, per row  %8.2f us\n", median(times.ours_block));
  std::printf("  64 rows, library, per row %8.2f us\n", median(times.theirs_block));
  if (onnx) {
    std::printf("  one row, ONNX Runtime     %8.2f us\n", median(times.onnx));
    std::printf("  ratio to ONNX Runtime     %8.1f x   (its goal 8)\n", median(times.onnx_ratio));
    std::printf("  64 rows, ONNX Runtime     %8.2f us\n", median(times.onnx_block));
  }
  std::printf("  load                      %8.2f ms  (goal 20)\n", median(times.load) / 1000);
  std::printf("  memory / file             %8.2f     (%zu kB / %zu kB; goal 1.5)\n",
              static_cast<double>(forest->memory_bytes()) / static_cast<double>(bytes.size()),
              forest->memory_bytes() / 1024, bytes.size() / 1024);
  std::printf("  contributions of one row  %8.2f us\n", median(times.explain));
  return differences == 0;
}

bool run_xgboost(const XgboostOracle& xgboost, const Shape& shape) {
  const Table table = make_table(shape);
  std::vector<const char*> types(shape.width, "q");
  for (const std::size_t column : shape.categories) types[column] = "c";
  const auto matrix = xgboost.make_matrix(table.rows, table.labels, types);
  const auto booster = xgboost.train(matrix,
                                     {{"objective", "binary:logistic"},
                                      {"max_depth", "6"},
                                      {"eta", "0.1"},
                                      {"min_child_weight", "0"}},
                                     shape.rounds);
  const std::string config = XgboostOracle::config(1);
  const auto predict = [&](std::span<const float> rows) {
    return xgboost.predict(booster, XgboostOracle::array_json(rows, shape.width), config.c_str());
  };
  const auto all = predict(table.rows);
  const std::vector<double> theirs(all.begin(), all.end());
  return report(
      shape, xgboost.save(booster), table,
      [&](auto rows) { return static_cast<double>(predict(rows)[0]); }, theirs);
}

bool run_lightgbm(const Shape& shape) {
  const LightgbmOracle lightgbm;
  const Table table = make_table(shape);
  const std::string parameters =
      "num_threads=1 deterministic=true force_col_wise=true verbosity=-1 objective=binary "
      "num_leaves=64 min_data_in_leaf=1";
  const auto dataset = lightgbm.make_dataset(table.rows, shape.width, table.labels, parameters);
  const auto booster = lightgbm.train(dataset, parameters, shape.rounds);
  const std::string text = lightgbm.save(booster);
  const auto saved = lightgbm.load_booster(text);
  const auto predict = [&](std::span<const float> rows) {
    return lightgbm.predict(saved, rows, shape.width, LightgbmOracle::kMargins, 1);
  };
  return report(
      shape, text, table, [&](auto rows) { return predict(rows)[0]; }, predict(table.rows));
}

int run() {
  const XgboostOracle xgboost;
  bool same = run_xgboost(xgboost, {"XGBoost, depth 6", 30, 500, {}, 12});
  same = run_xgboost(xgboost, {"XGBoost, like the flight model", 41, 150, {3, 4}, 8}) && same;
  same = run_lightgbm({"LightGBM, 64 leaves", 30, 500, {}, 1}) && same;
  return same ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "forest_bench: %s; run ./dev setup\n", error.what());
    return 1;
  }
}
