#pragma once

#include <mpfr.h>

#include <cstdint>
#include <utility>

namespace coeval::kernel::testing {

/// A real of 10,000 bits by MPFR: sums and products of a few thousand float64 values are exact in
/// it.
class Exact {
 public:
  Exact() {
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
    mpfr_init2(value_, 10'000);
    mpfr_set_zero(value_, 1);
  }
  explicit Exact(double x) : Exact() { mpfr_set_d(value_, x, MPFR_RNDN); }
  explicit Exact(std::int64_t x) : Exact() { mpfr_set_sj(value_, x, MPFR_RNDN); }
  Exact(const Exact& other) : Exact() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  Exact& operator=(const Exact& other) {
    mpfr_set(value_, other.value_, MPFR_RNDN);
    return *this;
  }
  ~Exact() { mpfr_clear(value_); }

  Exact& operator+=(const Exact& other) {
    mpfr_add(value_, value_, other.value_, MPFR_RNDN);
    return *this;
  }
  friend Exact operator+(const Exact& a, const Exact& b) { return made(mpfr_add, a, b); }
  friend Exact operator-(const Exact& a, const Exact& b) { return made(mpfr_sub, a, b); }
  friend Exact operator*(const Exact& a, const Exact& b) { return made(mpfr_mul, a, b); }
  friend Exact operator/(const Exact& a, const Exact& b) { return made(mpfr_div, a, b); }
  bool is_zero() const { return mpfr_zero_p(value_) != 0; }
  int sign() const { return mpfr_sgn(value_); }
  Exact root() const {
    Exact r;
    mpfr_sqrt(r.value_, value_, MPFR_RNDN);
    return r;
  }
  /// 2^(a / b), to 500 bits.
  static Exact power_of_two(std::int64_t a, std::int64_t b) {
    Exact r = Exact(a) / Exact(b);
    mpfr_t narrow;
    mpfr_init2(narrow, 500);
    mpfr_exp2(narrow, r.value_, MPFR_RNDN);
    mpfr_set(r.value_, narrow, MPFR_RNDN);
    mpfr_clear(narrow);
    return r;
  }
  /// The largest whole number that is not greater; it must fit.
  std::int64_t floor() const { return mpfr_get_sj(value_, MPFR_RNDD); }
  /// The nearest float64, subnormals too; never −0. A number that is no multiple of 2^-8000 lies in
  /// the middle of no two, so that this is as good as one rounding of the true number.
  double nearest() const {
    const double x = mpfr_get_d(value_, MPFR_RNDN);
    return x == 0 ? 0.0 : x;
  }

 private:
  template <class Operation>
  static Exact made(Operation operation, const Exact& a, const Exact& b) {
    Exact r;
    operation(r.value_, a.value_, b.value_, MPFR_RNDN);
    return r;
  }
  mpfr_t value_;
};

}  // namespace coeval::kernel::testing
