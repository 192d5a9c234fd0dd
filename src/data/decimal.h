#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/value.h"

namespace coeval::data {

/// What decimal(p,s) values do: an int64 that stands for value / 10^scale. Nothing here goes by way
/// of a float but what ends in one. (semantics: V1)

__extension__ using Wide = __int128;

/// 10^n, 0 ≤ n ≤ 18.
std::int64_t power_of_ten(int n);
/// Whether a scaled value has at most `precision` digits.
inline bool has_digits(Wide scaled, int precision) {
  const Wide bound = power_of_ten(precision);
  return scaled < bound && scaled > -bound;
}
/// "decimal(12,2)", spaces inside the parentheses allowed. Errors: bad_toml_value.
Result<Type> parse_decimal_type(std::string_view text);

/// What is wrong with the text of a decimal.
enum class DecimalFault : std::uint8_t { none, no_number, too_fine, too_large };
/// The value that a text spells, exactly: an optional minus sign, digits with or without a point,
/// an optional exponent. Zeros after the last digit do not count as digits after the point.
DecimalFault read_decimal(std::string_view text, Type type, std::int64_t& scaled);
/// The decimal with as many digits as a text spells: decimal(4,2) of "12.30". False when it is no
/// decimal without an exponent, or has more than 18 digits.
bool read_any_decimal(std::string_view text, Type& type, std::int64_t& scaled);
/// Of a value that has as many digits as its text, as read_any_decimal finds it.
Type narrowest_decimal(std::int64_t scaled, int scale);
/// All digits of the scale: "12.30", "-0.05", "7".
std::string decimal_text(std::int64_t scaled, int scale);

/// Divides by 10^digits, halves to the even neighbour.
Wide divided_half_even(Wide value, int digits);
/// The same value with another scale, half to even where it has fewer digits. False when it does
/// not fit.
bool rescaled(std::int64_t scaled, int scale, Type to, std::int64_t& out);
/// The nearest decimal to a float, from its exact value, half to even. False for NaN, infinities
/// and what does not fit.
bool decimal_of_real(double value, Type to, std::int64_t& out);
/// The nearest float64, the nearest float32: one rounding.
double decimal_to_real(std::int64_t scaled, int scale);
float decimal_to_float(std::int64_t scaled, int scale);

}  // namespace coeval::data
