#include "models/boundary_rows.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "data/hash.h"

namespace coeval::models {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

std::vector<float> special_numbers() {
  return {0.0f,      -0.0f,   1.0f,   -1.0f,  kInfinity,   -kInfinity, std::nanf(""),
          kDenormal, 2.5f,    -0.3f,  0.999f, -kDenormal,  3.4e38f,    -3.4e38f,
          1e-35f,    -1e-35f, 2e-35f, 1e9f,   16777215.0f, 16777216.0f};
}

void add_splits(const SourceTree& tree, std::vector<std::vector<float>>& cells) {
  for (std::size_t node = 0; node < tree.size(); ++node) {
    if (tree.left[node] == -1 || tree.categorical[node] != 0) continue;
    const float at = tree.conditions[node];
    auto& column = cells[static_cast<std::size_t>(tree.columns[node])];
    column.insert(column.end(),
                  {at, std::nextafter(at, -kInfinity), std::nextafter(at, kInfinity)});
  }
}

void add_codes(const SourceTree& tree, std::vector<std::vector<float>>& cells) {
  for (std::size_t set = 0; set < tree.category_nodes.size(); ++set) {
    const auto node = static_cast<std::size_t>(tree.category_nodes[set]);
    auto& column = cells[static_cast<std::size_t>(tree.columns[node])];
    const auto begin = static_cast<std::size_t>(tree.category_begins[set]),
               size = static_cast<std::size_t>(tree.category_sizes[set]);
    for (std::size_t i = begin; i < begin + size; ++i) {
      const auto code = static_cast<float>(tree.categories[i]);
      column.insert(column.end(), {code, code + 1, code + 0.5f});
    }
  }
}

std::vector<float> rows_of(const std::vector<std::vector<float>>& cells, std::size_t count) {
  std::vector<float> rows;
  rows.reserve(count * cells.size());
  for (std::size_t i = 0; i < count * cells.size(); ++i) {
    const auto& column = cells[i % cells.size()];
    rows.push_back(column[data::xxh3_64("boundary", i) % column.size()]);
  }
  return rows;
}

}  // namespace

std::vector<float> boundary_rows(const LinearModel& model, std::size_t count) {
  std::vector<std::vector<float>> cells(model.width(), special_numbers());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const LinearTerm& term = model.parts().terms[i];
    cells[i].push_back(static_cast<float>(term.mean));
    for (std::size_t code = 0; code < term.coefficients.size() + 2; ++code)
      cells[i].push_back(static_cast<float>(code));
  }
  return rows_of(cells, count);
}

std::vector<float> boundary_rows(const SourceForest& forest, std::size_t count) {
  std::vector<std::vector<float>> cells(forest.width, special_numbers());
  for (const SourceTree& tree : forest.trees) {
    add_splits(tree, cells);
    add_codes(tree, cells);
  }
  return rows_of(cells, count);
}

}  // namespace coeval::models
