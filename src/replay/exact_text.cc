#include "replay/exact_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace coeval::replay {

namespace {

// Digits to base 10^9, lowest first.
using Decimal = std::vector<std::uint32_t>;
constexpr std::uint64_t kBase = 1'000'000'000;

void multiply_add(Decimal& number, std::uint64_t factor, std::uint64_t carry) {
  for (auto& digit : number) {
    const std::uint64_t value = digit * factor + carry;
    digit = static_cast<std::uint32_t>(value % kBase);
    carry = value / kBase;
  }
  while (carry != 0) {
    number.push_back(static_cast<std::uint32_t>(carry % kBase));
    carry /= kBase;
  }
}

Decimal to_decimal(const std::vector<std::uint64_t>& magnitude) {
  Decimal number;
  for (auto limb = magnitude.rbegin(); limb != magnitude.rend(); ++limb)
    for (const int shift : {48, 32, 16, 0}) multiply_add(number, 1 << 16, *limb >> shift & 0xFFFF);
  return number;
}

std::string text_of(const Decimal& number) {
  std::string text;
  for (auto digit = number.rbegin(); digit != number.rend(); ++digit) {
    std::string part = std::to_string(*digit);
    if (!text.empty()) part.insert(0, 9 - part.size(), '0');
    text += part;
  }
  return text.empty() ? "0" : text;
}

bool negate_if_negative(std::vector<std::uint64_t>& limbs) {
  if (limbs.empty() || limbs.back() >> 63 == 0) return false;
  bool carry = true;
  for (auto& limb : limbs) {
    limb = ~limb + (carry ? 1 : 0);
    carry = carry && limb == 0;
  }
  return true;
}

// Takes factors of two out, up to `limit`. Returns how many.
int halve(std::vector<std::uint64_t>& limbs, int limit) {
  int taken = 0;
  const auto is_even = [&] { return (limbs.front() & 1) == 0; };
  const bool zero = std::ranges::all_of(limbs, [](std::uint64_t limb) { return limb == 0; });
  if (zero) return limit;
  while (taken < limit && is_even()) {
    if (limbs.front() == 0 && limit - taken >= 64) {
      limbs.erase(limbs.begin());
      taken += 64;
      continue;
    }
    for (std::size_t i = 0; i < limbs.size(); ++i)
      limbs[i] = limbs[i] >> 1 | (i + 1 < limbs.size() ? limbs[i + 1] << 63 : 0);
    ++taken;
  }
  return taken;
}

// `text` is digits, the last `decimals` of them behind the point.
std::string placed(std::string text, std::size_t decimals, std::size_t digits) {
  if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
  const std::size_t whole = text.size() - decimals;
  const std::size_t first = std::min(text.find_first_not_of('0'), text.size() - 1);
  const std::size_t end = std::min(text.size(), std::max(first + digits, whole));
  const bool cut = text.find_first_not_of('0', end) != std::string::npos;
  std::string fraction = text.substr(whole, end - whole);
  if (!cut)
    while (fraction.ends_with('0')) fraction.pop_back();
  return text.substr(0, whole) + (fraction.empty() ? "" : "." + fraction) + (cut ? "…" : "");
}

}  // namespace

std::string exact_text(std::span<const std::uint64_t> limbs, int exponent, std::size_t digits) {
  if (limbs.empty()) return "0";
  std::vector<std::uint64_t> magnitude(limbs.begin(), limbs.end());
  const bool negative = negate_if_negative(magnitude);
  if (exponent < 0) exponent += halve(magnitude, -exponent);
  Decimal number = to_decimal(magnitude);
  for (int i = 0; i < exponent; ++i) multiply_add(number, 2, 0);
  for (int i = exponent; i < 0; ++i) multiply_add(number, 5, 0);  // m / 2^k = m · 5^k / 10^k
  const auto decimals = static_cast<std::size_t>(std::max(0, -exponent));
  return (negative ? "-" : "") + placed(text_of(number), decimals, digits);
}

std::string exact_text(exact::Int128 value) {
  const std::uint64_t limbs[] = {static_cast<std::uint64_t>(value),
                                 static_cast<std::uint64_t>(value >> 64)};
  return exact_text(limbs, 0);
}

std::string exact_text(const exact::ExactSum& sum) {
  double special = 0;
  if (sum.special(special))
    return std::isnan(special) ? "NaN" : special > 0 ? "Infinity" : "-Infinity";
  const auto total = sum.total();
  return exact_text(total, -1074);
}

}  // namespace coeval::replay
