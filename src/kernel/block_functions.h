#pragma once

#include <cstdint>
#include <span>

#include "define/expr.h"
#include "kernel/block_loops.h"
#include "kernel/block_values.h"
#include "kernel/evaluate.h"

namespace coeval::kernel {

/// What a function over a block needs besides its arguments.
struct BlockContext {
  Arena& arena;
  EvaluationCounts& counts;
  std::size_t rows;
  /// A byte of 0 or 1 a row: whether the row's result is used (a branch of `if` that is not taken
  /// is not counted when it overflows). Null = all.
  const std::uint8_t* used;
  const BlockLoops& loops;
};

/// Arithmetic, comparison and functions over one block; `arg_type` is the type of the first
/// argument. Null in, null out, except for logical_and and logical_or, which are three-valued.
/// (semantics: V4 V5)
Slice arithmetic(const define::Expr& expr, data::Type arg_type, const Slice& a, const Slice& b,
                 const BlockContext& block);
Slice compare(define::Op op, Lane lane, const Slice& a, const Slice& b, const BlockContext& block);
Slice logical(define::Op op, const Slice& a, const Slice& b, const BlockContext& block);
Slice logical_not(const Slice& a, const BlockContext& block);
Slice is_null(const Slice& a, bool wanted, const BlockContext& block);
/// negate and abs.
Slice sign_change(define::Op op, Lane lane, const Slice& a, const BlockContext& block);
/// fn_least (or greatest) of two; NaN is the greatest value, −0 lies before +0, as for min and max.
Slice extreme(bool greatest, Lane lane, const Slice& a, const Slice& b, const BlockContext& block);
/// A cast that cannot fail, see define::Op::cast.
Slice cast(data::Type from, data::Type to, const Slice& a, const BlockContext& block);
/// a, or the bound that it is beyond.
Slice clamp(Lane lane, const Slice& a, const Slice& low, const Slice& high,
            const BlockContext& block);
/// a, null where it equals b.
Slice null_if(Lane lane, const Slice& a, const Slice& b, const BlockContext& block);
/// Whether a and b differ, null being equal to null and NaN to NaN.
Slice is_distinct(Lane lane, const Slice& a, const Slice& b, const BlockContext& block);
/// fn_minutes …: a number of units to µs, rounded half to even.
Slice to_duration(std::int64_t unit_us, Lane lane, const Slice& a, const BlockContext& block);
/// a where `choose` is 1, else b.
Slice select(const std::uint8_t* choose, Lane lane, const Slice& a, const Slice& b,
             const BlockContext& block);

}  // namespace coeval::kernel
