#include "kernel/cast_functions.h"

#include "base/check.h"
#include "define/conversion.h"
#include "kernel/block_rows.h"
#include "kernel/decimal_functions.h"
#include "kernel/text_functions.h"
#include "kernel/time_functions.h"

namespace coeval::kernel {

namespace {

using data::Type;
using define::Expr;

template <class T, class Make>
Slice cast_rows(const Slice& a, std::int64_t& failures, const BlockContext& block, Make make) {
  return made_rows<T>(a.valid, failures, block, make);
}

Slice from_text(Type to, const Slice& a, std::int64_t& failures, const BlockContext& block) {
  const auto* text = a.strings;
  switch (to) {
    case Type::boolean:
      return cast_rows<std::uint8_t>(a, failures, block, [&](std::size_t i, std::uint8_t& out) {
        bool flag = false;
        const bool good = define::text_to_boolean(text[i], flag);
        out = flag ? 1 : 0;
        return good;
      });
    case Type::float32:
      return cast_rows<double>(a, failures, block, [&](std::size_t i, double& out) {
        return define::text_to_float32(text[i], out);
      });
    case Type::float64:
      return cast_rows<double>(a, failures, block, [&](std::size_t i, double& out) {
        return define::text_to_real(text[i], out);
      });
    case Type::timestamp:
      return cast_rows<std::int64_t>(a, failures, block, [&](std::size_t i, std::int64_t& out) {
        return define::text_to_timestamp(text[i], out);
      });
    case Type::date:
      return cast_rows<std::int64_t>(a, failures, block, [&](std::size_t i, std::int64_t& out) {
        return define::text_to_date(text[i], out);
      });
    default:
      if (data::is_decimal(to))
        return cast_rows<std::int64_t>(a, failures, block, [&](std::size_t i, std::int64_t& out) {
          return define::text_to_decimal(text[i], to, out);
        });
      return cast_rows<std::int64_t>(a, failures, block, [&](std::size_t i, std::int64_t& out) {
        return define::text_to_integer(text[i], out) &&
               (to == Type::int64 || define::fits_int32(out));
      });
  }
}

Slice to_text(Type from, const Slice& a, std::int64_t& failures, const BlockContext& block) {
  define::ValueText text;
  return cast_rows<std::string_view>(a, failures, block, [&](std::size_t i, std::string_view& out) {
    switch (lane_of(from)) {
      case Lane::boolean:
        return keep_text(text.of_boolean(a.booleans[i] != 0), block, out);
      case Lane::integer:
        return keep_text(text.of_integer(a.integers[i], from), block, out);
      default:
        return keep_text(text.of_real(a.reals[i], from), block, out);
    }
  });
}

// A boolean counts as 0 or 1.
Slice as_integers(const Slice& a, const BlockContext& block) {
  return cast(Type::boolean, Type::int64, a, block);
}

Slice from_integer(Type to, const Slice& a, std::int64_t& failures, const BlockContext& block) {
  switch (to) {
    case Type::boolean:
      return sure_rows<std::uint8_t>(a.valid, block,
                                     [&](std::size_t i) { return a.integers[i] != 0 ? 1 : 0; });
    case Type::float32:
      return sure_rows<double>(a.valid, block,
                               [&](std::size_t i) { return static_cast<float>(a.integers[i]); });
    default:
      COEVAL_CHECK(to == Type::int32);
      return cast_rows<std::int64_t>(a, failures, block, [&](std::size_t i, std::int64_t& out) {
        out = a.integers[i];
        return define::fits_int32(out);
      });
  }
}

Slice from_real(Type to, const Slice& a, std::int64_t& failures, const BlockContext& block) {
  switch (to) {
    case Type::boolean:
      return sure_rows<std::uint8_t>(a.valid, block,
                                     [&](std::size_t i) { return a.reals[i] != 0 ? 1 : 0; });
    case Type::float32:
      return sure_rows<double>(a.valid, block,
                               [&](std::size_t i) { return define::to_float32(a.reals[i]); });
    default:
      return cast_rows<std::int64_t>(a, failures, block, [&](std::size_t i, std::int64_t& out) {
        return define::real_to_integer(a.reals[i], out) &&
               (to == Type::int64 || define::fits_int32(out));
      });
  }
}

Slice between_times(const Expr& expr, const Slice& a, std::int64_t& failures,
                    const BlockContext& block) {
  if (expr.type == Type::date)
    return sure_rows<std::int64_t>(
        a.valid, block, [&](std::size_t i) { return to_date(expr.zone, a.integers[i]); });
  return cast_rows<std::int64_t>(a, failures, block, [&](std::size_t i, std::int64_t& out) {
    return to_timestamp(expr.zone, a.integers[i], out);
  });
}

}  // namespace

Slice convert(const Expr& expr, const Slice& a, const BlockContext& block) {
  std::int64_t expected = 0;  // failures of try_cast
  std::int64_t& failures = expr.op == define::Op::convert ? block.counts.failed_casts : expected;
  const Type from = expr.args[0]->type, to = expr.type;
  if (from == Type::string) return from_text(to, a, failures, block);
  if (to == Type::string) return to_text(from, a, failures, block);
  if (data::is_decimal(from) || data::is_decimal(to))
    return decimal_convert(from, to, a, failures, block);
  if (from == Type::timestamp || from == Type::date) return between_times(expr, a, failures, block);
  if (from == Type::boolean) return from_integer(to, as_integers(a, block), failures, block);
  if (data::is_float(from)) return from_real(to, a, failures, block);
  return from_integer(to, a, failures, block);
}

}  // namespace coeval::kernel
