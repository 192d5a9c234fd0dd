#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "stats/binary.h"

namespace coeval::stats {

/// From a model's score to a probability: fitted on a later slice than training, part of the
/// artifact, and applied in serving.
///
/// Determinism: apply() uses + − × ÷, comparisons and exact/maths.h only, so it has the same bits
/// everywhere. A map is a function of the multiset of the rows that it was fitted on.
struct CalibrationMap {
  enum class Kind : std::uint8_t { platt, isotonic };
  Kind kind = Kind::platt;
  /// platt: 1 / (1 + e^(slope·score + intercept)); a good model has a negative slope.
  double slope = 0, intercept = 0;
  /// isotonic: knots, scores strictly ascending, values not descending in [0, 1]; linear between
  /// them, the first and last value beyond them.
  std::vector<double> scores, values;

  /// A probability in [0, 1]; NaN for NaN. Complexity: O(log knots).
  double apply(double score) const;
  friend bool operator==(const CalibrationMap&, const CalibrationMap&) = default;
};

/// From so many rows with weight on, isotonic regression is used, below it Platt's sigmoid.
inline constexpr std::int64_t kIsotonicRows = 1000;

/// Errors of all three: no_rows: rows of one class only, equal scores only (nothing to order by),
/// scores or weights that are not finite.

/// Platt's sigmoid with his smoothed targets, (P + 1)/(P + 2) for positives and 1/(N + 2) for
/// negatives, P and N the classes' weights: the least Σ w·cross-entropy, by Newton's method with
/// step halving, until a step is below 10^-12 of the parameters (of scores scaled to [−1, 1]).
/// Source: Platt 2000; scikit-learn _sigmoid_calibration; Lin, Lin & Weng 2007 (Newton).
/// Errors: also training_failed after 100 steps.
Result<CalibrationMap> fit_platt(const BinaryRows& rows);

/// The non-decreasing function of the score with the least Σ w·(value − label)²: pool adjacent
/// violators over the distinct scores, each pool's value rounded once from the exact sums; between
/// pools linear. Rows without weight are left out. Values are kept within [e, 1 − e] with
/// e = max(1/(2n + 2), 2^-24), n the rows: what n rows have not shown is (0 + ½)/(n + 1), not 0,
/// and a probability of 0 or 1 would make one surprise cost an infinite log loss.
/// Source: Ayer et al. 1955; Krichevsky & Trofimov 1981 (the ½); scikit-learn
/// IsotonicRegression(y_min=e, y_max=1-e, out_of_bounds="clip"), which takes scores within 1e-15 of
/// one another as equal.
Result<CalibrationMap> fit_isotonic(const BinaryRows& rows);

/// By the number of rows with weight: see kIsotonicRows.
Result<CalibrationMap> fit_calibration(const BinaryRows& rows);

/// {"kind": "platt", "slope", "intercept"} or {"kind": "isotonic", "scores": […], "values": […]},
/// with digits that read back to the same bits.
data::Json to_json(const CalibrationMap& map);
/// Errors: bad_model: another shape, numbers that are not finite or out of order, over a million
/// knots.
Result<CalibrationMap> calibration_from_json(const data::Json& json);

}  // namespace coeval::stats
