#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "quality/checks.h"

namespace coeval::quality {

/// A declared rule that a row breaks, with the value that breaks it.
struct BrokenRule {
  std::string column, rule;  ///< "distance", "distance.max"; "", "checks.route"
  std::string reason;        ///< "distance must be at most 6000, found 70000"
  data::Json found;          ///< the value
};

/// A row that breaks rules.
struct BadRow {
  std::int64_t row = 0;
  std::vector<BrokenRule> broken;  ///< all of them, never none
};

/// The rows that break a rule, ascending, with what is wrong with each.
std::vector<BadRow> bad_rows(const RowChecks& rules, const data::Batch& rows);

/// Checks questions from outside of a model: each column of `columns`, which are among those of
/// `questions`, by the rules that a source declares for the column of its name and type. Of several
/// sources a value must keep the rules of one. Those of `sources` are asked, or, for a column that
/// none of them has, all. Errors: bad_row, naming the number of bad questions and the first rows
/// with what is wrong.
Status check_questions(const define::Project& project, std::span<const int> sources,
                       const data::Schema& columns, const data::Batch& questions);

}  // namespace coeval::quality
