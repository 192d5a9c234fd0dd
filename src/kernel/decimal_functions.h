#pragma once

#include "kernel/block_functions.h"

namespace coeval::kernel {

/// Functions over decimals, which lie in the integer lane times 10^scale. The types of the node and
/// of its arguments say the scales; an integer has scale 0. Null in, null out. (semantics: V1 V5)

/// Whether the two arguments of a node are decimals, or a decimal and an integer.
bool reads_decimals(const define::Expr& expr);

/// add, subtract and multiply, exact; what has more digits than the node's type is null, and
/// counted. divide: the exact quotient rounded once to float64, null and counted where the divisor
/// is 0.
Slice decimal_arithmetic(const define::Expr& expr, const Slice& a, const Slice& b,
                         const BlockContext& block);
/// equal … greater_equal, by the exact values.
Slice decimal_compare(const define::Expr& expr, const Slice& a, const Slice& b,
                      const BlockContext& block);
/// Op::is_distinct.
Slice decimal_is_distinct(const define::Expr& expr, const Slice& a, const Slice& b,
                          const BlockContext& block);
/// sign, floor, ceil, trunc and round, half away from zero.
Slice decimal_function(const define::Expr& expr, const Slice& a, const BlockContext& block);
/// Op::cast from or to a decimal.
Slice decimal_cast(data::Type from, data::Type to, const Slice& a, const BlockContext& block);
/// Op::convert and Op::try_convert from a decimal to anything but text, or from a number, a boolean
/// or a decimal to one; `failures` counts what does not fit.
Slice decimal_convert(data::Type from, data::Type to, const Slice& a, std::int64_t& failures,
                      const BlockContext& block);

}  // namespace coeval::kernel
