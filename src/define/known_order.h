#pragma once

#include <optional>
#include <vector>

#include "define/expr.h"
#include "define/project.h"

namespace coeval::define {

/// Proves orders between times over one source's row, symbolically. Sound, not complete: "no" means
/// that no proof was found. What it knows: equal expressions; x ≤ x + d and x − d ≤ x for durations
/// d with a lower bound (constants, declared minima of columns, sums, products and quotients of
/// such, abs, clamp, length, rounding, parts of dates, …); date_trunc(unit, x) ≤ x; greatest,
/// least, if, case, coalesce, nullif, and durations added to them.
class KnownOrder {
 public:
  explicit KnownOrder(const Source& source) : source_(source) {}
  /// Whether a ≤ b in every row where both have a value.
  bool at_most(const Expr& a, const Expr& b) const;
  /// A number (durations: in µs) that the expression is never below where it has a value. Sound in
  /// floating point: every step is monotone and rounds as the evaluation itself does.
  std::optional<double> lower_bound(const Expr& expr) const;

 private:
  bool at_most(const Expr& a, const Expr& b, int& steps) const;
  bool at_most_by_terms(const Expr& a, const Expr& b) const;
  std::optional<double> sum(const Expr& expr) const;
  std::optional<double> difference(const Expr& expr) const;
  std::optional<double> greatest_of(const std::vector<ExprPtr>& parts) const;
  std::optional<double> least_of(const std::vector<ExprPtr>& parts) const;
  std::optional<double> clamped(const Expr& expr) const;
  std::optional<double> rounded(const Expr& expr) const;
  std::optional<double> scaled(const Expr& expr, double unit_us) const;
  std::optional<double> product(const Expr& a, const Expr& b) const;
  std::optional<double> quotient(const Expr& a, const Expr& b) const;
  std::optional<double> declared_minimum(const Expr& column) const;

  const Source& source_;
};

/// The latest of several times: one of them where the order can be proved, else greatest(…).
ExprPtr latest(const std::vector<ExprPtr>& times, const KnownOrder& order);

}  // namespace coeval::define
