#include "exact/natural.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "exact/rounding.h"

namespace coeval::exact {

namespace {

using Word128 = Natural::Word128;

std::uint64_t low(Word128 word) { return static_cast<std::uint64_t>(word); }
std::uint64_t high(Word128 word) { return static_cast<std::uint64_t>(word >> 64); }

// One digit of a long quotient: the highest three limbs of the dividend by the highest two of the
// divisor, whose top bit is set; never too small, too large by one at most.
std::uint64_t quotient_digit(std::uint64_t u2, std::uint64_t u1, std::uint64_t u0, std::uint64_t v1,
                             std::uint64_t v0) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  const Word128 top = Word128{u2} << 64 | u1;
  std::uint64_t digit = u2 >= v1 ? kMost : low(top / v1);
  Word128 rest = top - Word128{digit} * v1;
  while (high(rest) == 0 && Word128{digit} * v0 > (rest << 64 | u0)) {
    --digit;
    rest += v1;
  }
  return digit;
}

// u −= digit · v over v.size() + 1 limbs; says whether it went below zero.
bool subtract_product(std::span<std::uint64_t> u, std::span<const std::uint64_t> v,
                      std::uint64_t digit) {
  std::uint64_t carry = 0, borrow = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Word128 product = Word128{digit} * v[i] + carry;
    carry = high(product);
    const Word128 difference = Word128{u[i]} - low(product) - borrow;
    u[i] = low(difference);
    borrow = high(difference) != 0 ? 1 : 0;
  }
  const Word128 difference = Word128{u[v.size()]} - carry - borrow;
  u[v.size()] = low(difference);
  return high(difference) != 0;
}

void add_back(std::span<std::uint64_t> u, std::span<const std::uint64_t> v) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Word128 sum = Word128{u[i]} + v[i] + carry;
    u[i] = low(sum);
    carry = high(sum);
  }
  u[v.size()] += carry;
}

// The greatest r with r² ≤ q.
std::uint64_t integer_root(Word128 q) {
  // The float64 root is right to 52 bits; a Newton step makes it right but for the last bits.
  const auto guess = std::sqrt(static_cast<double>(q));
  constexpr double kTop = 18446744073709549568.0;  // the greatest float64 below 2^64
  auto root = static_cast<std::uint64_t>(std::min(guess, kTop));
  if (root == 0) return 0;
  const Word128 next = (Word128{root} + q / root) / 2;
  root = high(next) != 0 ? ~std::uint64_t{0} : low(next);
  while (Word128{root} * root > q) --root;
  while (root != ~std::uint64_t{0} && Word128{root + 1} * (root + 1) <= q) ++root;
  return root;
}

// Makes a = floor(a · 2^shift / b), with `shift` such that the quotient has `bits` bits or one
// more; says whether something was left over. shift has the parity asked for.
struct ScaledQuotient {
  Natural value;
  int shift;
  bool rest;
};
ScaledQuotient scaled_quotient(Natural a, const Natural& b, int bits, int exponent,
                               bool even_exponent) {
  int shift = b.bits() + bits - a.bits();
  if (even_exponent && (exponent - shift) % 2 != 0) --shift;
  bool rest = false;
  if (shift >= 0)
    a.shift_left(shift);
  else
    rest = a.shift_right(-shift);  // the floor of a floor is the floor
  if (a.divide(b)) rest = true;
  return {a, shift, rest};
}

}  // namespace

Natural& Natural::operator=(const Natural& other) {
  size_ = other.size_;
  std::copy_n(other.limbs_.begin(), size_, limbs_.begin());
  return *this;
}

Natural::Natural(Word128 value) {
  limbs_[0] = low(value);
  limbs_[1] = high(value);
  set_size(2);
}

Natural::Natural(std::span<const std::uint64_t> limbs) {
  COEVAL_CHECK(limbs.size() <= kLimbs);
  std::copy(limbs.begin(), limbs.end(), limbs_.begin());
  set_size(limbs.size());
}

// At most `size` limbs are in use.
void Natural::set_size(std::size_t size) {
  while (size > 0 && limbs_[size - 1] == 0) --size;
  size_ = size;
}

int Natural::bits() const {
  return size_ == 0 ? 0 : static_cast<int>(64 * size_) - std::countl_zero(limbs_[size_ - 1]);
}

void Natural::shift_left(int bits) {
  if (size_ == 0 || bits == 0) return;
  const auto whole = static_cast<std::size_t>(bits / 64);
  const int shift = bits % 64;
  COEVAL_CHECK(size_ + whole + 1 <= kLimbs);
  limbs_[size_ + whole] = 0;
  for (std::size_t i = size_; i-- > 0;) {
    const std::uint64_t limb = limbs_[i];
    if (shift != 0) limbs_[i + whole + 1] |= limb >> (64 - shift);
    limbs_[i + whole] = limb << shift;
  }
  std::fill_n(limbs_.begin(), whole, 0);
  set_size(size_ + whole + 1);
}

bool Natural::shift_right(int bits) {
  const auto whole = std::min(static_cast<std::size_t>(bits / 64), size_);
  const int shift = bits % 64;
  bool lost = std::any_of(limbs_.begin(), limbs_.begin() + static_cast<std::ptrdiff_t>(whole),
                          [](std::uint64_t limb) { return limb != 0; });
  if (whole == size_) {
    size_ = 0;
    return lost;
  }
  if (shift != 0 && limbs_[whole] << (64 - shift) != 0) lost = true;
  for (std::size_t i = whole; i < size_; ++i) {
    const std::uint64_t above = i + 1 < size_ && shift != 0 ? limbs_[i + 1] << (64 - shift) : 0;
    limbs_[i - whole] = limbs_[i] >> shift | above;
  }
  set_size(size_ - whole);
  return lost;
}

void Natural::add(const Natural& other) {
  const std::size_t size = std::max(size_, other.size_) + 1;
  COEVAL_CHECK(size <= kLimbs);
  std::fill(limbs_.begin() + static_cast<std::ptrdiff_t>(size_),
            limbs_.begin() + static_cast<std::ptrdiff_t>(size), 0);
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const Word128 sum = Word128{limbs_[i]} + (i < other.size_ ? other.limbs_[i] : 0) + carry;
    limbs_[i] = low(sum);
    carry = high(sum);
  }
  set_size(size);
}

void Natural::subtract(const Natural& other) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const Word128 difference =
        Word128{limbs_[i]} - (i < other.size_ ? other.limbs_[i] : 0) - borrow;
    limbs_[i] = low(difference);
    borrow = high(difference) != 0 ? 1 : 0;
  }
  COEVAL_CHECK(borrow == 0 && other.size_ <= size_);
  set_size(size_);
}

bool Natural::divide_by_word(std::uint64_t divisor) {
  std::uint64_t rest = 0;
  for (std::size_t i = size_; i-- > 0;) {
    const Word128 part = Word128{rest} << 64 | limbs_[i];
    limbs_[i] = low(part / divisor);
    rest = low(part % divisor);
  }
  set_size(size_);
  return rest != 0;
}

// Long division, with the divisor shifted so that its top bit is set. Source: D. Knuth, The Art of
// Computer Programming, vol. 2, 4.3.1, algorithm D.
bool Natural::divide(const Natural& other) {
  COEVAL_CHECK(!other.is_zero());
  if (other.size_ == 1) return divide_by_word(other.limbs_[0]);
  if (size_ < other.size_) {
    const bool rest = size_ != 0;
    size_ = 0;
    return rest;
  }
  Natural divisor = other;
  const int shift = std::countl_zero(divisor.limbs_[divisor.size_ - 1]);
  divisor.shift_left(shift);
  const std::size_t length = divisor.size_, before = size_;
  shift_left(shift);
  if (size_ == before) limbs_[size_++] = 0;  // one limb above, as shift_left may have made
  const std::size_t digits = size_ - length;
  std::array<std::uint64_t, kLimbs> quotient;
  for (std::size_t j = digits; j-- > 0;) {
    const std::uint64_t* u = &limbs_[j + length];
    std::uint64_t digit =
        quotient_digit(u[0], u[-1], u[-2], divisor.limbs_[length - 1], divisor.limbs_[length - 2]);
    const std::span part(&limbs_[j], length + 1);
    if (subtract_product(part, divisor.limbs(), digit)) {
      --digit;
      add_back(part, divisor.limbs());
    }
    quotient[j] = digit;
  }
  const bool rest =
      std::any_of(limbs_.begin(), limbs_.begin() + static_cast<std::ptrdiff_t>(length),
                  [](std::uint64_t limb) { return limb != 0; });
  std::copy_n(quotient.begin(), digits, limbs_.begin());
  set_size(digits);
  return rest;
}

Natural operator*(const Natural& a, const Natural& b) {
  COEVAL_CHECK(a.size_ + b.size_ <= Natural::kLimbs);
  Natural product;
  std::fill_n(product.limbs_.begin(), a.size_ + b.size_, 0);
  for (std::size_t i = 0; i < a.size_; ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < b.size_; ++j) {
      const Word128 part = Word128{a.limbs_[i]} * b.limbs_[j] + product.limbs_[i + j] + carry;
      product.limbs_[i + j] = low(part);
      carry = high(part);
    }
    product.limbs_[i + b.size_] = carry;
  }
  product.set_size(a.size_ + b.size_);
  return product;
}

std::strong_ordering operator<=>(const Natural& a, const Natural& b) {
  if (a.size_ != b.size_) return a.size_ <=> b.size_;
  for (std::size_t i = a.size_; i-- > 0;)
    if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
  return std::strong_ordering::equal;
}

Integer::Integer(Int128 value)
    : magnitude(value < 0 ? Word128{0} - static_cast<Word128>(value) : static_cast<Word128>(value)),
      negative(value < 0) {}

Integer::Integer(std::span<const std::uint64_t> limbs)
    : negative(!limbs.empty() && limbs.back() >> 63 != 0) {
  COEVAL_CHECK(limbs.size() <= Natural::kLimbs);
  std::array<std::uint64_t, Natural::kLimbs> absolute;
  std::uint64_t carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < limbs.size(); ++i)
    carry = __builtin_add_overflow(negative ? ~limbs[i] : limbs[i], carry, &absolute[i]);
  magnitude = Natural(std::span(absolute).first(limbs.size()));
}

PlacedInteger::PlacedInteger(std::span<const std::uint64_t> limbs, std::size_t at) {
  std::size_t zeros = 0;
  while (zeros < limbs.size() && limbs[zeros] == 0) ++zeros;
  value = Integer(limbs.subspan(zeros));
  first = at + zeros;
}

Integer PlacedInteger::in_units(std::size_t unit) const {
  Integer number = value;
  if (!value.magnitude.is_zero())
    number.magnitude.shift_left(static_cast<int>(64 * (first - unit)));
  return number;
}

Integer operator+(const Integer& a, const Integer& b) {
  Integer sum = a;
  if (a.negative == b.negative) {
    sum.magnitude.add(b.magnitude);
  } else if (a.magnitude >= b.magnitude) {
    sum.magnitude.subtract(b.magnitude);
  } else {
    sum = b;
    sum.magnitude.subtract(a.magnitude);
  }
  if (sum.magnitude.is_zero()) sum.negative = false;
  return sum;
}

Integer operator-(const Integer& a, const Integer& b) {
  return a + Integer(b.magnitude, !b.negative);
}

Integer operator*(const Integer& a, const Integer& b) {
  return {a.magnitude * b.magnitude, a.negative != b.negative};
}

double round_ratio(Natural a, int exponent, const Natural& b) {
  if (a.is_zero()) return 0.0;
  const auto [quotient, shift, rest] = scaled_quotient(a, b, 66, exponent, false);
  return round_magnitude(quotient.limbs(), exponent - shift, rest, kFloat64);
}

double round_root_of_ratio(Natural a, int exponent, const Natural& b) {
  if (a.is_zero()) return 0.0;
  const auto [quotient, shift, rest] = scaled_quotient(a, b, 127, exponent, true);
  const auto limbs = quotient.limbs();
  const Word128 q = Word128{limbs[1]} << 64 | limbs[0];
  const std::uint64_t root = integer_root(q);
  return round_magnitude(std::span(&root, 1), (exponent - shift) / 2,
                         rest || Word128{root} * root != q, kFloat64);
}

}  // namespace coeval::exact
