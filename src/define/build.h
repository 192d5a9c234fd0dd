#pragma once

#include <string>
#include <vector>

#include "define/expr.h"

namespace coeval::define {

/// Makers of typed nodes. They keep `depth` and `nodes` right and check no types.
ExprPtr make_literal(data::Type type, data::Value value);
ExprPtr make_column(int column, std::string name, data::Type type);
ExprPtr make_question_time();
ExprPtr make_node(Op op, data::Type type, std::vector<ExprPtr> args);

/// The expression as another type, by a `cast` node, or at once where it is a literal: int32, int64
/// → float64; int32, boolean → int64; float32 → float64; null → anything; decimals to what holds
/// them. Equal types change nothing. What a decimal may not hold becomes a `convert` node.
ExprPtr cast_to(data::Type type, ExprPtr expr);

/// The expression with column i replaced by column `places[i]`.
ExprPtr renumber(const ExprPtr& expr, const std::vector<int>& places);

}  // namespace coeval::define
