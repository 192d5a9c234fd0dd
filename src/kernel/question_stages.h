#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "kernel/evaluate.h"
#include "kernel/kernel.h"

namespace coeval::kernel {

/// Asks the views given with the questions' columns, keys of this stage included, and puts each
/// feature of theirs that RowSchema::view_features names into its place among `columns`.
using AskViews = std::function<Status(std::span<const int> views, const data::Batch& questions,
                                      std::vector<data::Column>& columns)>;

/// Answers the views of a row stage by stage: before each stage the keys that it needs are computed
/// from the questions' columns and the answers so far, and become columns of the questions. Gives
/// the columns of RowSchema::view_features. Errors: those of `ask`, missing_value, type_mismatch.
Result<std::vector<data::Column>> answer_stages(const define::RowSchema& row, data::Batch questions,
                                                std::span<const std::int64_t> at_us,
                                                EvaluationCounts& counts, const AskViews& ask);

/// The same from the present state of a kernel, a question after the other.
Result<std::vector<data::Column>> ask_row(Kernel& kernel, const define::RowSchema& row,
                                          const data::Batch& questions,
                                          std::span<const std::int64_t> at_us,
                                          EvaluationCounts& counts);

/// The views of one stage, ascending.
std::vector<int> views_of_stage(const define::RowSchema& row, int stage);

/// Adds the keys of one stage to the questions' columns. `columns` are the answers so far, by
/// RowSchema::view_features; those of later stages may be empty.
Status add_keys(const define::RowSchema& row, int stage, std::span<const data::Column> columns,
                std::span<const std::int64_t> at_us, EvaluationCounts& counts,
                data::Batch& questions);

/// Which questions must not be answered, by rows of an assembled row: for each the index of the
/// first of RowSchema::stale_rules that it breaks, or -1. Empty when the row has no rules.
/// (semantics: D5)
std::vector<int> stale_questions(const define::RowSchema& row, const data::Batch& assembled);

/// "origin.late_3h is stale: its newest event is 8d old, older than max_age = 7d", for a row that
/// breaks the rule.
std::string describe_stale(const define::StaleRule& rule, const data::Batch& assembled,
                           std::int64_t row);

}  // namespace coeval::kernel
