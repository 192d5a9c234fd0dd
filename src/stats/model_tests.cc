#include "stats/model_tests.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/integer_sum.h"
#include "exact/maths.h"
#include "exact/ratio.h"
#include "stats/distances.h"
#include "stats/metrics.h"
#include "stats/ranked_scores.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// Of each row twice the rows of the other class that lie on its right side: below a positive, above
// a negative; ties count once.
std::vector<std::int64_t> placements(std::span<const float> scores,
                                     std::span<const std::uint8_t> labels, std::int64_t positives) {
  const std::vector<std::uint32_t> order = order_of_scores(scores);
  std::vector<std::int64_t> twice(scores.size());
  std::int64_t negatives_below = 0, positives_below = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    std::int64_t tied[2] = {0, 0};
    for (end = begin; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      ++tied[labels[order[end]] != 0 ? 1 : 0];
    for (std::size_t i = begin; i < end; ++i)
      twice[order[i]] = labels[order[i]] != 0
                            ? 2 * negatives_below + tied[0]
                            : 2 * (positives - positives_below - tied[1]) + tied[1];
    negatives_below += tied[0];
    positives_below += tied[1];
  }
  return twice;
}

// Σ d and Σ d² of whole numbers.
struct Moments2 {
  exact::Int128 count = 0, sum = 0, squares = 0;
  void add(std::int64_t d) {
    ++count;
    sum += d;
    squares += exact::Int128{d} * d;
  }
  // n·Σd² − (Σd)² = n(n − 1)·s²: a whole number.
  exact::Int128 spread() const { return count * squares - sum * sum; }
};

// s²(D)/n with D = d / (2·others).
double variance_of_mean(const Moments2& d, double others) {
  const auto n = static_cast<double>(d.count);
  return static_cast<double>(d.spread()) / (n * n * (n - 1)) / (4 * others * others);
}

double two_sided(double z) { return std::isinf(z) ? 0.0 : chi_square_tail(z * z, 1); }

// ln(n!) − its Stirling formula without corrections, (n + ½)·ln n − n + ½·ln 2π.
double stirling_rest(std::int64_t n) {
  constexpr std::int64_t kExact = 16;
  constexpr double kHalfLogTwoPi = 0.9189385332046727;
  const auto x = static_cast<double>(n);
  if (n < kExact) {
    double factorial = 1;  // exact below 2^53
    for (std::int64_t i = 2; i <= n; ++i) factorial *= static_cast<double>(i);
    if (n == 0) return 0;
    exact::ExactSum sum;
    sum.add(exact::log(factorial));
    sum.add(-(x + 0.5) * exact::log(x));
    sum.add(x);
    sum.subtract(kHalfLogTwoPi);
    return sum.round();
  }
  const double square = x * x;
  return (1.0 / 12 -
          (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / square) / square) / square) /
              square) /
         x;
}

// x·ln(x/m) + m − x, without cancellation near x = m.
double deviance(double x, double m) {
  if (std::abs(x - m) >= 0.1 * (x + m)) return x * exact::log(x / m) + m - x;
  const double v = (x - m) / (x + m), square = v * v;
  double sum = (x - m) * v, power = 2 * x * v;
  for (int j = 1; j < 100; ++j) {
    power *= square;
    const double next = sum + power / (2 * j + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

// P(X = k) of Binomial(n, ½).
double binomial_half(std::int64_t k, std::int64_t n) {
  constexpr double kTwoPi = 6.283185307179586;
  const auto x = static_cast<double>(k), y = static_cast<double>(n - k), half = 0.5 * (x + y);
  if (k == 0) return n > 1074 ? 0.0 : std::ldexp(1.0, static_cast<int>(-n));
  const double exponent = stirling_rest(n) - stirling_rest(k) - stirling_rest(n - k) -
                          deviance(x, half) - deviance(y, half);
  return exact::exp(exponent) * std::sqrt((x + y) / (kTwoPi * x * y));
}

}  // namespace

DeLong delong(std::span<const float> challenger, std::span<const float> champion,
              std::span<const std::uint8_t> labels) {
  COEVAL_CHECK(challenger.size() == labels.size() && champion.size() == labels.size());
  DeLong found;
  found.challenger = auc(challenger, labels);
  found.champion = auc(champion, labels);
  found.difference = found.standard_error = found.z = found.p_value = kUndefined;
  const auto positives =
      static_cast<std::int64_t>(std::ranges::count_if(labels, [](auto l) { return l != 0; }));
  const std::int64_t negatives = std::ssize(labels) - positives;
  if (positives < 2 || negatives < 2 || std::isnan(found.challenger) || std::isnan(found.champion))
    return found;
  const auto first = placements(challenger, labels, positives),
             second = placements(champion, labels, positives);
  Moments2 of[2];
  for (std::size_t i = 0; i < labels.size(); ++i)
    of[labels[i] != 0 ? 1 : 0].add(first[i] - second[i]);
  const auto p = static_cast<double>(positives), n = static_cast<double>(negatives);
  found.difference = static_cast<double>(of[1].sum) / (2 * p * n);
  const double variance = variance_of_mean(of[1], n) + variance_of_mean(of[0], p);
  found.standard_error = std::sqrt(variance);
  found.z = found.difference == 0 ? 0.0 : found.difference / found.standard_error;
  found.p_value = found.z == 0 ? 1.0 : two_sided(found.z);
  return found;
}

DeLongAuc delong_auc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  constexpr double kQuantile = 1.959963984540054;  // of 0.975
  DeLongAuc found{auc(scores, labels), kUndefined, kUndefined, kUndefined};
  const auto positives =
      static_cast<std::int64_t>(std::ranges::count_if(labels, [](auto l) { return l != 0; }));
  const std::int64_t negatives = std::ssize(labels) - positives;
  if (positives < 2 || negatives < 2 || std::isnan(found.auc)) return found;
  const auto twice = placements(scores, labels, positives);
  Moments2 of[2];
  for (std::size_t i = 0; i < labels.size(); ++i) of[labels[i] != 0 ? 1 : 0].add(twice[i]);
  found.standard_error = std::sqrt(variance_of_mean(of[1], static_cast<double>(negatives)) +
                                   variance_of_mean(of[0], static_cast<double>(positives)));
  found.lower = std::max(0.0, found.auc - kQuantile * found.standard_error);
  found.upper = std::min(1.0, found.auc + kQuantile * found.standard_error);
  return found;
}

McNemar mcnemar(std::span<const std::uint8_t> challenger_right,
                std::span<const std::uint8_t> champion_right) {
  COEVAL_CHECK(challenger_right.size() == champion_right.size());
  std::int64_t challenger_only = 0, champion_only = 0;
  for (std::size_t i = 0; i < challenger_right.size(); ++i) {
    const bool a = challenger_right[i] != 0, b = champion_right[i] != 0;
    challenger_only += a && !b ? 1 : 0;
    champion_only += b && !a ? 1 : 0;
  }
  return mcnemar(challenger_only, champion_only);
}

McNemar mcnemar(std::int64_t challenger_only, std::int64_t champion_only) {
  COEVAL_CHECK(challenger_only >= 0 && champion_only >= 0);
  McNemar found{challenger_only, champion_only, 1};
  // Where the counts differ by at most 1, the two tails are everything.
  if (std::abs(challenger_only - champion_only) > 1)
    found.p_value = std::min(1.0, 2 * binomial_half_tail(std::min(challenger_only, champion_only),
                                                         challenger_only + champion_only));
  return found;
}

double binomial_half_tail(std::int64_t k, std::int64_t n) {
  COEVAL_CHECK(k >= 0 && n >= 0 && 2 * k <= n);
  if (n == 0) return 1;
  double term = binomial_half(k, n), sum = term;
  // At most some √n terms matter: each is k/(n − k + 1) of the one before.
  for (std::int64_t i = k; i > 0 && term > sum * 1e-18; --i) {
    term *= static_cast<double>(i) / static_cast<double>(n - i + 1);
    sum += term;
  }
  return std::min(1.0, sum);
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<double> adjusted;
  for (const double p : p_values) adjusted.push_back(std::isnan(p) ? 1.0 : p);
  std::vector<std::size_t> order(adjusted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return adjusted[i]; });
  double least = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    double& p = adjusted[order[i]];
    least = std::max(least, std::min(1.0, static_cast<double>(order.size() - i) * p));
    p = least;
  }
  return adjusted;
}

}  // namespace coeval::stats
