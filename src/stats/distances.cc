#include "stats/distances.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/maths.h"

namespace coeval::stats {

namespace {

using Counts = std::span<const std::int64_t>;
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double total(Counts counts) {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) sum += count;
  return static_cast<double>(sum);
}

// Whether both samples have rows; bins are the same by contract.
bool are_filled(Counts reference, Counts current) {
  COEVAL_CHECK(reference.size() == current.size());
  return total(reference) > 0 && total(current) > 0;
}

std::int64_t bins_in_use(Counts reference, Counts current) {
  std::int64_t bins = 0;
  for (std::size_t i = 0; i < reference.size(); ++i)
    bins += reference[i] > 0 || current[i] > 0 ? 1 : 0;
  return bins;
}

double index_part(double p, double q) { return (p - q) * exact::log(p / q); }

// Each bin's part of the index.
std::vector<double> index_parts(Counts reference, Counts current) {
  const double half_bins = static_cast<double>(reference.size()) / 2;
  const double n = total(reference) + half_bins, m = total(current) + half_bins;
  std::vector<double> parts;
  for (std::size_t i = 0; i < reference.size(); ++i)
    parts.push_back(index_part((static_cast<double>(reference[i]) + 0.5) / n,
                               (static_cast<double>(current[i]) + 0.5) / m));
  return parts;
}

double sum_of(const std::vector<double>& terms) {
  exact::ExactSum sum;
  for (const double term : terms) sum.add(term);
  return sum.round();
}

// The logarithm of Γ(halves / 2): of a product of whole or half numbers.
double log_gamma_of_halves(std::int64_t halves) {
  constexpr double kLogOfRootOfPi = 0.5723649429247001;
  exact::ExactSum sum;
  if (halves % 2 != 0) sum.add(kLogOfRootOfPi);
  for (std::int64_t factor = halves - 2; factor > 0; factor -= 2)
    sum.add(exact::log(static_cast<double>(factor) / 2));
  return sum.round();
}

constexpr int kMostTerms = 100'000;

// γ(a, x) / (x^a e^−x): Σ x^k / (a (a + 1) … (a + k)).
double gamma_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int k = 1; k < kMostTerms && term > sum * 1e-17; ++k) {
    term *= x / (a + k);
    sum += term;
  }
  return sum;
}

// Γ(a, x) / (x^a e^−x): 1/(x + 1 − a − 1(1 − a)/(x + 3 − a − …)), from the front (Lentz's way).
double gamma_fraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a, c = 1 / kTiny, d = 1 / b, fraction = d;
  for (int k = 1; k < kMostTerms; ++k) {
    const double numerator = -k * (k - a);
    b += 2;
    d = numerator * d + b;
    if (std::abs(d) < kTiny) d = kTiny;
    c = b + numerator / c;
    if (std::abs(c) < kTiny) c = kTiny;
    d = 1 / d;
    const double factor = c * d;
    fraction *= factor;
    if (std::abs(factor - 1) < 1e-16) break;
  }
  return fraction;
}

// Kullback–Leibler divergence of p from the mean of p and q, in bits: the sum's terms.
double to_mean(double p, double q) { return p == 0 ? 0 : p * exact::log2(p / ((p + q) / 2)); }

Test kolmogorov_of(double distance, double n, double m) {
  return {distance, 0, kolmogorov_tail(std::sqrt(n / (n + m) * m) * distance)};
}

}  // namespace

double population_stability_index(Counts reference, Counts current) {
  if (!are_filled(reference, current)) return kUndefined;
  return sum_of(index_parts(reference, current));
}

Stability stability(Counts reference, Counts current, std::size_t most_moved) {
  if (!are_filled(reference, current)) return {kUndefined, kUndefined, kUndefined, {}};
  const double n = total(reference), m = total(current);
  const std::vector<double> parts = index_parts(reference, current);
  const auto bins = static_cast<double>(bins_in_use(reference, current));
  Stability found;
  found.raw = sum_of(parts);
  found.corrected = std::max(0.0, found.raw - (bins - 1) * (1 / n + 1 / m));
  found.p_value = chi_square(reference, current).p_value;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (reference[i] > 0 || current[i] > 0)
      found.moved.push_back({i, static_cast<double>(reference[i]) / n,
                             static_cast<double>(current[i]) / m, parts[i]});
  std::stable_sort(found.moved.begin(), found.moved.end(),
                   [](const MovedBin& a, const MovedBin& b) { return a.part > b.part; });
  if (found.moved.size() > most_moved) found.moved.resize(most_moved);
  return found;
}

Test chi_square(Counts reference, Counts current) {
  if (!are_filled(reference, current)) return {kUndefined, 0, kUndefined};
  const double n = total(reference), m = total(current);
  exact::ExactSum sum;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (reference[i] == 0 && current[i] == 0) continue;
    const auto a = static_cast<double>(reference[i]), b = static_cast<double>(current[i]);
    // (√(m/n)·a − √(n/m)·b)² = (m·a − n·b)² / (n·m)
    const double off = m * a - n * b;
    sum.add(off / (a + b) * (off / (n * m)));
  }
  const std::int64_t freedom = bins_in_use(reference, current) - 1;
  const double statistic = sum.round();
  return {statistic, freedom, freedom == 0 ? 1 : chi_square_tail(statistic, freedom)};
}

Test kolmogorov_smirnov(Counts reference, Counts current) {
  if (!are_filled(reference, current)) return {kUndefined, 0, kUndefined};
  const double n = total(reference), m = total(current);
  std::int64_t below = 0, current_below = 0;
  double largest = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    below += reference[i];
    current_below += current[i];
    largest = std::max(
        largest, std::abs(static_cast<double>(below) / n - static_cast<double>(current_below) / m));
  }
  return kolmogorov_of(largest, n, m);
}

Test kolmogorov_smirnov(std::span<const double> reference, std::span<const double> current) {
  if (reference.empty() || current.empty()) return {kUndefined, 0, kUndefined};
  const auto n = static_cast<double>(reference.size()), m = static_cast<double>(current.size());
  std::size_t i = 0, j = 0;
  double largest = 0;
  while (i < reference.size() && j < current.size()) {
    const double at = std::min(reference[i], current[j]);
    while (i < reference.size() && reference[i] == at) ++i;
    while (j < current.size() && current[j] == at) ++j;
    largest = std::max(largest, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  return kolmogorov_of(largest, n, m);
}

double l_infinity(Counts reference, Counts current) {
  if (!are_filled(reference, current)) return kUndefined;
  const double n = total(reference), m = total(current);
  double largest = 0;
  for (std::size_t i = 0; i < reference.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(reference[i]) / n -
                                         static_cast<double>(current[i]) / m));
  return largest;
}

double jensen_shannon(Counts reference, Counts current) {
  if (!are_filled(reference, current)) return kUndefined;
  const double n = total(reference), m = total(current);
  exact::ExactSum sum;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double p = static_cast<double>(reference[i]) / n, q = static_cast<double>(current[i]) / m;
    sum.add(to_mean(p, q));
    sum.add(to_mean(q, p));
  }
  return std::sqrt(std::clamp(sum.round() / 2, 0.0, 1.0));
}

double chi_square_tail(double x, std::int64_t degrees_of_freedom) {
  if (std::isnan(x) || degrees_of_freedom < 1) return kUndefined;
  if (x <= 0) return 1;
  if (std::isinf(x)) return 0;
  const double a = static_cast<double>(degrees_of_freedom) / 2, half = x / 2;
  const double scale =
      exact::exp(a * exact::log(half) - half - log_gamma_of_halves(degrees_of_freedom));
  if (half < a + 1) return std::max(0.0, 1 - scale * gamma_series(a, half));
  return scale * gamma_fraction(a, half);
}

double kolmogorov_tail(double x) {
  if (std::isnan(x)) return kUndefined;
  if (x <= 0.04) return 1;  // what is missing to 1 is below 1e-300
  constexpr double kPi = 3.141592653589793, kRootOfTwoPi = 2.5066282746310002;
  if (x < 0.82) {
    // 1 − √(2π)/x · Σ e^(−(2k − 1)²π²/(8x²))
    double sum = 0;
    for (int k = 1; k <= 9; k += 2) sum += exact::exp(-(k * k) * (kPi * kPi) / (8 * x * x));
    return 1 - kRootOfTwoPi / x * sum;
  }
  double sum = 0;
  for (int k = 10; k >= 1; --k) sum += (k % 2 == 1 ? 1 : -1) * exact::exp(-2.0 * k * k * x * x);
  return std::min(1.0, 2 * sum);
}

CategoryChanges compare_categories(std::span<const Category> reference,
                                   std::span<const Category> current) {
  std::map<std::string_view, int> sides;
  for (const Category& category : reference)
    if (category.count > 0) sides[category.text] |= 1;
  for (const Category& category : current)
    if (category.count > 0) sides[category.text] |= 2;
  CategoryChanges changes;
  for (const Category& category : reference)
    if (category.count > 0 && sides[category.text] == 1) changes.vanished.push_back(category);
  for (const Category& category : current)
    if (category.count > 0 && sides[category.text] == 2) changes.added.push_back(category);
  const auto more = [](const Category& a, const Category& b) {
    return a.count != b.count ? a.count > b.count : a.text < b.text;
  };
  std::sort(changes.added.begin(), changes.added.end(), more);
  std::sort(changes.vanished.begin(), changes.vanished.end(), more);
  return changes;
}

}  // namespace coeval::stats
