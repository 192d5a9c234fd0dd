#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace coeval::stats {

/// How far two samples lie apart. Counts are per bin, the reference's first, both over the same
/// bins in the same order (reference_bins.h). The result is a function of the counts: sums are
/// exact (src/exact) and logarithms ours (exact/maths.h), so the bits are the same on every
/// machine. NaN where a sample has no rows. Definitions: docs/statistics.md, "Drift".

/// Population stability index, Σ (p − q)·ln(p/q), with ½ added to every bin of both sides:
/// p = (c + ½) / (n + B/2).
/// Source: docs/statistics.md; symmetric Kullback–Leibler divergence (Jeffreys 1946).
double population_stability_index(std::span<const std::int64_t> reference,
                                  std::span<const std::int64_t> current);

/// One bin's part of the index.
struct MovedBin {
  std::size_t bin = 0;
  double reference_share = 0, current_share = 0;  ///< of the rows as they are, nothing added
  double part = 0;                                ///< (p − q)·ln(p/q) of the index
};
struct Stability {
  double raw = 0;        ///< population_stability_index
  double corrected = 0;  ///< max(0, raw − (B − 1)(1/n + 1/m)), B the bins that either sample has
  double p_value = 0;    ///< of chi_square on the same bins
  std::vector<MovedBin> moved;  ///< by part descending, then bin; at most `most_moved`
};
Stability stability(std::span<const std::int64_t> reference, std::span<const std::int64_t> current,
                    std::size_t most_moved = 5);

struct Test {
  double statistic = 0;
  std::int64_t degrees_of_freedom = 0;  ///< of chi_square
  double p_value = 0;                   ///< two-sided, asymptotic
};
/// Two-sample χ²: Σ over bins of (√(m/n)·a − √(n/m)·b)² / (a + b), with as many degrees of freedom
/// as bins that either sample has, less one; one such bin: statistic 0, p 1.
/// Source: scipy.stats.chi2_contingency of the 2 × B table, correction=False.
Test chi_square(std::span<const std::int64_t> reference, std::span<const std::int64_t> current);

/// Kolmogorov–Smirnov on bins in order of the values: the largest distance of the cumulative shares
/// at the bins' edges, which is at most that of the samples themselves.
/// p by the asymptotic distribution, `kolmogorov_tail(√(n·m/(n + m))·D)`.
Test kolmogorov_smirnov(std::span<const std::int64_t> reference,
                        std::span<const std::int64_t> current);
/// The same of two samples, ascending and without NaN: exact.
/// Source: scipy.stats.ks_2samp (statistic); p as above.
Test kolmogorov_smirnov(std::span<const double> reference, std::span<const double> current);

/// The largest difference of a bin's shares.
double l_infinity(std::span<const std::int64_t> reference, std::span<const std::int64_t> current);

/// Jensen–Shannon distance, base 2, in [0, 1]: √((KL(p‖h) + KL(q‖h)) / 2), h = (p + q) / 2.
/// Source: scipy.spatial.distance.jensenshannon(base=2).
double jensen_shannon(std::span<const std::int64_t> reference,
                      std::span<const std::int64_t> current);

/// P(X > x) of a χ² variable: the regularised upper incomplete gamma function Q(df/2, x/2), by its
/// series below df/2 + 1 and its continued fraction above. Relative error below 1e-12 up to 10^4
/// degrees of freedom, 0 below 1e-300. Source: NIST DLMF 8.11.4, 8.9.2.
double chi_square_tail(double x, std::int64_t degrees_of_freedom);
/// P(K > x) of Kolmogorov's distribution: 2·Σ (−1)^(k−1)·e^(−2k²x²), below 0.82 by the other of its
/// two series. Source: scipy.special.kolmogorov.
double kolmogorov_tail(double x);

/// Texts, or other values as text, with their counts; each once.
struct Category {
  std::string text;
  std::int64_t count = 0;
  friend bool operator==(const Category&, const Category&) = default;
};
struct CategoryChanges {
  std::vector<Category> added;     ///< of the current sample: those that the reference has not
  std::vector<Category> vanished;  ///< of the reference: those that the current sample has not
};
/// Both lists by count descending, then text.
CategoryChanges compare_categories(std::span<const Category> reference,
                                   std::span<const Category> current);

}  // namespace coeval::stats
