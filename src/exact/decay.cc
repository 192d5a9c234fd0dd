#include "exact/decay.h"

#include <array>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "exact/natural.h"
#include "exact/ratio.h"
#include "exact/rounding.h"

namespace coeval::exact {

namespace {

using Word128 = Natural::Word128;

constexpr Word128 wide(std::uint64_t high, std::uint64_t low) { return Word128{high} << 64 | low; }

// The upper halves of products, that is products of numbers below 1 with their last bit dropped.
constexpr std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(Word128{a} * b >> 64);
}
constexpr Word128 times(Word128 a, Word128 b) {
  const auto a1 = static_cast<std::uint64_t>(a >> 64), a0 = static_cast<std::uint64_t>(a);
  const auto b1 = static_cast<std::uint64_t>(b >> 64), b0 = static_cast<std::uint64_t>(b);
  const Word128 middle = Word128{a1} * b0 + times(a0, b0);
  const Word128 other = Word128{a0} * b1 + static_cast<std::uint64_t>(middle);
  return Word128{a1} * b1 + (middle >> 64) + (other >> 64);
}

// floor(2^128 · 2^(−2^−j)) for j = 1 … 12.
constexpr std::array<Word128, 12> kRoots = {
    wide(0xB504F333F9DE6484, 0x597D89B3754ABE9F), wide(0xD744FCCAD69D6AF4, 0x39A68BB9902D3FDE),
    wide(0xEAC0C6E7DD24392E, 0xD02D75B3706E54FA), wide(0xF5257D152486CC2C, 0x7B9D0C7AED980FC3),
    wide(0xFA83B2DB722A033A, 0x7C25BB14315D7FCC), wide(0xFD3E0C0CF486C174, 0x853F3A5931E0EE03),
    wide(0xFE9E115C7B8F884B, 0xADD25995E79D2F09), wide(0xFF4ECB59511EC8A5, 0x301BA217EF18DD7C),
    wide(0xFFA756521C8DAED1, 0x9F3A1B48FB94C589), wide(0xFFD3A751C0F7E10B, 0xD3B9F8AE012FBE06),
    wide(0xFFE9D2B2F7DB2755, 0xDDF1D28A378A438C), wide(0xFFF4E91BFF1B8C3D, 0x88338E0EBF284A4D)};

// 1 − 2^(−i / 64) (first = 0) and 1 − 2^(−i / 4096) (first = 6) in units of 2^-128, within 8.
constexpr std::array<Word128, 64> losses(std::size_t first) {
  std::array<Word128, 64> table{};
  for (std::size_t i = 1; i < 64; ++i) {
    Word128 kept = 0;  // 1
    for (std::size_t bit = 0; bit < 6; ++bit) {
      if ((i >> (5 - bit) & 1) == 0) continue;
      kept = kept == 0 ? kRoots[first + bit] : times(kept, kRoots[first + bit]);
    }
    table[i] = Word128{0} - kept;
  }
  return table;
}
constexpr auto kCoarse = losses(0);
constexpr auto kFine = losses(6);

// ln 2 in units of 2^-128, and (ln 2)^k / k! in units of 2^-64 for k = 2 … 6.
constexpr Word128 kLn2 = wide(0xB17217F7D1CF79AB, 0xC9E3B39803F2F6AF);
constexpr std::array<std::uint64_t, 5> kSeries = {0x3D7F7BFF058B1D50, 0x0E35846B82505FC5,
                                                  0x0276556DF749CEE5, 0x005761FF9E299CC4,
                                                  0x000A184897C363C3};

// 1 − 2^(−g) for g < 2^-12, within 2^-84: the series in g, whose square and higher terms need only
// 64 bits.
Word128 small_loss(Word128 g) {
  const auto y = static_cast<std::uint64_t>(g >> 52);  // g · 2^12 in units of 2^-64
  std::uint64_t sum = kSeries.back();
  for (std::size_t i = kSeries.size() - 1; i-- > 0;) sum = kSeries[i] - (times(y, sum) >> 12);
  return times(kLn2, g) - (Word128{times(times(y, y), sum)} << 40);
}

// a + b − a·b: what is lost when a and then b of what remains is lost.
Word128 both(Word128 a, Word128 b) { return a + b - times(a, b); }

// floor(2^128 · rest / divisor) for rest < divisor.
Word128 fraction(std::uint64_t rest, std::uint64_t divisor) {
  const Word128 first = Word128{rest} << 64;
  const auto high = static_cast<std::uint64_t>(first / divisor);
  const Word128 second = (first - Word128{high} * divisor) << 64;
  return wide(high, static_cast<std::uint64_t>(second / divisor));
}

// 2^(−rest / half_life) · 2^128, within kFactorError.
constexpr std::uint64_t kFactorError = std::uint64_t{1} << 45;
Word128 factor_of(std::uint64_t rest, std::uint64_t half_life) {
  const Word128 f = fraction(rest, half_life);
  const Word128 coarse = kCoarse[static_cast<std::size_t>(f >> 122)];
  const Word128 fine = kFine[static_cast<std::size_t>(f >> 116 & 63)];
  constexpr Word128 kBelow = (Word128{1} << 116) - 1;
  return Word128{0} - both(both(coarse, fine), small_loss(f & kBelow));
}

// The same in units of 2^-320, within 2^8 of them: the series of exp(−ln 2 · rest / half_life).
constexpr int kLongBits = 320;
Natural long_factor_of(std::uint64_t rest, std::uint64_t half_life) {
  constexpr std::array<std::uint64_t, 5> kLongLn2 = {0xE7B876206DEBAC98, 0x8A0D175B8BAAFA2B,
                                                     0x40F343267298B62D, 0xC9E3B39803F2F6AF,
                                                     0xB17217F7D1CF79AB};
  Natural y(Word128{rest});
  y.shift_left(kLongBits);
  y.divide(Natural(Word128{half_life}));
  y = y * Natural(kLongLn2);
  y.shift_right(kLongBits);
  Natural term(Word128{1});
  term.shift_left(kLongBits);
  Natural plus = term, minus;
  for (std::uint64_t k = 1; k < 100 && !term.is_zero(); ++k) {
    term = term * y;
    term.shift_right(kLongBits);
    term.divide(Natural(Word128{k}));
    (k % 2 == 0 ? plus : minus).add(term);
  }
  plus.subtract(minus);
  return plus;
}

}  // namespace

DecayFactor::DecayFactor(std::int64_t age_us, std::int64_t half_life_us)
    : half_life_us_(half_life_us) {
  COEVAL_CHECK(age_us >= 0 && half_life_us > 0);
  rest_us_ = age_us % half_life_us;
  const std::int64_t whole = age_us / half_life_us;
  beyond_ = whole > kDecayHorizon || (whole == kDecayHorizon && rest_us_ > 0);
  whole_ = beyond_ ? 0 : static_cast<int>(whole);
  factor_ = rest_us_ == 0 || beyond_ ? 0
                                     : factor_of(static_cast<std::uint64_t>(rest_us_),
                                                 static_cast<std::uint64_t>(half_life_us_));
}

double DecayFactor::times(double x) const {
  if (beyond_) return 0.0;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  std::uint64_t significand = bits & ((std::uint64_t{1} << 52) - 1);
  if (field == 0x7FF || (field == 0 && significand == 0)) return x;
  if (field != 0) significand |= std::uint64_t{1} << 52;
  const double magnitude = product(significand, (field == 0 ? 1 : field) - 1075);
  return std::signbit(x) ? -magnitude : magnitude;
}

double DecayFactor::times(std::int64_t x) const {
  if (beyond_ || x == 0) return 0.0;
  const std::uint64_t magnitude =
      x < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(x) : static_cast<std::uint64_t>(x);
  const double rounded = product(magnitude, 0);
  return x < 0 ? -rounded : rounded;
}

// magnitude · 2^exponent · the factor; magnitude > 0.
double DecayFactor::product(std::uint64_t magnitude, int exponent) const {
  exponent -= whole_;
  if (rest_us_ == 0) return round_magnitude(std::span(&magnitude, 1), exponent, false, kFloat64);
  // The upper 128 of the product's 192 bits, top bit set; they are within 2 · kFactorError.
  const int shift = std::countl_zero(magnitude);
  const std::uint64_t m = magnitude << shift;
  Word128 upper = Word128{m} * static_cast<std::uint64_t>(factor_ >> 64) +
                  exact::times(m, static_cast<std::uint64_t>(factor_));
  const int spare = upper >> 127 == 0 ? 1 : 0;
  upper <<= spare;
  const int unit = exponent - shift - 64 - spare;
  constexpr int kDropped = 128 - 53;
  constexpr Word128 kHalf = Word128{1} << (kDropped - 1);
  const Word128 dropped = upper & (2 * kHalf - 1);
  const Word128 from_half = dropped > kHalf ? dropped - kHalf : kHalf - dropped;
  const int last = unit + kDropped;  // exponent of the result's last bit
  if (from_half <= 4 * Word128{kFactorError} || last < kFloat64.min_exponent)
    return product_slowly(magnitude, exponent);
  const std::uint64_t kept =
      static_cast<std::uint64_t>(upper >> kDropped) + (dropped > kHalf ? 1 : 0);
  // The significand's top bit counts as one in the exponent's field, or as two when rounding
  // carried it further.
  return std::bit_cast<double>((static_cast<std::uint64_t>(last + 1074) << 52) + kept);
}

double DecayFactor::product_slowly(std::uint64_t magnitude, int exponent) const {
  const Natural exact = long_factor_of(static_cast<std::uint64_t>(rest_us_),
                                       static_cast<std::uint64_t>(half_life_us_)) *
                        Natural(Word128{magnitude});
  return round_magnitude(exact.limbs(), exponent - kLongBits, true, kFloat64);
}

template <class Value>
void DecayedSum::add_value(std::int64_t age_us, Value x) {
  const DecayFactor factor(age_us, half_life_us_);
  if (factor.is_beyond()) return;
  ++count_;
  sum_.add(factor.times(x));
  if (weighs_) weights_.add(factor.weight());
}

void DecayedSum::add(std::int64_t age_us, double x) { add_value(age_us, x); }
void DecayedSum::add(std::int64_t age_us, std::int64_t x) { add_value(age_us, x); }

void DecayedSum::merge(const DecayedSum& other) {
  COEVAL_CHECK(half_life_us_ == other.half_life_us_ && weighs_ == other.weighs_);
  count_ += other.count_;
  sum_.merge(other.sum_);
  weights_.merge(other.weights_);
}

std::optional<double> DecayedSum::sum() const {
  if (count_ == 0) return std::nullopt;
  return sum_.round();
}

std::optional<double> DecayedSum::mean() const {
  COEVAL_CHECK(weighs_);
  if (count_ == 0) return std::nullopt;
  return ratio(sum_, weights_);
}

}  // namespace coeval::exact
