#pragma once

#include <vector>

#include "define/expr.h"

namespace coeval::define {

/// Types of expressions over decimals. An integer among them counts as decimal(18,0). Digits before
/// the point are enough for every value as long as 18 digits are; beyond that a value may not fit,
/// and is then null and counted. (semantics: V1 V5)

/// Whether arithmetic of two types is that of decimals: one is a decimal, neither a float.
bool is_of_decimals(data::Type a, data::Type b);
/// The decimal that values of two such types are brought to: the larger scale, and the digits
/// before the point of both.
data::Type common_decimal(data::Type a, data::Type b);
/// An operand of such arithmetic or comparison: a decimal or int64 as it is, null as `common`.
ExprPtr scaled_operand(ExprPtr operand, data::Type common);
/// The type of a + b, a − b (one digit more than both) or a · b (the digits of both together); null
/// where more than 18 would stand after the point.
data::Type decimal_result(Op op, data::Type a, data::Type b);
/// The type of a function that gives what it takes, of a decimal: `sign` gives int64; floor, ceil
/// and trunc give a scale of 0, round the scale that it keeps.
data::Type decimal_function_result(Op op, data::Type type, const std::vector<ExprPtr>& args);

}  // namespace coeval::define
