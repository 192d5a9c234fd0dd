// The loops of number_loops.h for each instruction set that Highway knows. This file is compiled
// once for each: what lies between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, with its
// instructions.

// Two lanes of 64 bits gain little; SSE2 stands for them.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quality/number_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "quality/number_loops.h"

HWY_BEFORE_NAMESPACE();
namespace coeval::quality::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Reals = hn::ScalableTag<double>;
using Integers = hn::ScalableTag<std::int64_t>;
using Bits = hn::ScalableTag<std::uint64_t>;

HWY_INLINE hn::Vec<Integers> mask_bits(hn::Mask<Reals> mask) {  // −1 where it holds
  return hn::BitCast(Integers(), hn::VecFromMask(Reals(), mask));
}

template <class D, class Lane, class Fold>
HWY_INLINE Lane folded(D d, hn::Vec<D> vector, Lane from, Fold fold) {
  HWY_ALIGN Lane lanes[HWY_MAX_BYTES / sizeof(Lane)];
  hn::Store(vector, d, lanes);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) from = fold(from, lanes[i]);
  return from;
}
template <class D>
HWY_INLINE auto total(D d, hn::Vec<D> vector) {
  using Lane = hn::TFromD<D>;
  return folded(d, vector, Lane{0}, [](Lane a, Lane b) { return a + b; });
}

bool make_keys(const double* values, std::size_t size, std::int64_t* keys) {
  constexpr double kMost = std::numeric_limits<double>::max();
  const Reals d;
  const auto zero = hn::Zero(d), most = hn::Set(d, kMost);
  auto finite = zero == zero;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto v = hn::LoadU(d, values + i) + zero;  // −0 becomes 0
    finite = hn::And(finite, hn::Abs(v) <= most);
    hn::StoreU(hn::BitCast(Integers(), v), Integers(), keys + i);
  }
  bool all = hn::AllTrue(d, finite);
  for (; i < size; ++i) {
    const double v = values[i] + 0.0;
    all &= std::abs(v) <= kMost;
    keys[i] = std::bit_cast<std::int64_t>(v);
  }
  return all;
}

RealFacts facts(const std::int64_t* keys, std::size_t size) {
  const Reals d;
  const Integers di;
  const auto zero = hn::Zero(d);
  auto least = hn::Set(d, std::bit_cast<double>(keys[0])), greatest = least;
  auto zeros = hn::Zero(di), negatives = zeros;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto v = hn::BitCast(d, hn::LoadU(di, keys + i));
    least = hn::Min(v, least);
    greatest = hn::Max(v, greatest);
    zeros = zeros - mask_bits(v == zero);
    negatives = negatives - mask_bits(v < zero);
  }
  RealFacts found;
  found.least = folded(d, least, std::bit_cast<double>(keys[0]),
                       [](double a, double b) { return std::min(a, b); });
  found.greatest = folded(d, greatest, std::bit_cast<double>(keys[0]),
                          [](double a, double b) { return std::max(a, b); });
  found.zeros = total(di, zeros);
  found.negatives = total(di, negatives);
  for (; i < size; ++i) {
    const auto v = std::bit_cast<double>(keys[i]);
    found.least = std::min(found.least, v);
    found.greatest = std::max(found.greatest, v);
    found.zeros += v == 0 ? 1 : 0;
    found.negatives += v < 0 ? 1 : 0;
  }
  return found;
}

// What is lost where the product is subnormal is found by comparing with the value itself.
void even_places(const std::int64_t* keys, std::size_t size, double scale, double unit,
                 double first, std::int32_t* places) {
  const Reals d;
  const hn::Rebind<std::int32_t, Reals> narrow;
  const auto scales = hn::Set(d, scale), units = hn::Set(d, unit), firsts = hn::Set(d, first),
             one = hn::Set(d, 1.0);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto v = hn::BitCast(d, hn::LoadU(Integers(), keys + i));
    const auto towards_zero = hn::Trunc(v * scales);
    const auto below = hn::IfThenElseZero(v < towards_zero * units, one);
    hn::StoreU(hn::DemoteTo(narrow, towards_zero - below - firsts), narrow, places + i);
  }
  for (; i < size; ++i) {
    const auto v = std::bit_cast<double>(keys[i]);
    const double towards_zero = std::trunc(v * scale);
    places[i] = static_cast<std::int32_t>(towards_zero - (v < towards_zero * unit ? 1 : 0) - first);
  }
}

// Highway numbers its targets from the best on; what comes behind AVX2 has no shifts of each lane.
#if HWY_TARGET <= HWY_AVX2

// The lower halves of the lanes, multiplied.
HWY_INLINE hn::Vec<Bits> product(hn::Vec<Bits> a, hn::Vec<Bits> b) {
  const hn::Repartition<std::uint32_t, Bits> halves;
  return hn::MulEven(hn::BitCast(halves, a), hn::BitCast(halves, b));
}
HWY_INLINE hn::Vec<Integers> with_sign(hn::Vec<Bits> limb, hn::Vec<Integers> sign) {
  return hn::Xor(hn::BitCast(Integers(), limb), sign) - sign;
}

// A lane adds up at most a quarter of 1,024 products below 2^53.
bool add_limbs(const std::int64_t* keys, std::size_t size, int base, LimbSums& sums) {
  constexpr int kFractionBits = 52;
  constexpr std::uint64_t kLeading = std::uint64_t{1} << kFractionBits;
  const Bits d;
  const Integers di;
  const auto fraction = hn::Set(d, kLeading - 1), leading = hn::Set(d, kLeading),
             fields = hn::Set(d, std::uint64_t{0x7FF}),
             limb = hn::Set(d, (std::uint64_t{1} << LimbSums::kBits) - 1),
             bases = hn::Set(d, static_cast<std::uint64_t>(base)),
             range = hn::Set(d, std::uint64_t{LimbSums::kRange}),
             high_shift = hn::Set(d, std::uint64_t{2 * LimbSums::kBits});
  auto low = hn::Zero(di), high = low;
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, outside = s0;
  HWY_ALIGN std::int64_t rest[HWY_MAX_BYTES / sizeof(std::int64_t)] = {};
  const std::size_t lanes = hn::Lanes(d), whole = size / lanes * lanes;
  std::copy(keys + whole, keys + size, rest);  // and zeros, which add nothing
  for (std::size_t i = 0; i < size; i += lanes) {
    const auto key = hn::LoadU(di, i < whole ? keys + i : rest);
    const auto bits = hn::BitCast(d, key);
    const auto zero = hn::VecFromMask(d, bits == hn::Zero(d));
    const auto shift =
        hn::AndNot(zero, hn::And(hn::ShiftRight<kFractionBits>(bits), fields) - bases);
    // The first bit says so of what is below 0; a zero has its shift of 0.
    outside = hn::Or(outside, hn::Or(shift, range - shift));
    const auto significand = hn::Or(hn::And(bits, fraction), hn::AndNot(zero, leading));
    const auto lower = hn::And(significand << shift, fraction);
    const auto l0 = hn::And(lower, limb), l1 = hn::ShiftRight<LimbSums::kBits>(lower);
    const auto l2 = significand >> (high_shift - shift);
    const auto sign = hn::BroadcastSignBit(key);
    low = low + with_sign(lower, sign);
    high = high + with_sign(l2, sign);
    s0 = s0 + product(l0, l0);
    s1 = s1 + product(l0, l1);
    s2 = s2 + (product(l1, l1) + product(l0 + l0, l2));
    s3 = s3 + product(l1, l2);
    s4 = s4 + product(l2, l2);
  }
  const auto either = [](std::uint64_t a, std::uint64_t b) { return a | b; };
  if (folded(d, outside, std::uint64_t{0}, either) >> 63 != 0) return false;
  sums.low += total(di, low);
  sums.high += total(di, high);
  const std::uint64_t squares[] = {total(d, s0), total(d, s1), total(d, s2), total(d, s3),
                                   total(d, s4)};
  for (std::size_t i = 0; i < sums.squares.size(); ++i) sums.squares[i] += squares[i];
  return true;
}

#else
constexpr bool (*add_limbs)(const std::int64_t*, std::size_t, int, LimbSums&) = nullptr;
#endif

const NumberLoops& loops() {
  static const NumberLoops kLoops = {hwy::TargetName(HWY_TARGET), make_keys, facts, even_places,
                                     add_limbs};
  return kLoops;
}

}  // namespace coeval::quality::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coeval::quality {

HWY_EXPORT(loops);

namespace {

bool make_keys_plain(const double* values, std::size_t size, std::int64_t* keys) {
  bool all = true;
  for (std::size_t i = 0; i < size; ++i) {
    all &= std::isfinite(values[i]);
    keys[i] = std::bit_cast<std::int64_t>(values[i] + 0.0);
  }
  return all;
}

RealFacts facts_plain(const std::int64_t* keys, std::size_t size) {
  RealFacts found{std::bit_cast<double>(keys[0]), std::bit_cast<double>(keys[0])};
  for (std::size_t i = 0; i < size; ++i) {
    const auto v = std::bit_cast<double>(keys[i]);
    found.least = std::min(found.least, v);
    found.greatest = std::max(found.greatest, v);
    found.zeros += v == 0 ? 1 : 0;
    found.negatives += v < 0 ? 1 : 0;
  }
  return found;
}

void even_places_plain(const std::int64_t* keys, std::size_t size, double scale, double unit,
                       double first, std::int32_t* places) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto v = std::bit_cast<double>(keys[i]);
    const double towards_zero = std::trunc(v * scale);
    places[i] = static_cast<std::int32_t>(towards_zero - (v < towards_zero * unit ? 1 : 0) - first);
  }
}

// The plain ones, then Highway's targets from the best on.
std::vector<NumberLoops> known_loops() {
  std::vector<NumberLoops> known = {
      {"plain", make_keys_plain, facts_plain, even_places_plain, nullptr}};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t index = std::size(HWY_DISPATCH_TABLE(loops)) == 1 ? 0 : chosen.GetIndex();
    known.push_back(HWY_DISPATCH_TABLE(loops)[index]());
  }
  return known;
}

}  // namespace

std::span<const NumberLoops> all_number_loops() {
  static const std::vector<NumberLoops> kLoops = known_loops();
  return kLoops;
}

const NumberLoops& quickest_number_loops() {
  static const NumberLoops& kQuickest = all_number_loops()[1];
  return kQuickest;
}

}  // namespace coeval::quality
#endif
