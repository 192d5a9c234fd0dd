#pragma once

#include <cstddef>
#include <cstdint>

#include "define/expr.h"

namespace coeval::kernel {

// Loops over bytes of 0 or 1 a row: conditions, and what is not null. They are plain code that the
// compiler makes vectors of, see CMakeLists.txt; `out` is none of the others.

/// 1 where both are, where a is and b is not, where a is not.
void both(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::size_t rows);
void first_only(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::size_t rows);
void inverse(const std::uint8_t* a, std::uint8_t* out, std::size_t rows);
/// a where `choose` is 1, else b. Null pointers stand for ones.
void chosen(const std::uint8_t* choose, const std::uint8_t* a, const std::uint8_t* b,
            std::uint8_t* out, std::size_t rows);
/// and, or in three-valued logic (semantics: V4): `valid` becomes 0 where the result is null. Null
/// pointers stand for ones; not both of them.
void three_valued(define::Op op, const std::uint8_t* a, const std::uint8_t* a_valid,
                  const std::uint8_t* b, const std::uint8_t* b_valid, std::uint8_t* out,
                  std::uint8_t* valid, std::size_t rows);
/// The same without nulls.
void two_valued(define::Op op, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out,
                std::size_t rows);
/// 1 where x is 0.
void zeros(const double* x, std::uint8_t* out, std::size_t rows);

}  // namespace coeval::kernel
