#include "models/contributions.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "models/forest.h"
#include "models/gauss_legendre.h"
#include "models/lightgbm_model.h"
#include "models/test_files.h"

namespace coeval::models {
namespace {

/// A LightGBM model of one tree, from its splits' and leaves' lines.
std::string one_tree(const std::string& lines, int last_column) {
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=" +
         std::to_string(last_column) + "\nobjective=regression\n\nTree=0\n" + lines +
         "\n\nend of trees\n";
}

/// Splits by columns `columns`, number i at `cuts[i]`, each leaf one deeper on the right.
std::string chain(const std::vector<int>& columns, const std::vector<double>& cuts,
                  const std::vector<int>& rows, const std::vector<double>& values) {
  const std::size_t splits = columns.size();
  std::string feature = "split_feature=", threshold = "\nthreshold=", type = "\ndecision_type=",
              left = "\nleft_child=", right = "\nright_child=", count = "\nleaf_count=",
              value = "\nleaf_value=";
  for (std::size_t i = 0; i < splits; ++i) {
    feature += std::to_string(columns[i]) + " ";
    threshold += std::to_string(cuts[i]) + " ";
    type += "10 ";
    left += std::to_string(-static_cast<int>(i) - 1) + " ";
    right +=
        std::to_string(i + 1 < splits ? static_cast<int>(i) + 1 : -static_cast<int>(i) - 2) + " ";
  }
  for (std::size_t i = 0; i <= splits; ++i) {
    count += std::to_string(rows[i]) + " ";
    value += std::to_string(values[i]) + " ";
  }
  return "num_leaves=" + std::to_string(splits + 1) + "\nnum_cat=0\n" + feature + threshold + type +
         left + right + value + count + "\nis_linear=0";
}

/// The value of a tree when only the columns in `known` are known, by its definition.
double value_of(const SourceTree& tree, std::size_t node, std::uint32_t known,
                const std::vector<float>& row) {
  if (tree.left[node] == -1) return tree.leaf_values[node];
  const auto column = static_cast<std::size_t>(tree.columns[node]);
  const auto left = static_cast<std::size_t>(tree.left[node]);
  const auto right = static_cast<std::size_t>(tree.right[node]);
  if ((known >> column & 1) != 0) {
    return value_of(tree, row[column] <= tree.conditions[node] ? left : right, known, row);
  }
  const auto cover = [&](auto& self, std::size_t at) -> double {
    if (tree.left[at] == -1) return tree.covers[at];
    return self(self, static_cast<std::size_t>(tree.left[at])) +
           self(self, static_cast<std::size_t>(tree.right[at]));
  };
  const double l = cover(cover, left), r = cover(cover, right);
  return (l * value_of(tree, left, known, row) + r * value_of(tree, right, known, row)) / (l + r);
}

/// Shapley values over all subsets of columns, straight from their definition.
std::vector<double> brute_force(const SourceTree& tree, std::size_t width,
                                const std::vector<float>& row) {
  std::vector<double> out(width + 1, 0.0), factorial(width + 1, 1.0);
  for (std::size_t i = 1; i <= width; ++i) factorial[i] = factorial[i - 1] * static_cast<double>(i);
  for (std::uint32_t set = 0; set < 1u << width; ++set) {
    const auto size = static_cast<std::size_t>(std::popcount(set));
    for (std::size_t i = 0; i < width; ++i) {
      if ((set >> i & 1) != 0) continue;
      const double weight = factorial[size] * factorial[width - size - 1] / factorial[width];
      out[i] += weight * (value_of(tree, 0, set | 1u << i, row) - value_of(tree, 0, set, row));
    }
  }
  out[width] = value_of(tree, 0, 0, row);
  return out;
}

}  // namespace

TEST_CASE("Gauss-Legendre quadrature integrates polynomials exactly") {
  for (const int n : {1, 2, 3, 5, 16, 256}) {
    const GaussLegendre rule = gauss_legendre(n);
    for (int degree = 0; degree < 2 * n; ++degree) {
      double sum = 0;
      for (int i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        sum += rule.weights[at] * std::pow(rule.points[at], degree);
      }
      CHECK(sum == doctest::Approx(1.0 / (degree + 1)).epsilon(1e-12));
    }
  }
}

TEST_CASE("a tree worked out by hand") {
  // x0 <= 0.5 ? 1 : x1 <= 0.5 ? 3 : 7, of 2, 1 and 1 rows. For x = (1, 1), whose margin is 7:
  // E = 3, E|x0 = 5, E|x1 = (2·1 + 2·7)/4 = 4, so x0 gives (2 + 3)/2 and x1 (1 + 2)/2.
  const auto contributions =
      Contributions::read(one_tree(chain({0, 1}, {0.5, 0.5}, {2, 1, 1}, {1, 3, 7}), 1));
  REQUIRE_MESSAGE(contributions.has_value(),
                  (contributions ? "" : one_line(contributions.error())));
  std::vector<double> out(3);
  contributions->of(std::vector<float>{1, 1}, out);
  CHECK(out[0] == doctest::Approx(2.5).epsilon(1e-15));
  CHECK(out[1] == doctest::Approx(1.5).epsilon(1e-15));
  CHECK(out[2] == doctest::Approx(3.0).epsilon(1e-15));
}

TEST_CASE("random trees give the Shapley values of their definition, columns repeating or not") {
  std::mt19937 random(5);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t width = 1 + random() % 6, splits = 1 + random() % 12;
    std::vector<int> columns, rows;
    std::vector<double> cuts, values;
    for (std::size_t i = 0; i < splits; ++i) {
      columns.push_back(static_cast<int>(random() % width));
      cuts.push_back(static_cast<double>(random() % 8) / 8);
    }
    for (std::size_t i = 0; i <= splits; ++i) {
      rows.push_back(1 + static_cast<int>(random() % 1000));
      values.push_back(static_cast<double>(random() % 2001) / 100 - 10);
    }
    const std::string text =
        one_tree(chain(columns, cuts, rows, values), static_cast<int>(width) - 1);
    const auto source = read_lightgbm(text, Covers::yes);
    const auto contributions = Contributions::read(text);
    REQUIRE(source.has_value());
    REQUIRE(contributions.has_value());
    std::vector<float> row(width);
    for (float& cell : row) cell = static_cast<float>(random() % 17) / 16;
    std::vector<double> out(width + 1);
    contributions->of(row, out);
    const auto expected = brute_force(source->trees[0], width, row);
    for (std::size_t i = 0; i <= width; ++i) {
      CHECK(out[i] == doctest::Approx(expected[i]).epsilon(1e-12));
    }
  }
}

TEST_CASE("a chain of 400 splits by 400 columns still adds up") {
  std::vector<int> columns(400), rows(401, 5);
  std::vector<double> cuts(400, 0.5), values(401);
  std::iota(columns.begin(), columns.end(), 0);
  std::iota(values.begin(), values.end(), -200.0);
  const std::string text = one_tree(chain(columns, cuts, rows, values), 399);
  const auto contributions = Contributions::read(text);
  const auto forest = Forest::read(text);
  REQUIRE(contributions.has_value());
  REQUIRE(forest.has_value());
  for (const std::size_t zero_at : {0, 7, 200, 399}) {
    std::vector<float> row(400, 1.0f);
    row[zero_at] = 0;
    std::vector<double> out(401);
    contributions->of(row, out);
    CHECK(std::accumulate(out.begin(), out.end(), 0.0) ==
          doctest::Approx(forest->margin(row)).epsilon(1e-9));
  }
}

TEST_CASE("a side that no training row took does not break the sum") {
  const auto contributions =
      Contributions::read(one_tree(chain({0, 1}, {0.5, 0.5}, {4, 0, 0}, {1, 3, 7}), 1));
  REQUIRE(contributions.has_value());
  std::vector<double> out(3);
  contributions->of(std::vector<float>{1, 1}, out);
  CHECK(out[2] == 1.0);
  CHECK(out[0] + out[1] + out[2] == doctest::Approx(7.0).epsilon(1e-14));
}

TEST_CASE("trees that are too deep and covers that are none are refused") {
  const std::vector<int> columns(600, 0), rows(601, 1);
  const auto deep = Contributions::read(one_tree(
      chain(columns, std::vector<double>(600, 0.5), rows, std::vector<double>(601, 1)), 0));
  REQUIRE(!deep.has_value());
  CHECK(deep.error().code == Code::unsupported);
  const auto negative = Contributions::read(one_tree(chain({0}, {0.5}, {4, -1}, {1, 3}), 0));
  REQUIRE(!negative.has_value());
  CHECK(negative.error().code == Code::bad_model);
  std::string bytes = test_data("v3_4.ubj");
  bytes.replace(bytes.find("sum_hessian"), 11, "sum_hessiam");
  CHECK(Forest::read(bytes).has_value());
  const auto absent = Contributions::read(bytes);
  REQUIRE(!absent.has_value());
  CHECK(absent.error().code == Code::bad_model);
}

}  // namespace coeval::models
