#include "exact/exact_sum.h"

#include <algorithm>
#include <limits>
#include <span>

namespace coeval::exact {

namespace {

constexpr int kWideExponent = -1074;
using Limbs = std::span<std::uint64_t>;
using ConstLimbs = std::span<const std::uint64_t>;

bool is_negative(ConstLimbs limbs) { return limbs.back() >> 63 != 0; }

bool is_zero(ConstLimbs limbs) {
  return std::all_of(limbs.begin(), limbs.end(), [](std::uint64_t limb) { return limb == 0; });
}

// limbs += low at limb `at`, high at the next, by two's complement; `negative` subtracts.
inline void add_at(Limbs limbs, std::size_t at, std::uint64_t low, std::uint64_t high,
                   bool negative) {
  if (!negative) {
    std::uint64_t carry = __builtin_add_overflow(limbs[at], low, &limbs[at]);
    for (std::size_t i = at + 1; i < limbs.size(); ++i) {
      const std::uint64_t add = i == at + 1 ? high : 0;
      if (i > at + 1 && carry == 0) return;
      const bool first = __builtin_add_overflow(limbs[i], add, &limbs[i]);
      const bool second = __builtin_add_overflow(limbs[i], carry, &limbs[i]);
      carry = first || second ? 1 : 0;
    }
    return;
  }
  std::uint64_t borrow = __builtin_sub_overflow(limbs[at], low, &limbs[at]);
  for (std::size_t i = at + 1; i < limbs.size(); ++i) {
    const std::uint64_t take = i == at + 1 ? high : 0;
    if (i > at + 1 && borrow == 0) return;
    const bool first = __builtin_sub_overflow(limbs[i], take, &limbs[i]);
    const bool second = __builtin_sub_overflow(limbs[i], borrow, &limbs[i]);
    borrow = first || second ? 1 : 0;
  }
}

// a += b or a -= b, by two's complement, both of one length.
void add_all(Limbs a, ConstLimbs b, bool negative) {
  std::uint64_t carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::uint64_t term = negative ? ~b[i] : b[i];
    const bool first = __builtin_add_overflow(a[i], term, &a[i]);
    const bool second = __builtin_add_overflow(a[i], carry, &a[i]);
    carry = first || second ? 1 : 0;
  }
}

void negate(Limbs limbs) {
  std::uint64_t carry = 1;
  for (auto& limb : limbs) {
    limb = ~limb;
    carry = __builtin_add_overflow(limb, carry, &limb);
  }
}

// Room for 2^60 more additions of the largest narrow term before the sign bit is reached.
bool has_headroom(std::uint64_t top_limb) {
  const auto top = static_cast<std::int64_t>(top_limb);
  constexpr std::int64_t kBound = std::int64_t{1} << 61;
  return top < kBound && top > -kBound;
}

void append_u64(std::string& out, std::uint64_t v) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(v >> (8 * i) & 0xFF));
}

bool read_u64(std::string_view& bytes, std::uint64_t& v) {
  if (bytes.size() < 8) return false;
  v = 0;
  for (int i = 0; i < 8; ++i)
    v |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]))
         << (8 * i);
  bytes.remove_prefix(8);
  return true;
}

}  // namespace

ExactSum::ExactSum(const ExactSum& other)
    : narrow_(other.narrow_),
      wide_(other.wide_ ? std::make_unique<WideNumber>(*other.wide_) : nullptr),
      nans_(other.nans_),
      plus_infinities_(other.plus_infinities_),
      minus_infinities_(other.minus_infinities_) {}

ExactSum& ExactSum::operator=(const ExactSum& other) {
  if (this != &other) *this = ExactSum(other);
  return *this;
}

void ExactSum::change(double x, bool negate_term) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  if (field == 0x7FF) return change_special(x, negate_term);
  std::uint64_t significand = bits & ((std::uint64_t{1} << 52) - 1);
  if (field != 0) significand |= std::uint64_t{1} << 52;
  if (significand == 0) return;
  const int position = field == 0 ? 0 : field - 1;  // of the last bit, from 2^-1074
  const bool negative = (bits >> 63 != 0) != negate_term;
  const int limb = position / 64 - kFirstNarrowLimb;
  if (limb < 0 || limb > static_cast<int>(kNarrowLimbs) - 2)
    return change_wide(significand, position, negative);
  const int shift = position % 64;
  const std::uint64_t high = shift == 0 ? 0 : significand >> (64 - shift);
  add_at(narrow_, static_cast<std::size_t>(limb), significand << shift, high, negative);
  if (!has_headroom(narrow_.back())) spill();
}

void ExactSum::change_special(double x, bool negate_term) {
  const int step = negate_term ? -1 : 1;
  if (x != x)
    nans_ += step;
  else if (x > 0)
    plus_infinities_ += step;
  else
    minus_infinities_ += step;
}

void ExactSum::change_wide(std::uint64_t significand, int position, bool negative) {
  if (!wide_) wide_ = std::make_unique<WideNumber>();
  const int shift = position % 64;
  const std::uint64_t high = shift == 0 ? 0 : significand >> (64 - shift);
  add_at(*wide_, static_cast<std::size_t>(position / 64), significand << shift, high, negative);
  if (is_zero(*wide_)) wide_.reset();
}

// Moves the inline part to the wide one.
void ExactSum::spill() {
  auto sum = std::make_unique<WideNumber>(total());
  narrow_ = {};
  if (is_zero(*sum)) sum.reset();
  wide_ = std::move(sum);
}

void ExactSum::combine(const ExactSum& other, bool negate_other) {
  add_all(narrow_, other.narrow_, negate_other);
  const int step = negate_other ? -1 : 1;
  nans_ += step * other.nans_;
  plus_infinities_ += step * other.plus_infinities_;
  minus_infinities_ += step * other.minus_infinities_;
  if (other.wide_) {
    if (!wide_) wide_ = std::make_unique<WideNumber>();
    add_all(*wide_, *other.wide_, negate_other);
    if (is_zero(*wide_)) wide_.reset();
  }
  if (!has_headroom(narrow_.back())) spill();
}

ExactSum::WideNumber ExactSum::total() const {
  WideNumber sum{};
  const std::uint64_t sign = is_negative(narrow_) ? ~std::uint64_t{0} : 0;
  std::copy(narrow_.begin(), narrow_.end(), sum.begin() + kFirstNarrowLimb);
  std::fill(sum.begin() + kFirstNarrowLimb + kNarrowLimbs, sum.end(), sign);
  if (wide_) add_all(sum, *wide_, false);
  return sum;
}

bool ExactSum::special(double& value) const {
  if (nans_ == 0 && plus_infinities_ == 0 && minus_infinities_ == 0) return false;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool mixed = nans_ != 0 || (plus_infinities_ != 0 && minus_infinities_ != 0);
  value = mixed                   ? std::numeric_limits<double>::quiet_NaN()
          : plus_infinities_ != 0 ? kInfinity
                                  : -kInfinity;
  return true;
}

double ExactSum::round(FloatFormat format) const {
  double value = 0;
  if (special(value)) return value;
  const auto rounded = [&](auto limbs, int exponent) {
    const bool negative = is_negative(limbs);
    if (negative) negate(limbs);
    const double magnitude = round_magnitude(limbs, exponent, false, format);
    return negative ? -magnitude : magnitude;
  };
  if (wide_) return rounded(total(), kWideExponent);
  return rounded(narrow_, kWideExponent + 64 * kFirstNarrowLimb);
}

double ExactSum::mean(std::int64_t count) const {
  double value = 0;
  if (special(value)) return value;
  const auto divided = [&](auto limbs, int exponent) {
    const bool negative = is_negative(limbs);
    if (negative) negate(limbs);
    const double quotient = round_quotient(limbs, exponent, static_cast<std::uint64_t>(count));
    return negative ? -quotient : quotient;
  };
  if (wide_) return divided(total(), kWideExponent);
  return divided(narrow_, kWideExponent + 64 * kFirstNarrowLimb);
}

// u8 count of limbs; if any, u8 index of the first and the limbs of the two's complement number,
// with zero limbs at the low end and repeated sign limbs at the high end left out; then u8 whether
// special values are in it, and if so their three counts.
void ExactSum::append_bytes(std::string& out) const {
  const WideNumber sum = total();
  std::size_t first = 0, last = kWideLimbs;
  while (first < kWideLimbs && sum[first] == 0) ++first;
  const std::uint64_t sign = is_negative(sum) ? ~std::uint64_t{0} : 0;
  while (last > first + 1 && sum[last - 1] == sign && (sum[last - 2] >> 63 != 0) == (sign != 0))
    --last;
  const std::size_t count = first == kWideLimbs ? 0 : last - first;
  out.push_back(static_cast<char>(count));
  if (count > 0) out.push_back(static_cast<char>(first));
  for (std::size_t i = 0; i < count; ++i) append_u64(out, sum[first + i]);
  const bool specials = nans_ != 0 || plus_infinities_ != 0 || minus_infinities_ != 0;
  out.push_back(specials ? 1 : 0);
  if (!specials) return;
  for (const std::int64_t n : {nans_, plus_infinities_, minus_infinities_})
    append_u64(out, static_cast<std::uint64_t>(n));
}

bool ExactSum::read_bytes(std::string_view& bytes) {
  ExactSum read;
  std::string_view rest = bytes;
  if (rest.empty()) return false;
  const auto count = static_cast<std::size_t>(static_cast<unsigned char>(rest.front()));
  rest.remove_prefix(1);
  if (count > 0) {
    if (rest.empty()) return false;
    const auto first = static_cast<std::size_t>(static_cast<unsigned char>(rest.front()));
    rest.remove_prefix(1);
    if (first + count > kWideLimbs) return false;
    WideNumber sum{};
    for (std::size_t i = first; i < first + count; ++i)
      if (!read_u64(rest, sum[i])) return false;
    if (sum[first + count - 1] >> 63 != 0)
      std::fill(sum.begin() + static_cast<std::ptrdiff_t>(first + count), sum.end(),
                ~std::uint64_t{0});
    read.wide_ = std::make_unique<WideNumber>(sum);
    read.settle();
  }
  if (rest.empty()) return false;
  const char specials = rest.front();
  rest.remove_prefix(1);
  for (std::int64_t* n : {&read.nans_, &read.plus_infinities_, &read.minus_infinities_}) {
    std::uint64_t v = 0;
    if (specials != 0 && !read_u64(rest, v)) return false;
    *n = static_cast<std::int64_t>(v);
    if (*n < 0 || *n > std::int64_t{1} << 62) return false;  // more than there can be values
  }
  // Only the canonical spelling is accepted.
  std::string canonical;
  read.append_bytes(canonical);
  if (canonical != bytes.substr(0, bytes.size() - rest.size())) return false;
  *this = std::move(read);
  bytes = rest;
  return true;
}

ExactSum ExactSum::of_limbs(std::span<const std::uint64_t> limbs, std::size_t first_limb,
                            std::int64_t nans, std::int64_t plus_infinities,
                            std::int64_t minus_infinities) {
  ExactSum sum;
  sum.nans_ = nans;
  sum.plus_infinities_ = plus_infinities;
  sum.minus_infinities_ = minus_infinities;
  const std::uint64_t sign = is_negative(limbs) ? ~std::uint64_t{0} : 0;
  // Those above repeat the sign.
  limbs = limbs.first(std::min(limbs.size(), kMaxLimbs - first_limb));
  if (first_limb >= kFirstNarrowLimb &&
      first_limb + limbs.size() < kFirstNarrowLimb + kNarrowLimbs) {
    const auto begin = sum.narrow_.begin() + static_cast<std::ptrdiff_t>(first_limb) -
                       static_cast<std::ptrdiff_t>(kFirstNarrowLimb);
    std::fill(std::copy(limbs.begin(), limbs.end(), begin), sum.narrow_.end(), sign);
    return sum;
  }
  sum.wide_ = std::make_unique<WideNumber>();
  const auto begin = sum.wide_->begin() + static_cast<std::ptrdiff_t>(first_limb);
  std::fill(std::copy(limbs.begin(), limbs.end(), begin), sum.wide_->end(), sign);
  sum.settle();
  return sum;
}

// Moves a wide number that fits back inline.
void ExactSum::settle() {
  if (!wide_) return;
  WideNumber sum = total();
  const auto begin = sum.begin() + kFirstNarrowLimb;
  Narrow narrow;
  std::copy(begin, begin + kNarrowLimbs, narrow.begin());
  const std::uint64_t sign = is_negative(narrow) ? ~std::uint64_t{0} : 0;
  const bool fits = std::all_of(sum.begin(), begin, [](std::uint64_t limb) { return limb == 0; }) &&
                    std::all_of(begin + kNarrowLimbs, sum.end(),
                                [&](std::uint64_t limb) { return limb == sign; });
  if (!fits || !has_headroom(narrow.back())) return;
  narrow_ = narrow;
  wide_.reset();
}

bool operator==(const ExactSum& a, const ExactSum& b) {
  return a.total() == b.total() && a.nans_ == b.nans_ && a.plus_infinities_ == b.plus_infinities_ &&
         a.minus_infinities_ == b.minus_infinities_;
}

}  // namespace coeval::exact
