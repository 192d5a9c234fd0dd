// The loops of block_loops.h for each instruction set that Highway knows. This file is compiled
// once for each: what lies between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, with its
// instructions.
//
// Each row is computed by one operation of IEEE or of whole numbers, so that the width of vectors
// cannot show in the bits; rows that do not fill a vector go through the same operations in plain
// code.

// SSSE3 alone has no loops: it emulates what 64-bit integers need, slower than plain code.
#define HWY_DISABLED_TARGETS HWY_SSSE3
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/block_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <iterator>
#include <type_traits>
#include <vector>

#include "kernel/block_loops.h"
#include "kernel/total_order.h"

HWY_BEFORE_NAMESPACE();
namespace coeval::kernel::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Vectors would only be played here.
const BlockLoops& loops() { return plain_loops(); }

#else

namespace hn = hwy::HWY_NAMESPACE;
using define::Op;

using Reals = hn::ScalableTag<double>;
using Integers = hn::ScalableTag<std::int64_t>;
using Bits = hn::ScalableTag<std::uint64_t>;
using Bytes = hn::ScalableTag<std::uint8_t>;

// The first row that is left to plain code.
template <class D>
std::size_t whole_vectors(D d, std::size_t rows) {
  return rows / hn::Lanes(d) * hn::Lanes(d);
}

// What an operation does to vectors and, for the rest, to single values.
struct Add {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Add(a, b);
  }
  HWY_INLINE double operator()(double a, double b) const { return a + b; }
};
struct Subtract {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Sub(a, b);
  }
  HWY_INLINE double operator()(double a, double b) const { return a - b; }
};
struct Multiply {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Mul(a, b);
  }
  HWY_INLINE double operator()(double a, double b) const { return a * b; }
};
struct Divide {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Div(a, b);
  }
  HWY_INLINE double operator()(double a, double b) const { return a / b; }
};

template <class Apply>
void two_reals(const double* a, const double* b, double* out, std::size_t rows, Apply apply) {
  const Reals d;
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d))
    hn::StoreU(apply(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  for (std::size_t i = whole; i < rows; ++i) out[i] = apply(a[i], b[i]);
}

void real_arithmetic(Op op, const double* a, const double* b, double* out, std::size_t rows) {
  switch (op) {
    case Op::add:
      return two_reals(a, b, out, rows, Add());
    case Op::subtract:
      return two_reals(a, b, out, rows, Subtract());
    case Op::multiply:
      return two_reals(a, b, out, rows, Multiply());
    default:
      return two_reals(a, b, out, rows, Divide());
  }
}

// An operation on whole vectors of integers that leaves in `lost` a negative lane, or one that is
// not 0, where the result may not fit.
struct SumOf {
  template <class V>
  HWY_INLINE V operator()(V a, V b, V& lost) const {
    const V sum = hn::Add(a, b);
    lost = hn::Or(lost, hn::And(hn::Xor(a, sum), hn::Xor(b, sum)));
    return sum;
  }
};
struct DifferenceOf {
  template <class V>
  HWY_INLINE V operator()(V a, V b, V& lost) const {
    const V difference = hn::Sub(a, b);
    lost = hn::Or(lost, hn::And(hn::Xor(a, b), hn::Xor(a, difference)));
    return difference;
  }
};
// Of factors of 32 bits the product is exact; others are left to plain code.
struct ProductOf {
  template <class V>
  HWY_INLINE V operator()(V a, V b, V& lost) const {
    const hn::DFromV<V> d;
    const hn::Repartition<std::int32_t, decltype(d)> halves;
    const V far_a = hn::Xor(hn::ShiftRight<31>(a), hn::ShiftRight<63>(a));
    const V far_b = hn::Xor(hn::ShiftRight<31>(b), hn::ShiftRight<63>(b));
    const V far = hn::Or(far_a, far_b);
    lost = hn::Or(lost, hn::Or(far, hn::Neg(far)));  // negative where far is not 0
    return hn::MulEven(hn::BitCast(halves, a), hn::BitCast(halves, b));
  }
};
struct NegativeOf {
  template <class V>
  HWY_INLINE V operator()(V a, V, V& lost) const {
    const V negative = hn::Neg(a);
    lost = hn::Or(lost, hn::And(a, negative));  // both are negative for the smallest only
    return negative;
  }
};
struct SizeOf {
  template <class V>
  HWY_INLINE V operator()(V a, V, V& lost) const {
    const V sign = hn::ShiftRight<63>(a);
    const V size = hn::Sub(hn::Xor(a, sign), sign);
    lost = hn::Or(lost, size);
    return size;
  }
};

template <class Apply>
bool two_integers(const std::int64_t* a, const std::int64_t* b, std::int64_t* out, std::size_t rows,
                  Apply apply) {
  const Integers d;
  auto lost = hn::Zero(d);
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d))
    hn::StoreU(apply(hn::LoadU(d, a + i), hn::LoadU(d, b + i), lost), d, out + i);
  return hn::AllFalse(d, hn::Lt(lost, hn::Zero(d)));
}

bool integer_arithmetic(Op op, const std::int64_t* a, const std::int64_t* b, std::int64_t* out,
                        std::size_t rows) {
  const std::size_t whole = whole_vectors(Integers(), rows);
  if (!plain_loops().integer_arithmetic(op, a + whole, b + whole, out + whole, rows - whole))
    return false;
  switch (op) {
    case Op::add:
      return two_integers(a, b, out, rows, SumOf());
    case Op::subtract:
      return two_integers(a, b, out, rows, DifferenceOf());
    default:
      return two_integers(a, b, out, rows, ProductOf());
  }
}

bool integer_sign(Op op, const std::int64_t* a, std::int64_t* out, std::size_t rows) {
  const std::size_t whole = whole_vectors(Integers(), rows);
  if (!plain_loops().integer_sign(op, a + whole, out + whole, rows - whole)) return false;
  return op == Op::fn_abs ? two_integers(a, a, out, rows, SizeOf())
                          : two_integers(a, a, out, rows, NegativeOf());
}

struct Absolute {
  template <class V>
  HWY_INLINE V operator()(V a) const {
    return hn::Abs(a);
  }
  HWY_INLINE double operator()(double a) const { return __builtin_fabs(a); }
};
struct Negative {
  template <class V>
  HWY_INLINE V operator()(V a) const {
    return hn::Neg(a);
  }
  HWY_INLINE double operator()(double a) const { return -a; }
};
struct Root {
  template <class V>
  HWY_INLINE V operator()(V a) const {
    return hn::Sqrt(a);
  }
};
struct Floor {
  template <class V>
  HWY_INLINE V operator()(V a) const {
    return hn::Floor(a);
  }
};
struct Ceil {
  template <class V>
  HWY_INLINE V operator()(V a) const {
    return hn::Ceil(a);
  }
};
struct Trunc {
  template <class V>
  HWY_INLINE V operator()(V a) const {
    return hn::Trunc(a);
  }
};
struct Canonical {
  template <class V>
  HWY_INLINE V operator()(V a) const {
    const hn::DFromV<V> d;
    const auto quiet = hn::BitCast(d, hn::Set(Bits(), 0x7FF8000000000000));
    return hn::IfThenElse(hn::Eq(a, a), a, quiet);
  }
};

// Only the whole vectors; says how many rows that were.
template <class Apply>
std::size_t one_real(const double* a, double* out, std::size_t rows, Apply apply) {
  const Reals d;
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d))
    hn::StoreU(apply(hn::LoadU(d, a + i)), d, out + i);
  return whole;
}

void real_sign(Op op, const double* a, double* out, std::size_t rows) {
  const std::size_t done =
      op == Op::fn_abs ? one_real(a, out, rows, Absolute()) : one_real(a, out, rows, Negative());
  plain_loops().real_sign(op, a + done, out + done, rows - done);
}

std::size_t real_function_vectors(Op op, const double* a, double* out, std::size_t rows) {
  switch (op) {
    case Op::fn_sqrt:
      return one_real(a, out, rows, Root());
    case Op::fn_floor:
      return one_real(a, out, rows, Floor());
    case Op::fn_ceil:
      return one_real(a, out, rows, Ceil());
    default:
      return one_real(a, out, rows, Trunc());
  }
}

void real_function(Op op, const double* a, double* out, std::size_t rows) {
  const std::size_t done = real_function_vectors(op, a, out, rows);
  plain_loops().real_function(op, a + done, out + done, rows - done);
}

void canonical(const double* a, double* out, std::size_t rows) {
  const std::size_t done = one_real(a, out, rows, Canonical());
  plain_loops().canonical(a + done, out + done, rows - done);
}

bool any_zero(const double* a, std::size_t rows) {
  const Reals d;
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d))
    if (!hn::AllFalse(d, hn::Eq(hn::LoadU(d, a + i), hn::Zero(d)))) return true;
  return plain_loops().any_zero(a + whole, rows - whole);
}

struct Equal {
  template <class V>
  HWY_INLINE auto operator()(V a, V b) const {
    return hn::Eq(a, b);
  }
};
// Highway's own Ne says no of a NaN.
struct NotEqual {
  template <class V>
  HWY_INLINE auto operator()(V a, V b) const {
    return hn::Not(hn::Eq(a, b));
  }
};
struct Less {
  template <class V>
  HWY_INLINE auto operator()(V a, V b) const {
    return hn::Lt(a, b);
  }
};
struct LessEqual {
  template <class V>
  HWY_INLINE auto operator()(V a, V b) const {
    if constexpr (std::is_same_v<hn::TFromV<V>, std::int64_t>)
      return hn::Not(hn::Lt(b, a));
    else
      return hn::Le(a, b);
  }
};

// 64 rows at a time: their answers as bits, then as bytes. Says how many rows that were.
template <class D, class T, class Holds>
std::size_t compared(D d, const T* a, const T* b, std::uint8_t* out, std::size_t rows,
                     Holds holds) {
  const Bytes bytes;
  const auto one = hn::Set(bytes, 1);
  const std::size_t whole = rows / 64 * 64;
  for (std::size_t i = 0; i < whole; i += 64) {
    std::uint64_t bits = 0;
    for (std::size_t j = 0; j < 64; j += hn::Lanes(d)) {
      std::uint8_t part[8] = {};
      hn::StoreMaskBits(d, holds(hn::LoadU(d, a + i + j), hn::LoadU(d, b + i + j)), part);
      bits |= std::uint64_t{part[0]} << j;
    }
    std::uint8_t packed[8];
    __builtin_memcpy(packed, &bits, 8);
    for (std::size_t j = 0; j < 64; j += hn::Lanes(bytes))
      hn::StoreU(hn::IfThenElseZero(hn::LoadMaskBits(bytes, packed + j / 8), one), bytes,
                 out + i + j);
  }
  return whole;
}

template <class D, class T>
std::size_t compare(D d, Op op, const T* a, const T* b, std::uint8_t* out, std::size_t rows) {
  switch (op) {
    case Op::equal:
      return compared(d, a, b, out, rows, Equal());
    case Op::not_equal:
      return compared(d, a, b, out, rows, NotEqual());
    case Op::less:
      return compared(d, a, b, out, rows, Less());
    case Op::less_equal:
      return compared(d, a, b, out, rows, LessEqual());
    case Op::greater:
      return compared(d, b, a, out, rows, Less());
    default:
      return compared(d, b, a, out, rows, LessEqual());
  }
}

void compare_reals(Op op, const double* a, const double* b, std::uint8_t* out, std::size_t rows) {
  const std::size_t done = compare(Reals(), op, a, b, out, rows);
  plain_loops().compare_reals(op, a + done, b + done, out + done, rows - done);
}

void compare_integers(Op op, const std::int64_t* a, const std::int64_t* b, std::uint8_t* out,
                      std::size_t rows) {
  const std::size_t done = compare(Integers(), op, a, b, out, rows);
  plain_loops().compare_integers(op, a + done, b + done, out + done, rows - done);
}

// order_key() of whole vectors.
HWY_INLINE hn::Vec<Integers> keys(hn::Vec<Reals> x) {
  const Integers d;
  const auto bits = hn::BitCast(d, x);
  const auto sign = hn::ShiftRight<63>(bits);
  // INT64_MIN - bits - 1 has the bits of a negative number inverted, but for the sign.
  const auto key = hn::Xor(bits, hn::And(sign, hn::Set(d, INT64_MAX)));
  return hn::IfThenElse(hn::RebindMask(d, hn::Eq(x, x)), key, hn::Set(d, INT64_MAX));
}

void extreme_reals(bool greatest, const double* a, const double* b, double* out, std::size_t rows) {
  const Reals d;
  const std::size_t whole = whole_vectors(d, rows);
  const Canonical canonical_value_of;
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d)) {
    const auto x = hn::LoadU(d, a + i), y = hn::LoadU(d, b + i);
    const auto second = greatest ? hn::Gt(keys(y), keys(x)) : hn::Lt(keys(y), keys(x));
    hn::StoreU(canonical_value_of(hn::IfThenElse(hn::RebindMask(d, second), y, x)), d, out + i);
  }
  plain_loops().extreme_reals(greatest, a + whole, b + whole, out + whole, rows - whole);
}

void extreme_integers(bool greatest, const std::int64_t* a, const std::int64_t* b,
                      std::int64_t* out, std::size_t rows) {
  const Integers d;
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d)) {
    const auto x = hn::LoadU(d, a + i), y = hn::LoadU(d, b + i);
    hn::StoreU(greatest ? hn::Max(x, y) : hn::Min(x, y), d, out + i);
  }
  plain_loops().extreme_integers(greatest, a + whole, b + whole, out + whole, rows - whole);
}

void select(const std::uint8_t* choose, const void* a, const void* b, void* out, std::size_t rows) {
  const Bits d;
  const hn::Rebind<std::uint8_t, Bits> bytes;
  const hn::Rebind<std::uint32_t, Bits> words;
  const auto* x = static_cast<const std::uint64_t*>(a);
  const auto* y = static_cast<const std::uint64_t*>(b);
  auto* to = static_cast<std::uint64_t*>(out);
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d)) {
    const auto taken = hn::PromoteTo(d, hn::PromoteTo(words, hn::LoadU(bytes, choose + i)));
    const auto first = hn::Ne(taken, hn::Zero(d));
    hn::StoreU(hn::IfThenElse(first, hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, to + i);
  }
  plain_loops().select(choose + whole, x + whole, y + whole, to + whole, rows - whole);
}

void integers_to_reals(const std::int64_t* a, double* out, std::size_t rows) {
  const Reals d;
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d))
    hn::StoreU(hn::ConvertTo(d, hn::LoadU(Integers(), a + i)), d, out + i);
  plain_loops().integers_to_reals(a + whole, out + whole, rows - whole);
}

// Says how many rows fill whole vectors.
template <class D, class From>
std::size_t promoted(D d, const From* a, hn::TFromD<D>* out, std::size_t rows) {
  const hn::Rebind<From, D> narrow;
  const std::size_t whole = whole_vectors(d, rows);
  for (std::size_t i = 0; i < whole; i += hn::Lanes(d))
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(narrow, a + i)), d, out + i);
  return whole;
}

void int32_to_integers(const std::int32_t* a, std::int64_t* out, std::size_t rows) {
  const std::size_t done = promoted(Integers(), a, out, rows);
  plain_loops().int32_to_integers(a + done, out + done, rows - done);
}

void int32_to_reals(const std::int32_t* a, double* out, std::size_t rows) {
  const std::size_t done = promoted(Reals(), a, out, rows);
  plain_loops().int32_to_reals(a + done, out + done, rows - done);
}

void float32_to_reals(const float* a, double* out, std::size_t rows) {
  const std::size_t done = promoted(Reals(), a, out, rows);
  plain_loops().float32_to_reals(a + done, out + done, rows - done);
}

const BlockLoops& loops() {
  static const BlockLoops kLoops = {hwy::TargetName(HWY_TARGET),
                                    real_arithmetic,
                                    integer_arithmetic,
                                    real_sign,
                                    integer_sign,
                                    compare_reals,
                                    compare_integers,
                                    extreme_reals,
                                    extreme_integers,
                                    select,
                                    real_function,
                                    any_zero,
                                    canonical,
                                    integers_to_reals,
                                    int32_to_integers,
                                    int32_to_reals,
                                    float32_to_reals};
  return kLoops;
}

#endif

}  // namespace coeval::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coeval::kernel {

HWY_EXPORT(loops);

namespace {

// The plain ones, then Highway's targets from the best on.
std::vector<const BlockLoops*> known_loops() {
  std::vector<const BlockLoops*> known = {&plain_loops()};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t index = std::size(HWY_DISPATCH_TABLE(loops)) == 1 ? 0 : chosen.GetIndex();
    const BlockLoops& vectors = HWY_DISPATCH_TABLE(loops)[index]();
    if (&vectors != &plain_loops()) known.push_back(&vectors);
  }
  return known;
}

}  // namespace

std::span<const BlockLoops* const> all_loops() {
  static const std::vector<const BlockLoops*> kLoops = known_loops();
  return kLoops;
}

const BlockLoops& quickest_loops() {
  static const BlockLoops& kQuickest = *all_loops()[all_loops().size() > 1 ? 1 : 0];
  return kQuickest;
}

}  // namespace coeval::kernel
#endif
