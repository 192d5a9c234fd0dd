#pragma once

#include <span>

#include "define/expr.h"
#include "kernel/block_functions.h"

namespace coeval::kernel {

/// fn_year … fn_is_weekend, fn_date_trunc and fn_date_diff: of dates, and of timestamps by the
/// clocks of expr.zone. A moment or number that its type cannot hold is null, and counted as an
/// overflow.
/// (semantics: T8 V5)
Slice calendar_function(const define::Expr& expr, std::span<const Slice> args,
                        const BlockContext& block);

/// The date that the clocks of a zone show; null zone = UTC.
std::int64_t to_date(const TimeZone* zone, std::int64_t us);
/// The moment at which they show a date's midnight; false where int64 has none.
bool to_timestamp(const TimeZone* zone, std::int64_t days, std::int64_t& us);

}  // namespace coeval::kernel
