#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace coeval {

struct ZoneChange;
struct ZoneRule;

/// A time zone by the IANA tables that are part of this program: never the machine's own.
/// (semantics: T8)
///
/// Names are exact, and case matters. Aliases are kept: "Asia/Calcutta" is "Asia/Kolkata" under
/// another name.
/// Units: offsets are local time minus UTC in µs, of whole seconds, east positive.
/// Range: every int64 µs has an answer. Before a zone's first change its local mean time holds;
/// after the last listed one its rule goes on for ever.
/// Threading: immutable.
/// Complexity: find by name once and keep the pointer; a conversion takes a few nanoseconds.
class TimeZone {
 public:
  /// The zone, which lives until the program ends. The first call for a name reads its table.
  /// Errors: unknown_zone, bad_file (the tables inside the program are damaged).
  static Result<const TimeZone*> find(std::string_view name);
  /// find("UTC"), which cannot fail.
  static const TimeZone& utc();
  /// All names that find() knows, sorted; empty when the tables are damaged.
  static std::vector<std::string> names();
  /// The release of the IANA tables, such as "2025b". What depends on a zone depends on it too.
  static std::string_view tables_version();

  /// Reads a TZif file (RFC 9636, version 2 or later, without leap seconds).
  /// Errors: bad_file for anything else; no bytes can make it crash.
  static Result<TimeZone> from_tzif(std::string name, std::span<const std::uint8_t> file);

  const std::string& name() const { return name_; }

  /// What to add to a UTC time for the zone's local time.
  std::int64_t offset_us_at(std::int64_t utc_us) const {
    return kSecondUs * offset_s_[changes_until(inside(utc_us))];
  }

  /// Local time, as µs that civil_time() turns into the zone's calendar fields. Saturates.
  std::int64_t to_local(std::int64_t utc_us) const;

  /// The moment at which the zone's clocks show `local_us`. Saturates. A time that clocks skip is
  /// read with the offset before the gap, hence lies as far behind the gap as it lay in it:
  /// 02:30 becomes 03:30. A time that clocks show twice is the earlier moment. (The rule of
  /// Python's fold=0 and of RFC 5545.)
  std::int64_t to_utc(std::int64_t local_us) const;

 private:
  TimeZone() = default;
  void add(const ZoneChange& change);
  Status follow(const ZoneRule& rule, const std::vector<ZoneChange>& listed);
  Status repeat(const ZoneRule& rule, const ZoneChange& from);
  std::int64_t wrapped(std::int64_t us) const;
  void make_index();
  std::size_t changes_until(std::int64_t us) const;
  std::size_t clock_changes_until(std::int64_t local_us) const;

  // A moment with the same offset among the changes that are stored.
  std::int64_t inside(std::int64_t us) const {
    return us >= stored_from_us_ && us <= stored_to_us_ ? us : wrapped(us);
  }

  // Never negative for what has passed the first change, however far apart the two are.
  std::uint64_t since_first(std::int64_t us) const {
    return static_cast<std::uint64_t>(us) - static_cast<std::uint64_t>(change_us_.front());
  }

  std::string name_;
  // offset_s_[i] holds from change_us_[i - 1] (inclusive) to change_us_[i] (exclusive).
  std::vector<std::int64_t> change_us_;
  std::vector<std::int32_t> offset_s_ = {0};
  // The time from the first change on in periods of 2^period_bits_ µs, 102 days for real zones: how
  // many changes lie before each. A lookup starts there instead of in the middle.
  std::vector<std::uint32_t> changes_before_period_;
  unsigned period_bits_ = 43;
  // The moments of which the changes above tell. Any other has the offset of the moment a whole
  // number of 400 years away that lies in the 400 years from cycle_us_ on.
  std::int64_t cycle_us_ = 0;
  std::int64_t stored_from_us_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t stored_to_us_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace coeval
