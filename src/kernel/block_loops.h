#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "define/expr.h"

namespace coeval::kernel {

/// The innermost loops of expressions over whole arrays: one table for plain code and one for each
/// instruction set, and every table gives the same bits (evaluate_test.cc plays all of them). Only
/// loops that a bench showed to gain are here.
///
/// Shape: all arrays have `rows` values and may begin anywhere; `out` is none of the others, and is
/// filled. A boolean is a byte of 0 or 1. Nulls: the loops know none, values of null rows are
/// computed like others.
struct BlockLoops {
  const char* name;

  /// add, subtract, multiply, divide.
  void (*real_arithmetic)(define::Op op, const double* a, const double* b, double* out,
                          std::size_t rows);
  /// add, subtract, multiply. False when a result does not fit, or may not: then `out` holds
  /// nothing of use, and it has to be computed row by row.
  bool (*integer_arithmetic)(define::Op op, const std::int64_t* a, const std::int64_t* b,
                             std::int64_t* out, std::size_t rows);
  /// negate, fn_abs; the integers as above.
  void (*real_sign)(define::Op op, const double* a, double* out, std::size_t rows);
  bool (*integer_sign)(define::Op op, const std::int64_t* a, std::int64_t* out, std::size_t rows);
  /// equal … greater_equal.
  void (*compare_reals)(define::Op op, const double* a, const double* b, std::uint8_t* out,
                        std::size_t rows);
  void (*compare_integers)(define::Op op, const std::int64_t* a, const std::int64_t* b,
                           std::uint8_t* out, std::size_t rows);
  /// The smaller (or greater) by order_key(); of the reals canonical_value().
  void (*extreme_reals)(bool greatest, const double* a, const double* b, double* out,
                        std::size_t rows);
  void (*extreme_integers)(bool greatest, const std::int64_t* a, const std::int64_t* b,
                           std::int64_t* out, std::size_t rows);
  /// a where `choose` is 1, else b: of reals or integers, whose bits are copied.
  void (*select)(const std::uint8_t* choose, const void* a, const void* b, void* out,
                 std::size_t rows);
  /// fn_sqrt, fn_floor, fn_ceil, fn_trunc.
  void (*real_function)(define::Op op, const double* a, double* out, std::size_t rows);
  bool (*any_zero)(const double* a, std::size_t rows);
  /// canonical_value() of each.
  void (*canonical)(const double* a, double* out, std::size_t rows);

  void (*integers_to_reals)(const std::int64_t* a, double* out, std::size_t rows);
  void (*int32_to_integers)(const std::int32_t* a, std::int64_t* out, std::size_t rows);
  void (*int32_to_reals)(const std::int32_t* a, double* out, std::size_t rows);
  void (*float32_to_reals)(const float* a, double* out, std::size_t rows);
};

/// Plain code, and the oracle of the others.
const BlockLoops& plain_loops();
/// The quickest that this CPU can run.
const BlockLoops& quickest_loops();
/// All that this CPU can run, the plain ones first.
std::span<const BlockLoops* const> all_loops();

}  // namespace coeval::kernel
