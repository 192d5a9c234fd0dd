#include "kernel/block_loops.h"

#include <cstring>
#include <functional>

#include "kernel/maths_functions.h"
#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

using define::Op;

template <class A, class Out, class Apply>
void each(const A* a, Out* out, std::size_t rows, Apply apply) {
  for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<Out>(apply(a[i]));
}

template <class A, class Out, class Apply>
void each(const A* a, const A* b, Out* out, std::size_t rows, Apply apply) {
  for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<Out>(apply(a[i], b[i]));
}

void real_arithmetic(Op op, const double* a, const double* b, double* out, std::size_t rows) {
  switch (op) {
    case Op::add:
      return each(a, b, out, rows, std::plus<double>());
    case Op::subtract:
      return each(a, b, out, rows, std::minus<double>());
    case Op::multiply:
      return each(a, b, out, rows, std::multiplies<double>());
    default:
      return each(a, b, out, rows, std::divides<double>());
  }
}

// `apply(i, result)` says whether the result did not fit.
template <class Apply>
bool all_fit(std::int64_t* out, std::size_t rows, Apply apply) {
  bool any = false;
  for (std::size_t i = 0; i < rows; ++i) any |= apply(i, out[i]);
  return !any;
}

bool integer_arithmetic(Op op, const std::int64_t* a, const std::int64_t* b, std::int64_t* out,
                        std::size_t rows) {
  switch (op) {
    case Op::add:
      return all_fit(out, rows, [=](std::size_t i, std::int64_t& result) {
        return __builtin_add_overflow(a[i], b[i], &result);
      });
    case Op::subtract:
      return all_fit(out, rows, [=](std::size_t i, std::int64_t& result) {
        return __builtin_sub_overflow(a[i], b[i], &result);
      });
    default:
      return all_fit(out, rows, [=](std::size_t i, std::int64_t& result) {
        return __builtin_mul_overflow(a[i], b[i], &result);
      });
  }
}

void real_sign(Op op, const double* a, double* out, std::size_t rows) {
  if (op == Op::fn_abs) return each(a, out, rows, [](double x) { return __builtin_fabs(x); });
  each(a, out, rows, std::negate<double>());
}

bool integer_sign(Op op, const std::int64_t* a, std::int64_t* out, std::size_t rows) {
  const bool absolute = op == Op::fn_abs;
  return all_fit(out, rows, [=](std::size_t i, std::int64_t& result) {
    result = a[i];
    return (!absolute || a[i] < 0) && __builtin_sub_overflow(std::int64_t{0}, a[i], &result);
  });
}

template <class T>
void compare(Op op, const T* a, const T* b, std::uint8_t* out, std::size_t rows) {
  switch (op) {
    case Op::equal:
      return each(a, b, out, rows, std::equal_to<T>());
    case Op::not_equal:
      return each(a, b, out, rows, std::not_equal_to<T>());
    case Op::less:
      return each(a, b, out, rows, std::less<T>());
    case Op::less_equal:
      return each(a, b, out, rows, std::less_equal<T>());
    case Op::greater:
      return each(a, b, out, rows, std::greater<T>());
    default:
      return each(a, b, out, rows, std::greater_equal<T>());
  }
}

template <class T>
void extreme(bool greatest, const T* a, const T* b, T* out, std::size_t rows) {
  each(a, b, out, rows, [greatest](T x, T y) {
    const bool second = greatest ? order_key(y) > order_key(x) : order_key(y) < order_key(x);
    return canonical_value(second ? y : x);
  });
}

void select(const std::uint8_t* choose, const void* a, const void* b, void* out, std::size_t rows) {
  const auto* x = static_cast<const std::byte*>(a);
  const auto* y = static_cast<const std::byte*>(b);
  auto* to = static_cast<std::byte*>(out);
  for (std::size_t i = 0; i < rows; ++i)
    std::memcpy(to + 8 * i, (choose[i] != 0 ? x : y) + 8 * i, 8);
}

void real_function(Op op, const double* a, double* out, std::size_t rows) {
  switch (op) {
    case Op::fn_sqrt:
      return each(a, out, rows, [](double x) { return __builtin_sqrt(x); });
    case Op::fn_floor:
      return each(a, out, rows, floor_of);
    case Op::fn_ceil:
      return each(a, out, rows, ceil_of);
    default:
      return each(a, out, rows, whole_part);
  }
}

bool any_zero(const double* a, std::size_t rows) {
  bool any = false;
  for (std::size_t i = 0; i < rows; ++i) any |= a[i] == 0;
  return any;
}

void canonical(const double* a, double* out, std::size_t rows) {
  each(a, out, rows, [](double x) { return canonical_value(x); });
}

template <class From, class To>
void widen(const From* a, To* out, std::size_t rows) {
  each(a, out, rows, [](From x) { return static_cast<To>(x); });
}

constexpr BlockLoops kPlain = {"plain",
                               real_arithmetic,
                               integer_arithmetic,
                               real_sign,
                               integer_sign,
                               compare<double>,
                               compare<std::int64_t>,
                               extreme<double>,
                               extreme<std::int64_t>,
                               select,
                               real_function,
                               any_zero,
                               canonical,
                               widen<std::int64_t, double>,
                               widen<std::int32_t, std::int64_t>,
                               widen<std::int32_t, double>,
                               widen<float, double>};

}  // namespace

const BlockLoops& plain_loops() { return kPlain; }

}  // namespace coeval::kernel
