#pragma once

#include "data/value.h"
#include "define/expr.h"

namespace coeval::define {

bool is_temporal(data::Type type);
/// The type that arithmetic on a and b has.
data::Type number_type(data::Type a, data::Type b);
/// The one type that values of two types share without loss of meaning; null when there is none.
data::Type common_type(data::Type a, data::Type b);
/// As common_type, but arithmetic and comparison know int64 and float64 only.
data::Type widened(data::Type type);
/// timestamp ± duration, timestamp − timestamp, duration ± duration; null for all else.
data::Type temporal_result(Op op, data::Type a, data::Type b);

}  // namespace coeval::define
