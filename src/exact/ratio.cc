#include "exact/ratio.h"

#include <limits>

#include "exact/natural.h"
#include "exact/quick_ratio.h"

namespace coeval::exact {

namespace {

constexpr int kUnitExponent = -1074;

// A sum as a quotient sees it.
struct Term {
  Integer value;
  int exponent = 0;
  bool is_special = false;
  double special = 0;

  explicit Term(Int128 sum) : value(sum) {}
  explicit Term(const ExactSum& sum) {
    const auto limbs = sum.total();
    const PlacedInteger total(limbs);
    value = total.value;
    exponent = kUnitExponent + 64 * static_cast<int>(total.first);
    is_special = sum.special(special);
  }
  // A float64 of the same class and sign.
  double stand_in() const {
    if (is_special) return special;
    if (value.magnitude.is_zero()) return 0.0;
    return value.negative ? -1.0 : 1.0;
  }
};

std::optional<double> quotient(const Term& a, const Term& b) {
  if (!b.is_special && b.value.magnitude.is_zero()) return std::nullopt;
  if (a.is_special || b.is_special) {
    const double followed = a.stand_in() / b.stand_in();
    // Which NaN an operation makes is the machine's choice.
    return followed != followed ? std::numeric_limits<double>::quiet_NaN() : followed;
  }
  const double magnitude =
      round_ratio(a.value.magnitude, a.exponent - b.exponent, b.value.magnitude);
  return a.value.negative != b.value.negative && !a.value.magnitude.is_zero() ? -magnitude
                                                                              : magnitude;
}

}  // namespace

std::optional<double> ratio(const ExactSum& a, const ExactSum& b) {
  return quotient(Term(a), Term(b));
}
std::optional<double> ratio(const ExactSum& a, Int128 b) { return quotient(Term(a), Term(b)); }
std::optional<double> ratio(Int128 a, const ExactSum& b) { return quotient(Term(a), Term(b)); }

std::optional<double> ratio(Int128 a, Int128 b) {
  // Two float64 values: the division is the one rounding.
  constexpr Int128 kExact = Int128{1} << 53;
  if (b != 0 && a >= -kExact && a <= kExact && b >= -kExact && b <= kExact)
    return a == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
  if (b > 0)
    if (const auto quick = quick_ratio(a, b)) return quick;
  return quotient(Term(a), Term(b));
}

namespace {

// A sum times a unit.
Term times(Term term, std::uint64_t unit) {
  term.value = term.value * Integer(Natural(Natural::Word128{unit}), false);
  return term;
}

}  // namespace

std::optional<double> ratio(Int128 a, std::uint64_t a_unit, Int128 b, std::uint64_t b_unit) {
  if (a_unit == b_unit) return ratio(a, b);
  return quotient(times(Term(a), b_unit), times(Term(b), a_unit));
}
std::optional<double> ratio(Int128 a, std::uint64_t a_unit, const ExactSum& b) {
  return quotient(Term(a), times(Term(b), a_unit));
}
std::optional<double> ratio(const ExactSum& a, Int128 b, std::uint64_t b_unit) {
  return quotient(times(Term(a), b_unit), Term(b));
}

}  // namespace coeval::exact
