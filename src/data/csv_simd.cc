// csv_marks.h for each instruction set that Highway knows. This file is compiled once for each:
// what lies between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, with its instructions.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/csv_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <iterator>
#include <vector>

#include "data/csv_marks.h"

HWY_BEFORE_NAMESPACE();
namespace coeval::data::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Vectors would only be played here.
const CsvMarks& csv_marks() { return plain_csv_marks(); }

#else

namespace hn = hwy::HWY_NAMESPACE;
using Bytes = hn::ScalableTag<std::uint8_t>;

constexpr int kMarksAtOnce = 12;

// The marks among 64 bytes, one bit each.
template <class V>
HWY_INLINE std::uint64_t marks_of(const std::uint8_t* at, V delimiter, V quote, V line_feed) {
  const Bytes d;
  std::uint64_t bits = 0;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 64; i += hn::Lanes(d)) {
    const auto bytes = hn::LoadU(d, at + i);
    const auto found =
        hn::Or(hn::Or(hn::Eq(bytes, delimiter), hn::Eq(bytes, quote)), hn::Eq(bytes, line_feed));
    std::uint8_t packed[8] = {};
    hn::StoreMaskBits(d, found, packed);
    std::uint64_t part = 0;
    __builtin_memcpy(&part, packed, 8);
    bits |= part << i;
  }
  return bits;
}

std::size_t find(std::string_view text, char delimiter, std::uint32_t* marks) {
  const Bytes d;
  const auto* from = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto delimiters = hn::Set(d, static_cast<std::uint8_t>(delimiter));
  const auto quotes = hn::Set(d, std::uint8_t{'"'});
  const auto line_feeds = hn::Set(d, std::uint8_t{'\n'});
  std::uint32_t* out = marks;
  std::size_t at = 0;
  for (; at + 64 <= text.size(); at += 64) {
    std::uint64_t bits = marks_of(from + at, delimiters, quotes, line_feeds);
    const int count = std::popcount(bits);
    // Twelve at a time, whether there are so many or not: few branches to guess.
    for (int done = 0; done < count; done += kMarksAtOnce)
#pragma GCC unroll 12
      for (int i = done; i < done + kMarksAtOnce; ++i) {
        out[i] =
            static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
      }
    out += count;
  }
  const std::size_t rest = plain_csv_marks().find(text.substr(at), delimiter, out);
  for (std::size_t i = 0; i < rest; ++i) out[i] += static_cast<std::uint32_t>(at);
  return static_cast<std::size_t>(out - marks) + rest;
}

const CsvMarks& csv_marks() {
  static const CsvMarks kMarks = {hwy::TargetName(HWY_TARGET), find};
  return kMarks;
}

#endif

}  // namespace coeval::data::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coeval::data {

HWY_EXPORT(csv_marks);

namespace {

// The plain one, then Highway's targets from the best on.
std::vector<const CsvMarks*> known_marks() {
  std::vector<const CsvMarks*> known = {&plain_csv_marks()};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t index = std::size(HWY_DISPATCH_TABLE(csv_marks)) == 1 ? 0 : chosen.GetIndex();
    const CsvMarks& vectors = HWY_DISPATCH_TABLE(csv_marks)[index]();
    if (&vectors != &plain_csv_marks()) known.push_back(&vectors);
  }
  return known;
}

}  // namespace

std::span<const CsvMarks* const> all_csv_marks() {
  static const std::vector<const CsvMarks*> kMarks = known_marks();
  return kMarks;
}

const CsvMarks& quickest_csv_marks() {
  static const CsvMarks& kQuickest = *all_csv_marks()[all_csv_marks().size() > 1 ? 1 : 0];
  return kQuickest;
}

}  // namespace coeval::data
#endif
