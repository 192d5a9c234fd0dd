#include "kernel/block_bytes.h"

namespace coeval::kernel {

namespace {

using define::Op;
using Byte = std::uint8_t;

template <class Apply>
void each(Byte* __restrict out, std::size_t rows, Apply apply) {
  for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<Byte>(apply(i));
}

// `kAnd`: of and, else of or.
template <bool kAnd, class AValid, class BValid>
void three_valued(const Byte* a, AValid a_valid, const Byte* b, BValid b_valid, Byte* out,
                  Byte* valid, std::size_t rows) {
  // What decides alone, whatever the other side is: false for and, true for or.
  const auto decided = [=](std::size_t i) {
    const int x = kAnd ? a[i] ^ 1 : a[i];
    const int y = kAnd ? b[i] ^ 1 : b[i];
    return (a_valid(i) & x) | (b_valid(i) & y);
  };
  each(out, rows, [=](std::size_t i) { return kAnd ? decided(i) ^ 1 : decided(i); });
  each(valid, rows, [=](std::size_t i) { return decided(i) | (a_valid(i) & b_valid(i)); });
}

template <bool kAnd>
void three_valued(const Byte* a, const Byte* a_valid, const Byte* b, const Byte* b_valid, Byte* out,
                  Byte* valid, std::size_t rows) {
  const auto ones = [](std::size_t) { return 1; };
  const auto of_a = [a_valid](std::size_t i) { return int{a_valid[i]}; };
  const auto of_b = [b_valid](std::size_t i) { return int{b_valid[i]}; };
  if (a_valid == nullptr) return three_valued<kAnd>(a, ones, b, of_b, out, valid, rows);
  if (b_valid == nullptr) return three_valued<kAnd>(a, of_a, b, ones, out, valid, rows);
  three_valued<kAnd>(a, of_a, b, of_b, out, valid, rows);
}

}  // namespace

void both(const Byte* a, const Byte* b, Byte* out, std::size_t rows) {
  each(out, rows, [=](std::size_t i) { return a[i] & b[i]; });
}

void first_only(const Byte* a, const Byte* b, Byte* out, std::size_t rows) {
  each(out, rows, [=](std::size_t i) { return a[i] & (b[i] ^ 1); });
}

void inverse(const Byte* a, Byte* out, std::size_t rows) {
  each(out, rows, [=](std::size_t i) { return a[i] ^ 1; });
}

void chosen(const Byte* choose, const Byte* a, const Byte* b, Byte* out, std::size_t rows) {
  if (a == nullptr) return each(out, rows, [=](std::size_t i) { return choose[i] | b[i]; });
  if (b == nullptr) return each(out, rows, [=](std::size_t i) { return (choose[i] ^ 1) | a[i]; });
  each(out, rows, [=](std::size_t i) { return (choose[i] & a[i]) | ((choose[i] ^ 1) & b[i]); });
}

void three_valued(Op op, const Byte* a, const Byte* a_valid, const Byte* b, const Byte* b_valid,
                  Byte* out, Byte* valid, std::size_t rows) {
  if (op == Op::logical_and)
    three_valued<true>(a, a_valid, b, b_valid, out, valid, rows);
  else
    three_valued<false>(a, a_valid, b, b_valid, out, valid, rows);
}

void two_valued(Op op, const Byte* a, const Byte* b, Byte* out, std::size_t rows) {
  if (op == Op::logical_and) return both(a, b, out, rows);
  each(out, rows, [=](std::size_t i) { return a[i] | b[i]; });
}

void zeros(const double* x, Byte* out, std::size_t rows) {
  each(out, rows, [=](std::size_t i) { return x[i] == 0; });
}

}  // namespace coeval::kernel
