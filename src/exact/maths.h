#pragma once

namespace coeval::exact {

// Elementary functions that give the same bits on every machine. (semantics: A6)
//
// Error: at most 1 ulp for every argument; the most that was ever measured is 0.51 ulp (README.md).
// Exact results come out exact: log10(1000) == 3, pow(3, 2) == 9. Subnormals are handled in and
// out.
// Determinism: the result is a function of the argument's bits alone. Only + − × ÷ sqrt of float64,
// integer and bit operations, and tables of our own are used: no libm, no fma, no contraction. The
// rounding mode must be to nearest and subnormals on, as a program finds them at its start.
// Special values: those of C99 Annex F and IEEE 754. A NaN result is always the quiet NaN with the
// bits 0x7ff8000000000000, whatever NaN or sign came in.
// Threading: no state; errno and the floating-point flags mean nothing afterwards.

/// e^x. exp(−∞) = +0, exp(±0) = 1; +∞ above 709.79, +0 below −745.14.
double exp(double x);
/// e^x − 1, accurate near 0. expm1(−∞) = −1, expm1(±0) = ±0.
double expm1(double x);

/// Natural logarithm. log(±0) = −∞, log(1) = +0, NaN below 0.
double log(double x);
/// log(1 + x), accurate near 0. log1p(−1) = −∞, log1p(±0) = ±0, NaN below −1.
double log1p(double x);
/// Logarithm to base 2; special values as log's.
double log2(double x);
/// Logarithm to base 10; special values as log's.
double log10(double x);

/// x^y. pow(x, ±0) = pow(1, y) = 1, NaN included; NaN for finite x < 0 and y not an integer;
/// pow(±0, y < 0) = ±∞ for odd integers y, else +∞; pow(−1, ±∞) = 1.
double pow(double x, double y);

/// Sine of x in radians, for every finite x; NaN for ±∞. sin(±0) = ±0.
double sin(double x);
/// Cosine of x in radians, for every finite x; NaN for ±∞.
double cos(double x);
/// Tangent of x in radians, for every finite x; NaN for ±∞. tan(±0) = ±0.
double tan(double x);

/// Arc sine in [−π/2, π/2]; NaN outside [−1, 1]. asin(±0) = ±0.
double asin(double x);
/// Arc cosine in [0, π]; NaN outside [−1, 1]. acos(1) = +0.
double acos(double x);
/// Arc tangent in [−π/2, π/2]. atan(±0) = ±0, atan(±∞) = ±π/2.
double atan(double x);
/// Angle of the point (x, y) in [−π, π]. atan2(±0, x) = ±0 for x > 0 or x = +0, ±π for x < 0 or
/// x = −0; atan2(±∞, +∞) = ±π/4, atan2(±∞, −∞) = ±3π/4.
double atan2(double y, double x);

/// Hyperbolic tangent. tanh(±0) = ±0, tanh(±∞) = ±1.
double tanh(double x);

}  // namespace coeval::exact
