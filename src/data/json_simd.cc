// json_marks.h for each instruction set that Highway knows. This file is compiled once for each:
// what lies between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, with its instructions.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/json_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <iterator>
#include <vector>

#include "data/json_marks.h"

HWY_BEFORE_NAMESPACE();
namespace coeval::data::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Vectors would only be played here.
const JsonMarks& json_marks() { return plain_json_marks(); }

#else

namespace hn = hwy::HWY_NAMESPACE;
using Bytes = hn::ScalableTag<std::uint8_t>;

constexpr int kMarksAtOnce = 12;

// Of 64 bytes one bit each.
struct Block {
  std::uint64_t quotes = 0, ends = 0, backslashes = 0, controls = 0;
};

template <class M>
HWY_INLINE std::uint64_t bits_of(M mask) {
  std::uint8_t packed[8] = {};
  hn::StoreMaskBits(Bytes(), mask, packed);
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, packed, 8);
  return bits;
}

HWY_INLINE Block block_of(const std::uint8_t* at) {
  const Bytes d;
  Block block;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 64; i += hn::Lanes(d)) {
    const auto bytes = hn::LoadU(d, at + i);
    block.quotes |= bits_of(hn::Eq(bytes, hn::Set(d, std::uint8_t{'"'}))) << i;
    block.ends |= bits_of(hn::Or(hn::Eq(bytes, hn::Set(d, std::uint8_t{','})),
                                 hn::Eq(bytes, hn::Set(d, std::uint8_t{'}'}))))
                  << i;
    block.backslashes |= bits_of(hn::Eq(bytes, hn::Set(d, std::uint8_t{'\\'}))) << i;
    block.controls |= bits_of(hn::Lt(bytes, hn::Set(d, std::uint8_t{0x20}))) << i;
  }
  return block;
}

// The bytes whose meaning a backslash before them takes. `carried`: of the first one the last
// block's last does; of the next block's this one's.
std::uint64_t escaped_by(std::uint64_t backslashes, bool& carried) {
  std::uint64_t escaped = carried ? 1 : 0;
  std::uint64_t rest = backslashes & ~escaped;
  carried = false;
  while (rest != 0) {
    const int at = std::countr_zero(rest);
    rest &= rest - 1;
    carried = at == 63;
    if (carried) break;
    const std::uint64_t next = std::uint64_t{1} << (at + 1);
    escaped |= next;
    rest &= ~next;
  }
  return escaped;
}

// Each bit becomes the parity of those up to it.
HWY_INLINE std::uint64_t parities(std::uint64_t bits) {
#pragma GCC unroll 6
  for (int by = 1; by < 64; by *= 2) bits ^= bits << by;
  return bits;
}

std::size_t find(std::string_view text, std::uint32_t* marks) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(text.data());
  std::uint32_t* out = marks;
  std::uint64_t in_string = 0;  // all bits or none
  std::uint64_t closed = 0;     // 1 when the last byte ended a string
  bool carried = false;
  std::uint8_t rest[64];
  for (std::size_t at = 0; at < text.size(); at += 64) {
    const std::uint8_t* bytes = from + at;
    if (at + 64 > text.size()) {
      __builtin_memset(rest, ' ', 64);
      __builtin_memcpy(rest, bytes, text.size() - at);
      bytes = rest;
    }
    const Block block = block_of(bytes);
    std::uint64_t quotes = block.quotes;
    if (block.backslashes != 0 || carried) quotes &= ~escaped_by(block.backslashes, carried);
    const std::uint64_t strings = parities(quotes) ^ in_string;
    in_string = 0 - (strings >> 63);
    const std::uint64_t closes = quotes & ~strings;
    std::uint64_t bits = closes | (block.ends & ~strings & ~(closes << 1 | closed)) |
                         block.backslashes | block.controls;
    closed = closes >> 63;
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
  return static_cast<std::size_t>(out - marks);
}

const JsonMarks& json_marks() {
  static const JsonMarks kMarks = {hwy::TargetName(HWY_TARGET), find};
  return kMarks;
}

#endif

}  // namespace coeval::data::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coeval::data {

HWY_EXPORT(json_marks);

namespace {

// The plain one, then Highway's targets from the best on.
std::vector<const JsonMarks*> known_marks() {
  std::vector<const JsonMarks*> known = {&plain_json_marks()};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t index =
        std::size(HWY_DISPATCH_TABLE(json_marks)) == 1 ? 0 : chosen.GetIndex();
    const JsonMarks& vectors = HWY_DISPATCH_TABLE(json_marks)[index]();
    if (&vectors != &plain_json_marks()) known.push_back(&vectors);
  }
  return known;
}

}  // namespace

std::span<const JsonMarks* const> all_json_marks() {
  static const std::vector<const JsonMarks*> kMarks = known_marks();
  return kMarks;
}

const JsonMarks& quickest_json_marks() {
  static const JsonMarks& kQuickest = *all_json_marks()[all_json_marks().size() > 1 ? 1 : 0];
  return kQuickest;
}

}  // namespace coeval::data
#endif
