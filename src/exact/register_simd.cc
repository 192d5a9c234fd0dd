// The loop of register_places.h for each instruction set that Highway knows. This file is compiled
// once for each: what lies between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, with its
// instructions.

// Two lanes of 64 bits, multiplied in halves, are slower than plain code.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exact/register_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <iterator>
#include <vector>

#include "exact/key_hash.h"
#include "exact/register_places.h"

#ifndef COEVAL_EXACT_PLAIN_PLACES
#define COEVAL_EXACT_PLAIN_PLACES
namespace coeval::exact {

// What is left of the hash behind the register's bits, and a bit behind them that ends it.
inline std::uint64_t plain_place(std::int64_t key) {
  constexpr int kRankBits = 64 - RegisterPlaces::kIndexBits;
  constexpr std::uint64_t kEnd = std::uint64_t{1} << (RegisterPlaces::kIndexBits - 1);
  const std::uint64_t hash = mix(static_cast<std::uint64_t>(key));
  const auto rank =
      static_cast<std::uint64_t>(std::countl_zero(hash << RegisterPlaces::kIndexBits | kEnd) + 1);
  return hash >> kRankBits << 8 | rank;
}

inline void find_plain(const std::int64_t* keys, std::size_t size, std::uint64_t* places) {
  for (std::size_t i = 0; i < size; ++i) places[i] = plain_place(keys[i]);
}

}  // namespace coeval::exact
#endif

HWY_BEFORE_NAMESPACE();
namespace coeval::exact::HWY_NAMESPACE {

// Highway numbers its targets from the best on.
#if HWY_TARGET <= HWY_AVX2

namespace hn = hwy::HWY_NAMESPACE;

using Bits = hn::ScalableTag<std::uint64_t>;
using V = hn::Vec<Bits>;

// The lower 64 bits of the product, of three products of 32 bits.
HWY_INLINE V times(V a, std::uint64_t factor) {
  const Bits d;
  const hn::Repartition<std::uint32_t, Bits> halves;
  const auto low = hn::BitCast(halves, hn::Set(d, factor)),
             high = hn::BitCast(halves, hn::Set(d, factor >> 32));
  const auto a_low = hn::BitCast(halves, a), a_high = hn::BitCast(halves, hn::ShiftRight<32>(a));
  const V crossed = hn::MulEven(a_low, high) + hn::MulEven(a_high, low);
  return hn::MulEven(a_low, low) + hn::ShiftLeft<32>(crossed);
}

HWY_INLINE V mixed(V x) {
  x = times(hn::Xor(x, hn::ShiftRight<30>(x)), 0xBF58476D1CE4E5B9);
  x = times(hn::Xor(x, hn::ShiftRight<27>(x)), 0x94D049BB133111EB);
  return hn::Xor(x, hn::ShiftRight<31>(x));
}

// The rank is told by the exponent of a float32 made of the next 31 bits of the hash, all but the
// first one that is set (and some behind it) cleared, so that it is not rounded up. Where none of
// them is set, which happens to one key in 2^31, plain code looks at the others.
void find(const std::int64_t* keys, std::size_t size, std::uint64_t* places) {
  constexpr int kRankBits = 64 - RegisterPlaces::kIndexBits, kTold = 31;
  constexpr std::uint64_t kExponentBias = 127;
  const Bits d;
  const hn::Repartition<std::int32_t, Bits> halves;
  const auto told = hn::Set(d, (std::uint64_t{1} << kTold) - 1),
             first = hn::Set(d, kExponentBias + kTold);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const V hash = mixed(hn::BitCast(d, hn::LoadU(hn::ScalableTag<std::int64_t>(), keys + i)));
    const V next = hn::And(hn::ShiftRight<kRankBits - kTold>(hash), told);
    const V leading = hn::AndNot(hn::ShiftRight<1>(next), next);
    const auto real = hn::ConvertTo(hn::Repartition<float, Bits>(), hn::BitCast(halves, leading));
    const V rank = first - hn::ShiftRight<23>(hn::BitCast(d, real));
    hn::StoreU(hn::Or(hn::ShiftLeft<8>(hn::ShiftRight<kRankBits>(hash)), rank), d, places + i);
    if (!hn::AllFalse(d, next == hn::Zero(d))) [[unlikely]]
      find_plain(keys + i, hn::Lanes(d), places + i);
  }
  find_plain(keys + i, size - i, places + i);
}

const RegisterPlaces& loop() {
  static const RegisterPlaces kLoop = {hwy::TargetName(HWY_TARGET), find};
  return kLoop;
}

#else

const RegisterPlaces& loop() {
  static const RegisterPlaces kLoop = {"plain", find_plain};
  return kLoop;
}

#endif

}  // namespace coeval::exact::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coeval::exact {

HWY_EXPORT(loop);

namespace {

// The plain one, then Highway's targets from the best on.
std::vector<RegisterPlaces> known_loops() {
  std::vector<RegisterPlaces> known = {{"plain", find_plain}};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t index = std::size(HWY_DISPATCH_TABLE(loop)) == 1 ? 0 : chosen.GetIndex();
    known.push_back(HWY_DISPATCH_TABLE(loop)[index]());
  }
  return known;
}

}  // namespace

std::span<const RegisterPlaces> all_register_places() {
  static const std::vector<RegisterPlaces> kLoops = known_loops();
  return kLoops;
}

const RegisterPlaces& quickest_register_places() {
  static const RegisterPlaces& kQuickest = all_register_places()[1];
  return kQuickest;
}

}  // namespace coeval::exact
#endif
