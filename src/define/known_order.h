#pragma once

#include "define/expr.h"
#include "define/project.h"

namespace coeval::define {

/// Proves orders between times over one source's row, symbolically. Sound, not complete: "no" means
/// that no proof was found. What it knows: equal expressions; x ≤ x + d and x − d ≤ x for durations d
/// that cannot be negative; constants; greatest, least, if, coalesce; declared minima of columns.
class KnownOrder {
 public:
  explicit KnownOrder(const Source& source) : source_(source) {}
  /// Whether a ≤ b in every row where both have a value.
  bool at_most(const Expr& a, const Expr& b) const;
  /// Whether a number or duration is ≥ 0 wherever it has a value.
  bool not_negative(const Expr& expr) const;

 private:
  bool at_most(const Expr& a, const Expr& b, int& steps) const;
  bool at_most_by_terms(const Expr& a, const Expr& b) const;
  bool column_not_negative(const Expr& column) const;

  const Source& source_;
};

/// The latest of several times: one of them where the order can be proved, else greatest(…).
ExprPtr latest(const std::vector<ExprPtr>& times, const KnownOrder& order);

}  // namespace coeval::define
