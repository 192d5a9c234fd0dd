#include "define/arithmetic_types.h"

#include "define/decimal_types.h"

namespace coeval::define {

using data::Type;

bool is_temporal(Type type) {
  return type == Type::timestamp || type == Type::date || type == Type::duration;
}

Type number_type(Type a, Type b) {
  if (is_of_decimals(a, b)) return common_decimal(a, b);
  return data::is_float(a) || data::is_float(b) ? Type::float64 : Type::int64;
}

Type common_type(Type a, Type b) {
  if (a == b || b == Type::null) return a;
  if (a == Type::null) return b;
  return data::is_number(a) && data::is_number(b) ? number_type(a, b) : Type::null;
}

Type widened(Type type) { return data::is_number(type) ? number_type(type, type) : type; }

Type temporal_result(Op op, Type a, Type b) {
  if (op != Op::add && op != Op::subtract) return Type::null;
  if (b == Type::duration && (a == Type::timestamp || a == Type::duration)) return a;
  const bool two_times = op == Op::subtract && a == Type::timestamp && b == Type::timestamp;
  return two_times ? Type::duration : Type::null;
}

}  // namespace coeval::define
