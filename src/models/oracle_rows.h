#pragma once

// For tests only: a table to train on, and rows that break careless readers of a forest.

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <type_traits>
#include <vector>

#include "base/rounds_for_tests.h"
#include "models/forest_source.h"

namespace coeval::models {

inline constexpr std::size_t kWidth = 14;
inline constexpr std::size_t kFirstCategory = 10;
inline constexpr std::size_t kTrainingRows = 6000;
inline constexpr std::size_t kAdversarialRows = test_rounds<std::size_t>(100'000);
inline constexpr int kClasses = 4;
/// Distinct codes of the last four columns: below and above max_cat_to_onehot.
inline constexpr int kCodes[] = {3, 8, 60, 400};

inline const std::vector<const char*> kTypes = {"q", "q", "q", "q", "q", "q", "q",
                                                "q", "q", "q", "c", "c", "c", "c"};

struct Training {
  std::vector<float> rows, real_label, binary_label;
  std::vector<float> positive_label;  ///< above 0, with a heavy tail
  std::vector<float> class_label;     ///< 0 … kClasses - 1
};

/// Numbers with ties, heavy tails and missing cells, codes with their own effects.
inline Training make_training() {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal;
  Training data;
  for (std::size_t row = 0; row < kTrainingRows; ++row) {
    float cells[kWidth];
    for (std::size_t i = 0; i < kFirstCategory; ++i) {
      cells[i] = normal(random);
      if (i % 3 == 1) cells[i] = std::round(cells[i] * 4);
      if (i % 3 == 2) cells[i] = std::exp(10 * cells[i]);
    }
    for (std::size_t i = kFirstCategory; i < kWidth; ++i) {
      cells[i] = static_cast<float>(random() % static_cast<unsigned>(kCodes[i - kFirstCategory]));
    }
    const float effect = cells[0] + cells[1] / 4 + std::sin(cells[kFirstCategory + 2] * 12.9898f) +
                         std::cos(cells[kFirstCategory + 3] * 78.233f) + cells[10];
    data.real_label.push_back(effect + normal(random));
    data.binary_label.push_back(effect + normal(random) > 1 ? 1.0f : 0.0f);
    data.positive_label.push_back(std::exp(data.real_label.back() / 2));
    data.class_label.push_back(
        std::clamp(std::round(data.real_label.back()), 0.0f, static_cast<float>(kClasses - 1)));
    for (float& cell : cells) {
      if (random() % 10 == 0) cell = std::numeric_limits<float>::quiet_NaN();
    }
    data.rows.insert(data.rows.end(), cells, cells + kWidth);
  }
  return data;
}

/// Every threshold of the model, its neighbours, and the values that break careless readers.
inline std::vector<std::vector<float>> adversarial_cells(const SourceForest& model) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<std::vector<float>> cells(
      kWidth, {0.0f, -0.0f, kInfinity, -kInfinity, std::numeric_limits<float>::denorm_min(),
               -std::numeric_limits<float>::denorm_min(), 3.4e38f, -3.4e38f,
               std::numeric_limits<float>::quiet_NaN(), 1e-38f, 1.0f, -1.0f, 1e-35f, -1e-35f,
               std::nextafter(1e-35f, 1.0f), 2e-35f});
  for (const SourceTree& tree : model.trees) {
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (tree.left[node] == -1 || tree.categorical[node] != 0) continue;
      const float threshold = tree.conditions[node];
      auto& column = cells[static_cast<std::size_t>(tree.columns[node])];
      column.insert(column.end(), {threshold, std::nextafter(threshold, -kInfinity),
                                   std::nextafter(threshold, kInfinity)});
    }
  }
  for (std::size_t i = kFirstCategory; i < kWidth; ++i) {
    const int codes = kCodes[i - kFirstCategory];
    for (int code = 0; code < codes; ++code) cells[i].push_back(static_cast<float>(code));
    for (const float odd : {-0.3f, -1.0f, 2.5f, 0.999f, 16777215.0f, 16777216.0f, 1e9f}) {
      cells[i].push_back(odd);
    }
    for (const int past : {0, 1, 31, 32, 64}) cells[i].push_back(static_cast<float>(codes + past));
  }
  return cells;
}

inline std::vector<float> adversarial_rows(const SourceForest& model) {
  const auto cells = adversarial_cells(model);
  std::mt19937_64 random(11);
  std::vector<float> rows;
  rows.reserve(kAdversarialRows * kWidth);
  for (std::size_t row = 0; row < kAdversarialRows; ++row) {
    for (const auto& column : cells) rows.push_back(column[random() % column.size()]);
  }
  return rows;
}

template <class T>
std::size_t count_bit_differences(std::span<const T> a, std::span<const T> b) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  REQUIRE(a.size() == b.size());
  std::size_t differences = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences += std::bit_cast<Bits>(a[i]) != std::bit_cast<Bits>(b[i]) ? 1 : 0;
  }
  return differences;
}

/// Rows must reach different leaves, or equal bits would mean nothing.
template <class T>
std::size_t count_distinct(std::vector<T> values) {
  std::ranges::sort(values);
  return values.size() - std::ranges::unique(values).size();
}

/// The oracle, or null after saying why. Absent although `./dev setup` ran is a failure.
template <class Oracle>
std::unique_ptr<Oracle> open_oracle() {
  if (!Oracle::is_expected()) {
    MESSAGE("not compared with " << Oracle::kName << ": there is no third_party folder; run "
                                 << "./dev setup");
    return nullptr;
  }
  try {
    return std::make_unique<Oracle>();
  } catch (const std::exception& error) {
    FAIL_CHECK(error.what() << "; run ./dev setup");
    return nullptr;
  }
}

}  // namespace coeval::models
