#include "base/zone_rule.h"

#include <string>
#include <utility>

#include "base/time.h"

namespace coeval {

namespace {

constexpr std::int32_t kHour = 3600;
constexpr std::int64_t kDay = 86'400;

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Each take_… moves past what it read, or returns false.
class RuleText {
 public:
  explicit RuleText(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool sees(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool take(char c) {
    if (!sees(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // An abbreviation: letters, or anything of letters, digits and signs between < and >. It is not
  // kept.
  bool take_name() {
    const bool quoted = take('<');
    std::size_t length = 0;
    while (length < rest_.size() && belongs_to_name(rest_[length], quoted)) ++length;
    rest_.remove_prefix(length);
    return length >= 3 && (!quoted || take('>'));
  }

  bool take_number(int digits_most, int least, int most, int& value) {
    int digits = 0;
    for (value = 0; digits < digits_most && !rest_.empty() && is_digit(rest_.front()); ++digits) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return digits > 0 && value >= least && value <= most;
  }

  // [+-]h[hh][:mm[:ss]], in seconds.
  bool take_time(int hours_most, std::int32_t& seconds) {
    const bool minus = take('-');
    if (!minus) take('+');
    int hours = 0, minutes = 0, rest = 0;
    if (!take_number(3, 0, hours_most, hours)) return false;
    if (take(':')) {
      if (!take_number(2, 0, 59, minutes)) return false;
      if (take(':') && !take_number(2, 0, 59, rest)) return false;
    }
    seconds = hours * kHour + minutes * 60 + rest;
    if (minus) seconds = -seconds;
    return true;
  }

  // POSIX counts offsets west of Greenwich; we count east.
  bool take_offset(std::int32_t& offset_s) {
    if (!take_time(24, offset_s)) return false;
    offset_s = -offset_s;
    return true;
  }

  bool take_moment(YearlyMoment& moment) {
    moment.time_s = 2 * kHour;
    return take(',') && take_day(moment) && (!take('/') || take_time(167, moment.time_s));
  }

 private:
  static bool belongs_to_name(char c, bool quoted) {
    return is_letter(c) || (quoted && (is_digit(c) || c == '+' || c == '-'));
  }

  bool take_day(YearlyMoment& moment) {
    if (take('M')) {
      moment.kind = YearlyMoment::Kind::nth_weekday;
      return take_number(2, 1, 12, moment.month) && take('.') &&
             take_number(1, 1, 5, moment.week) && take('.') && take_number(1, 0, 6, moment.day);
    }
    if (take('J')) {
      moment.kind = YearlyMoment::Kind::day_of_365;
      return take_number(3, 1, 365, moment.day);
    }
    moment.kind = YearlyMoment::Kind::day_from_zero;
    return take_number(3, 0, 365, moment.day);
  }

  std::string_view rest_;
};

bool read_rule(RuleText text, ZoneRule& rule) {
  if (!text.take_name() || !text.take_offset(rule.standard_s)) return false;
  if (text.at_end()) return true;
  rule.has_summer = true;
  rule.summer_s = rule.standard_s + kHour;
  return text.take_name() && (text.sees(',') || text.take_offset(rule.summer_s)) &&
         text.take_moment(rule.to_summer) && text.take_moment(rule.to_standard) && text.at_end();
}

std::int64_t nth_weekday(std::int64_t year, const YearlyMoment& moment) {
  const std::int64_t first = civil_to_days(year, moment.month, 1);
  const std::int64_t next_month =
      moment.month == 12 ? civil_to_days(year + 1, 1, 1) : civil_to_days(year, moment.month + 1, 1);
  // POSIX counts from Sunday, CivilTime from Monday.
  const int weekday = (civil_time(first * kDayUs).weekday + 1) % 7;
  const std::int64_t day =
      first + (moment.day - weekday + 7) % 7 + std::int64_t{7} * (moment.week - 1);
  return day < next_month ? day : day - 7;
}

std::int64_t day_of(std::int64_t year, const YearlyMoment& moment) {
  if (moment.kind == YearlyMoment::Kind::nth_weekday) return nth_weekday(year, moment);
  const std::int64_t new_year = civil_to_days(year, 1, 1);
  if (moment.kind == YearlyMoment::Kind::day_from_zero) return new_year + moment.day;
  const bool leap = civil_to_days(year, 3, 1) - new_year == 60;
  return new_year + moment.day - 1 + (leap && moment.day >= 60 ? 1 : 0);
}

std::int64_t seconds_of(std::int64_t year, const YearlyMoment& moment) {
  return day_of(year, moment) * kDay + moment.time_s;
}

}  // namespace

Result<ZoneRule> parse_zone_rule(std::string_view text) {
  ZoneRule rule;
  if (read_rule(RuleText(text), rule)) return rule;
  return fail(Code::bad_file,
              "not the rule of a time zone: '" + std::string(text.substr(0, 60)) + "'");
}

std::array<ZoneChange, 2> changes_of_year(const ZoneRule& rule, std::int64_t year) {
  return {ZoneChange{seconds_of(year, rule.to_summer) - rule.standard_s, rule.summer_s},
          ZoneChange{seconds_of(year, rule.to_standard) - rule.summer_s, rule.standard_s}};
}

}  // namespace coeval
