#pragma once

// What the fuzzers of model files do with a file that was read: rows that break careless walks,
// each alone and inside a block, and the contributions of one.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "models/contributions.h"
#include "models/forest.h"

inline bool same_or_both_nan(float a, float b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

inline void try_forest(std::string_view bytes) {
  constexpr float kCells[] = {0.0f,
                              -1.0f,
                              2.5f,
                              3.4e38f,
                              std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::infinity(),
                              -0.5f,
                              1e-36f};
  const auto forest = coeval::models::Forest::read(bytes);
  if (!forest || forest->width() > 4096 || forest->outputs() > 64) return;
  const std::size_t width = forest->width(), outputs = forest->outputs();
  std::vector<float> rows(3 * width);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = kCells[i % std::size(kCells)];
  std::vector<float> together(3 * outputs), scores(3 * forest->scores()), alone(outputs);
  forest->predict(rows, together, scores);
  forest->margins(std::span(rows).last(width), alone);
  // One row alone and inside a block: the same answer.
  for (std::size_t i = 0; i < outputs; ++i) {
    if (!same_or_both_nan(alone[i], together[2 * outputs + i])) __builtin_trap();
  }
  const auto contributions = coeval::models::Contributions::read(bytes);
  if (!contributions) return;
  std::vector<double> out(outputs * (width + 1));
  contributions->of(std::span(rows).first(width), out);
}
