#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "data/column.h"

// One pass over one column for one kind of rule. Each first asks of a block of rows, without
// branches, whether any may break the rule, and looks at single rows only where the answer is yes.

namespace coeval::quality {

/// A row that breaks a rule.
struct Finding {
  std::int64_t row = 0;
  int rule = -1;
  friend auto operator<=>(const Finding&, const Finding&) = default;
};
using Findings = std::vector<Finding>;

/// Bounds of an integer-like column, inclusive; rule -1 where there is no bound.
struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  int min_rule = -1, max_rule = -1;
};
void scan_integers(const data::Column& column, const IntegerRange& range, Findings& findings);

/// Bounds of a float column; what is not finite breaks `finite_rule`, and infinities the bounds
/// too. NaN is in no order: it breaks no bound.
struct FloatRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  int min_rule = -1, max_rule = -1;
  int finite_rule = -1;  ///< -1: they are allowed
};
void scan_floats(const data::Column& column, const FloatRange& range, Findings& findings);

/// Lists of floats: of another length than declared, or with elements that are not finite, a null
/// of a file among them.
void scan_lists(const data::Column& column, int length_rule, int elements_rule, Findings& findings);

void scan_nulls(const data::Column& column, int rule, Findings& findings);

/// Times that are more than `most_us` after that of their row; a null in either passes.
void scan_ahead(const data::Column& column, std::int64_t most_us, const data::Column& times,
                int rule, Findings& findings);

/// Which rules a string breaks, and what it costs to say so.
struct StringVerdict {
  std::function<std::uint8_t(std::string_view)> broken;  ///< bit i stands for rules[i]
  /// The same of a text of which it is known that it is UTF-8.
  std::function<std::uint8_t(std::string_view)> broken_by_utf8;
  bool dear = false;  ///< takes longer than to look whether the string was judged lately
};
/// Asks for each dictionary entry once, or, of plain strings and a dear verdict, for most repeated
/// values once.
void scan_strings(const data::Column& column, const StringVerdict& verdict,
                  const std::vector<int>& rules, Findings& findings);

}  // namespace coeval::quality
