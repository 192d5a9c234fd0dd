// One-row and 64-row prediction of a forest like the flight model's (150 trees, depth 6, 41 inputs,
// two of them categories), beside XGBoost's own one-row call. The peer runs in the same process,
// alternating.

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "models/forest.h"
#include "models/xgboost_oracle.h"

namespace {

using coeval::models::Forest;
using coeval::models::XgboostOracle;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kWidth = 41;
constexpr std::size_t kRows = 20'000;
constexpr int kRounds = 150;
constexpr unsigned kAirports = 230;
constexpr std::size_t kCategoryColumns[] = {3, 4};
constexpr int kRepetitions = 15;
constexpr std::size_t kCalls = 2'000;

struct Table {
  std::vector<float> rows, labels;
};

Table make_table() {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  Table table;
  std::vector<float> airport(kAirports);
  for (float& effect : airport) effect = normal(random);
  for (std::size_t row = 0; row < kRows; ++row) {
    std::vector<float> cells(kWidth);
    for (float& cell : cells) cell = normal(random);
    float effect = cells[0] * cells[1] + cells[20] + normal(random);
    for (const std::size_t column : kCategoryColumns) {
      const auto code = random() % kAirports;
      cells[column] = static_cast<float>(code);
      effect += airport[code];
    }
    for (std::size_t i = 5; i < kWidth; ++i) {
      if (random() % 20 == 0) cells[i] = std::numeric_limits<float>::quiet_NaN();
    }
    table.rows.insert(table.rows.end(), cells.begin(), cells.end());
    table.labels.push_back(effect > 0.5f ? 1.0f : 0.0f);
  }
  return table;
}

double microseconds_per_call(std::size_t calls, const std::function<void(std::size_t)>& call) {
  const auto start = Clock::now();
  for (std::size_t i = 0; i < calls; ++i) call(i);
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count() /
         static_cast<double>(calls);
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

struct Times {
  std::vector<double> ours, ours_block, theirs, ratio;
};

void measure(const Forest& forest, const XgboostOracle& xgboost, XgboostOracle::Handle booster,
             const Table& table, Times& times) {
  const std::string config = XgboostOracle::config(1);
  const auto row = [&](std::size_t i) {
    return std::span(table.rows).subspan(i * 7919 % kRows * kWidth, kWidth);
  };
  std::vector<float> out(64);
  float sum = 0;
  times.theirs.push_back(microseconds_per_call(kCalls, [&](std::size_t i) {
    const std::string array = XgboostOracle::array_json(row(i), kWidth);
    sum += xgboost.predict(booster, array, config.c_str())[0];
  }));
  times.ours.push_back(
      microseconds_per_call(kCalls, [&](std::size_t i) { sum -= forest.margin(row(i)); }));
  times.ours_block.push_back(
      microseconds_per_call(kCalls / 8,
                            [&](std::size_t i) {
                              const std::size_t first = i * 64 % (kRows - 64);
                              forest.margins(
                                  std::span(table.rows).subspan(first * kWidth, 64 * kWidth), out);
                            }) /
      64);
  times.ratio.push_back(times.theirs.back() / times.ours.back());
  if (sum != sum) std::puts("NaN");  // keeps the calls from being optimised away
}

std::size_t count_differences(const Forest& forest, std::span<const float> theirs,
                              const Table& table) {
  std::vector<float> ours(kRows);
  forest.margins(table.rows, ours);
  std::size_t differences = 0;
  for (std::size_t i = 0; i < kRows; ++i) {
    differences += std::bit_cast<std::uint32_t>(ours[i]) != std::bit_cast<std::uint32_t>(theirs[i]);
  }
  return differences;
}

int run() {
  const XgboostOracle xgboost;
  const Table table = make_table();
  std::vector<const char*> types(kWidth, "q");
  for (const std::size_t column : kCategoryColumns) types[column] = "c";
  const auto matrix = xgboost.make_matrix(table.rows, table.labels, types);
  const auto booster = xgboost.train(
      matrix, {{"objective", "binary:logistic"}, {"max_depth", "6"}, {"eta", "0.1"}}, kRounds);
  const auto forest = Forest::from_xgboost_ubj(xgboost.save(booster));
  if (!forest) throw std::runtime_error(coeval::one_line(forest.error()));
  const auto theirs = xgboost.predict(booster, XgboostOracle::array_json(table.rows, kWidth),
                                      XgboostOracle::config(1).c_str());
  const std::size_t differences = count_differences(*forest, theirs, table);
  Times times;
  for (int i = 0; i < kRepetitions; ++i) measure(*forest, xgboost, booster, table, times);
  std::printf("forest: %zu trees, depth 6, %zu inputs, %zu kB; %zu of %zu margins differ\n",
              forest->trees(), forest->width(), forest->memory_bytes() / 1024, differences, kRows);
  std::printf("one row, coeval          %8.2f us\n", median(times.ours));
  std::printf("one row, XGBoost         %8.2f us  (XGBoosterPredictFromDense, nthread 1)\n",
              median(times.theirs));
  std::printf("ratio                    %8.1f x   (target 8)\n", median(times.ratio));
  std::printf("64 rows, coeval, per row %8.2f us\n", median(times.ours_block));
  return differences == 0 ? 0 : 1;
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
