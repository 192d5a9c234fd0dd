#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::stats {

/// Tests of two models on the same rows. Results are functions of the multiset of rows; counts and
/// covariances are exact integers.

struct DeLong {
  double challenger = 0, champion = 0;  ///< AUC
  double difference = 0;                ///< challenger − champion
  double standard_error = 0;            ///< of the difference
  double z = 0;                         ///< difference / standard error
  double p_value = 0;                   ///< two-sided, of the normal law
};
/// DeLong's test of a difference of AUCs, rows without weight. With a positive's placement
/// V = (negatives below + ½ negatives tied)/N of each model and D their difference, and the like
/// for a negative: variance = s²(D of positives)/P + s²(D of negatives)/N, s² with divisor n − 1.
/// NaN with fewer than two rows of a class or a NaN score. Variance 0: z 0 and p 1 where the AUCs
/// are equal, else z ±∞ and p 0. Source: DeLong, DeLong & Clarke-Pearson 1988; Sun & Xu 2014 (by
/// ranks). Complexity: two sorts.
DeLong delong(std::span<const float> challenger, std::span<const float> champion,
              std::span<const std::uint8_t> labels);

/// One model's AUC with DeLong's standard error, the square root of s²(V of positives)/P + s²(V of
/// negatives)/N, and the 95 % interval of the normal law, cut to [0, 1]. NaN as above. Rows are
/// taken as independent: where an entity repeats, resample it (bootstrap.h). Complexity: a sort.
struct DeLongAuc {
  double auc = 0;
  double standard_error = 0;
  double lower = 0, upper = 0;
};
DeLongAuc delong_auc(std::span<const float> scores, std::span<const std::uint8_t> labels);

struct McNemar {
  std::int64_t challenger_only = 0;  ///< rows that only the challenger gets right
  std::int64_t champion_only = 0;
  double p_value = 0;
};
/// McNemar's exact test: given n = challenger_only + champion_only, each is Binomial(n, ½) when
/// both models are right equally often; p = min(1, 2·P(X ≤ the smaller)). 1 where n = 0. `right`
/// holds 1 where a model's decision equals the label. Source: McNemar 1947, exact form;
/// scipy.stats.binomtest(challenger_only, n, 0.5).
McNemar mcnemar(std::span<const std::uint8_t> challenger_right,
                std::span<const std::uint8_t> champion_right);
McNemar mcnemar(std::int64_t challenger_only, std::int64_t champion_only);

/// P(X ≤ k) of Binomial(n, ½), 0 ≤ k ≤ n/2. Relative error below 1e-12, 0 below 1e-300.
/// Source: Loader 2000 for the largest term; the others follow by their ratios.
double binomial_half_tail(std::int64_t k, std::int64_t n);

/// Holm's step-down adjustment: for p ascending, the i-th of m becomes
/// max over j ≤ i of min(1, (m − j + 1)·p_j); in the order given. A NaN counts as 1: a comparison
/// that could not be made shows nothing, but was one of the family. Source: Holm 1979.
std::vector<double> holm(std::span<const double> p_values);

}  // namespace coeval::stats
