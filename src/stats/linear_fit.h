#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "stats/linear_design.h"

namespace coeval::stats {

enum class LinearLoss : std::uint8_t { logistic, squared };

struct LinearOptions {
  LinearLoss loss = LinearLoss::logistic;
  double l1 = 0, l2 = 1;
  int max_iterations = 100;
  double tolerance = 1e-10;  ///< of LinearSolution::gap
  /// For each coefficient: may not be negative (1), may not be positive (−1), is free (0). Empty:
  /// all free.
  std::vector<int> directions = {};
};

/// A minimum, as far as it was reached.
struct LinearSolution {
  double intercept = 0;
  std::vector<double> coefficients;  ///< of the design's columns, standardised
  int iterations = 0;
  bool converged = false;  ///< the gap is within the tolerance
  /// The largest entry of the objective's least subgradient, per weight of the rows (and standard
  /// deviation of the labels, where the loss is squared): 0 at the minimum.
  double gap = 0;
  double objective = 0;
};

/// The intercept a and coefficients b with the least
///   Σ w · loss(label, a + b·x) + l1 · Σ |b| + l2 / 2 · Σ b²,
/// where x are a row's design columns and the loss is log(1 + e^m) − label·m of the margin m, or
/// (label − m)² / 2. The penalties are of all rows together, not of each: they are a prior, whose
/// say becomes smaller the more rows there are. The intercept is not penalised.
///
/// So l2 is scikit-learn's 1/C of LogisticRegression and alpha of Ridge; ElasticNet's alpha is
/// (l1 + l2) / rows and its l1_ratio l1 / (l1 + l2).
/// Method: proximal Newton. The quadratic model of each step is solved by Cholesky, or with l1 or
/// directions by coordinate descent on its matrix and then Cholesky on the coefficients that are
/// not 0; step halving keeps the objective falling. Where the minimum is not unique (l2 = 0 and
/// columns that add up), the step is the one of a matrix with 1e-12 of its diagonal added.
/// Source: Friedman, Hastie & Tibshirani 2010; Lee, Sun & Saunders 2014.
/// Complexity: iterations × rows × (columns of a row)², and size()³ / 6 an iteration; a matrix of
/// size()² a lane.
/// Determinism: a function of the rows in their order: they are cut into lanes by their number and
/// size() alone, added up in order, so that the pool's threads change no bit; exp and log are our
/// own.
/// Errors: no_rows for labels of one class only (logistic); training_failed for labels that are not
/// 0 or 1 (logistic), and when a matrix cannot be solved.
Result<LinearSolution> fit_linear(const LinearDesign& design, const LinearRows& rows,
                                  const LinearOptions& options, WorkerPool& pool);

}  // namespace coeval::stats
