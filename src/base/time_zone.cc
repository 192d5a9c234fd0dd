#include "base/time_zone.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "base/tzif.h"
#include "base/zone_tables.h"

namespace coeval {

namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// The Gregorian calendar repeats after 400 years to the weekday, and so does a yearly rule.
constexpr std::int64_t kCycleYears = 400;
constexpr std::int64_t kCycleUs = 146'097 * kDayUs;
// Wide enough that neither an offset nor a rule's ±167 h reaches across it.
constexpr std::int64_t kMarginUs = 16 * kDayUs;
// No table lists changes so far away, and from here 400 years more or less are no overflow.
constexpr std::int64_t kFarthestChangeS = std::int64_t{1} << 38U;
// The index of a zone stays within 16 KB.
constexpr std::uint64_t kMostPeriods = 4096;

std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? kLeast : kMost;
}

std::int64_t saturating_us(std::int64_t seconds) {
  std::int64_t us = 0;
  if (!__builtin_mul_overflow(seconds, kSecondUs, &us)) return us;
  return seconds < 0 ? kLeast : kMost;
}

std::unexpected<Error> contradicts() {
  return fail(Code::bad_file, "the time zone's rule contradicts its last change");
}

// The rule's changes of the years around 400 years from `from_s` on, ascending.
std::vector<ZoneChange> changes_of_cycle(const ZoneRule& rule, std::int64_t from_s) {
  const std::int64_t year = civil_time(from_s * kSecondUs).year;
  std::vector<ZoneChange> changes;
  for (std::int64_t i = year - 2; i <= year + kCycleYears + 2; ++i)
    for (const ZoneChange& change : changes_of_year(rule, i)) changes.push_back(change);
  // A summer time that lasts all year ends when the next begins; then the later year counts.
  std::ranges::stable_sort(changes, {}, &ZoneChange::at_s);
  return changes;
}

}  // namespace

Result<TimeZone> TimeZone::from_tzif(std::string name, std::span<const std::uint8_t> file) {
  COEVAL_ASSIGN(const Tzif tzif, parse_tzif(file));
  TimeZone zone;
  zone.name_ = std::move(name);
  zone.offset_s_ = {tzif.first_offset_s};
  for (const ZoneChange& change : tzif.changes) zone.add(change);
  if (tzif.rule) COEVAL_TRY(zone.follow(*tzif.rule, tzif.changes));
  zone.make_index();
  return zone;
}

// Changes must come in the order of time; of several at one moment the last counts.
void TimeZone::add(const ZoneChange& change) {
  const std::int64_t at_us = saturating_us(change.at_s);
  if (at_us == kMost) return;
  const bool replaces = change_us_.empty() ? at_us == kLeast : at_us == change_us_.back();
  if (replaces) {
    offset_s_.back() = change.offset_s;
  } else if (change.offset_s != offset_s_.back()) {
    change_us_.push_back(at_us);
    offset_s_.push_back(change.offset_s);
  }
}

Status TimeZone::follow(const ZoneRule& rule, const std::vector<ZoneChange>& listed) {
  if (!rule.has_summer) {
    if (listed.empty()) offset_s_ = {rule.standard_s};
    const bool agrees = listed.empty() || listed.back().offset_s == rule.standard_s;
    return agrees ? Status{} : contradicts();
  }
  if (!listed.empty()) return repeat(rule, listed.back());
  // A zone that is nothing but a rule: any year serves as the start.
  const ZoneChange to_summer = changes_of_year(rule, 2000).front();
  add(to_summer);
  COEVAL_TRY(repeat(rule, to_summer));
  stored_from_us_ = cycle_us_;
  return {};
}

Status TimeZone::repeat(const ZoneRule& rule, const ZoneChange& from) {
  if (from.at_s < -kFarthestChangeS || from.at_s > kFarthestChangeS)
    return fail(Code::bad_file, "the time zone's last change is too far away");
  const std::int64_t from_us = from.at_s * kSecondUs;
  cycle_us_ = from_us + kMarginUs;
  stored_to_us_ = cycle_us_ + kCycleUs - 1;
  std::int32_t at_start_s = rule.standard_s;
  for (const ZoneChange& change : changes_of_cycle(rule, from.at_s)) {
    if (change.at_s <= from.at_s) at_start_s = change.offset_s;
    if (change.at_s > from.at_s && change.at_s * kSecondUs <= stored_to_us_ + kMarginUs)
      add(change);
  }
  return at_start_s == from.offset_s ? Status{} : contradicts();
}

std::int64_t TimeZone::wrapped(std::int64_t us) const {
  const auto since = static_cast<__int128>(us) - cycle_us_;
  const auto into = static_cast<std::int64_t>(since % kCycleUs);
  return cycle_us_ + (into < 0 ? into + kCycleUs : into);
}

void TimeZone::make_index() {
  if (change_us_.empty()) return;
  const std::uint64_t span = since_first(change_us_.back());
  while (span >> period_bits_ >= kMostPeriods) ++period_bits_;
  std::uint32_t count = 0;
  for (std::uint64_t period = 0; period <= span >> period_bits_; ++period) {
    while (since_first(change_us_[count]) < period << period_bits_) ++count;
    changes_before_period_.push_back(count);
  }
}

std::size_t TimeZone::changes_until(std::int64_t us) const {
  if (change_us_.empty() || us < change_us_.front()) return 0;
  const std::uint64_t period = since_first(us) >> period_bits_;
  std::size_t count =
      changes_before_period_[std::min<std::size_t>(period, changes_before_period_.size() - 1)];
  while (count < change_us_.size() && change_us_[count] <= us) ++count;
  return count;
}

// How many changes the clocks have left behind when they show `local_us`. Around a change that is
// when they have passed the later of its two readings: until then the offset before it counts.
std::size_t TimeZone::clock_changes_until(std::int64_t local_us) const {
  const auto reading = [this](std::size_t i) {
    return saturating_sum(change_us_[i], kSecondUs * std::max(offset_s_[i], offset_s_[i + 1]));
  };
  std::size_t count = changes_until(local_us);
  while (count > 0 && reading(count - 1) > local_us) --count;
  while (count < change_us_.size() && reading(count) <= local_us) ++count;
  return count;
}

std::int64_t TimeZone::to_local(std::int64_t utc_us) const {
  return saturating_sum(utc_us, offset_us_at(utc_us));
}

std::int64_t TimeZone::to_utc(std::int64_t local_us) const {
  const std::size_t count = clock_changes_until(inside(local_us));
  return saturating_sum(local_us, -kSecondUs * offset_s_[count]);
}

namespace {

// Every zone of the tables, read when it is first asked for.
class Zones {
 public:
  static const Zones& all() {
    static const Zones zones;
    return zones;
  }

  const Result<ZoneTables>& tables() const { return tables_; }

  const Result<TimeZone>& zone(std::size_t index) const {
    Entry& entry = entries_[index];
    std::call_once(entry.once, [&] {
      entry.zone = TimeZone::from_tzif(std::string(tables_->name(index)), tables_->file(index));
    });
    return *entry.zone;
  }

 private:
  struct Entry {
    std::once_flag once;
    std::optional<Result<TimeZone>> zone;
  };

  Zones()
      : tables_(ZoneTables::open(embedded_zone_tables())),
        entries_(tables_ ? tables_->size() : 0) {}

  Result<ZoneTables> tables_;
  mutable std::vector<Entry> entries_;
};

std::unexpected<Error> damaged_program(Error error) {
  error.advice = "this program is damaged: install it again";
  return std::unexpected(std::move(error).within("while reading the tables inside the program"));
}

constexpr std::size_t kLongestShown = 64;

std::unexpected<Error> unknown_zone(const ZoneTables& tables, std::string_view name) {
  const std::string shown = name.size() <= kLongestShown
                                ? "'" + std::string(name) + "'"
                                : "of " + std::to_string(name.size()) + " bytes";
  const auto nearest = tables.nearest(name);
  return fail(Code::unknown_zone, "unknown time zone " + shown,
              nearest ? "did you mean '" + std::string(*nearest) + "'?"
                      : "write a name of the IANA tables, such as Europe/Berlin, or UTC");
}

}  // namespace

Result<const TimeZone*> TimeZone::find(std::string_view name) {
  if (name == utc().name()) return &utc();
  const Zones& zones = Zones::all();
  if (!zones.tables()) return damaged_program(zones.tables().error());
  const auto index = zones.tables()->find(name);
  if (!index) return unknown_zone(*zones.tables(), name);
  const Result<TimeZone>& zone = zones.zone(*index);
  if (!zone) return damaged_program(zone.error());
  return &*zone;
}

const TimeZone& TimeZone::utc() {
  static const TimeZone zone = [] {
    TimeZone made;
    made.name_ = "UTC";
    return made;
  }();
  return zone;
}

std::vector<std::string> TimeZone::names() {
  std::vector<std::string> names;
  const Result<ZoneTables>& tables = Zones::all().tables();
  for (std::size_t i = 0; tables && i < tables->size(); ++i) names.emplace_back(tables->name(i));
  return names;
}

std::string_view TimeZone::tables_version() {
  const Result<ZoneTables>& tables = Zones::all().tables();
  return tables ? tables->version() : std::string_view();
}

}  // namespace coeval
