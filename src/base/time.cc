#include "base/time.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace coeval {

namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in_month(std::int64_t year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Reads exactly `digits` digits, or returns false and leaves the text.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, int& microsecond) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 9) return false;
  int value = 0;
  for (std::size_t i = 0; i < 6; ++i) value = value * 10 + (i < digits ? text[i] - '0' : 0);
  for (std::size_t i = 6; i < digits; ++i)
    if (text[i] != '0') return false;  // finer than a microsecond would be rounded: refuse
  text.remove_prefix(digits);
  microsecond = value;
  return true;
}

bool take_zone(std::string_view& text, std::int64_t& offset_us) {
  offset_us = 0;
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return true;
  const bool minus = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return false;
  int hours = 0, minutes = 0;
  if (!take_number(text, 2, hours)) return false;
  take(text, ':');
  if (!take_number(text, 2, minutes) || hours > 23 || minutes > 59) return false;
  offset_us = (minus ? -1 : 1) * (hours * kHourUs + minutes * kMinuteUs);
  return true;
}

bool read_time(std::string_view text, std::int64_t& us) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, microsecond = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
      !take(text, '-') || !take_number(text, 2, day))
    return false;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return false;
  std::int64_t offset_us = 0;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return false;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute))
      return false;
    if (take(text, ':') && !take_number(text, 2, second)) return false;
    if (take(text, '.') && !take_fraction(text, microsecond)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    if (!take_zone(text, offset_us) || !text.empty()) return false;
  }
  us = civil_to_us(year, month, day, hour, minute, second, microsecond) - offset_us;
  return true;
}

struct Unit {
  std::string_view name;
  std::int64_t us;
};
constexpr std::array kUnits = {
    Unit{"w", 7 * kDayUs}, Unit{"d", kDayUs}, Unit{"h", kHourUs}, Unit{"min", kMinuteUs},
    Unit{"s", kSecondUs},  Unit{"ms", 1000},  Unit{"us", 1},
};

}  // namespace

// Eras of 400 years make every step integer arithmetic.
std::int64_t civil_to_days(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = floor_div(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t shifted_month = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilTime civil_date(std::int64_t day) {
  const std::int64_t shifted = day + 719468;
  const std::int64_t era = floor_div(shifted, 146097);
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t from_march =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * from_march + 2) / 153;
  CivilTime civil{};
  civil.day = static_cast<int>(from_march - (153 * shifted_month + 2) / 5 + 1);
  civil.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
  const std::int64_t weekday = (day + 3) % 7;  // 1970-01-01 was a Thursday
  civil.weekday = static_cast<int>(weekday < 0 ? weekday + 7 : weekday);
  civil.day_of_year = static_cast<int>(day - civil_to_days(civil.year, 1, 1) + 1);
  return civil;
}

CivilTime civil_time(std::int64_t us) {
  const std::int64_t day = floor_div(us, kDayUs);
  const std::int64_t rest = us % kDayUs;  // us − day · kDayUs would overflow on the first day
  const std::int64_t in_day = rest < 0 ? rest + kDayUs : rest;
  CivilTime civil = civil_date(day);
  civil.hour = static_cast<int>(in_day / kHourUs);
  civil.minute = static_cast<int>(in_day / kMinuteUs % 60);
  civil.second = static_cast<int>(in_day / kSecondUs % 60);
  civil.microsecond = static_cast<int>(in_day % kSecondUs);
  return civil;
}

std::int64_t civil_to_us(std::int64_t year, int month, int day, int hour, int minute, int second,
                         int microsecond) {
  return civil_to_days(year, month, day) * kDayUs + hour * kHourUs + minute * kMinuteUs +
         second * kSecondUs + microsecond;
}

std::string format_time(std::int64_t us) {
  const CivilTime civil = civil_time(us);
  char text[48];
  int length = std::snprintf(text, sizeof text, "%04lld-%02d-%02dT%02d:%02d:%02d",
                             static_cast<long long>(civil.year), civil.month, civil.day, civil.hour,
                             civil.minute, civil.second);
  std::string out(text, static_cast<std::size_t>(length));
  if (civil.microsecond != 0) {
    length = std::snprintf(text, sizeof text, ".%06d", civil.microsecond);
    out.append(text, static_cast<std::size_t>(length));
  }
  return out + "Z";
}

std::string format_date(std::int64_t day) {
  const CivilTime civil = civil_date(day);
  char text[48];
  const int length = std::snprintf(text, sizeof text, "%04lld-%02d-%02d",
                                   static_cast<long long>(civil.year), civil.month, civil.day);
  return {text, static_cast<std::size_t>(length)};
}

Result<std::int64_t> parse_time(std::string_view text) {
  std::int64_t us = 0;
  if (read_time(text, us)) return us;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), us);
  if (!text.empty() && failure == std::errc{} && end == text.data() + text.size()) return us;
  return fail(Code::type_mismatch, "not a time: '" + std::string(text.substr(0, 40)) + "'",
              "write RFC 3339 such as 2001-06-01T12:30:00Z, or integer microseconds");
}

Result<std::int64_t> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(Code::bad_window, "not a duration: '" + std::string(text.substr(0, 40)) + "'",
                "write a number and a unit: 90s, 15min, 3h, 14d, 2w");
  };
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{}) return bad();
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& known : kUnits) {
    if (unit != known.name) continue;
    std::int64_t us = 0;
    if (!__builtin_mul_overflow(number, known.us, &us)) return us;
    return fail(Code::bad_window,
                "a duration does not fit 64 bits of µs: '" + std::string(text.substr(0, 40)) + "'",
                "the longest is 106751991d");
  }
  return bad();
}

std::string format_duration(std::int64_t us) {
  for (const auto& unit : kUnits) {
    if (unit.name == "w") continue;  // people write 14d, not 2w
    if (us % unit.us == 0) return std::to_string(us / unit.us) + std::string(unit.name);
  }
  return std::to_string(us) + "us";
}

}  // namespace coeval
