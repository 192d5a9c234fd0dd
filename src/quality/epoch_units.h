#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "define/project.h"

namespace coeval::quality {

/// A unit in which programs count the time since the epoch, other than ours, the microsecond.
struct EpochUnit {
  std::string_view name;    ///< "seconds"
  std::int64_t per_second;  ///< units
  std::int64_t us_of(std::int64_t value) const {
    return per_second <= kPerSecond ? value * (kPerSecond / per_second)
                                    : value / (per_second / kPerSecond);
  }

 private:
  static constexpr std::int64_t kPerSecond = 1'000'000;
};
inline constexpr std::array<EpochUnit, 3> kEpochUnits = {
    {{"seconds", 1}, {"milliseconds", 1'000}, {"nanoseconds", 1'000'000'000}}};

/// Says of timestamps whether they look as if numbers in another unit had been read as
/// microseconds: most of a column's values would lie between 1980 and 2100 in that unit, and as
/// microseconds they lie in the first weeks of 1970, or beyond the year 10000.
///
/// Memory: constant for each column of timestamps. Determinism: a function of the rows in their
/// order; of the multiset but for the example. Complexity: three comparisons a timestamp.
class EpochSigns {
 public:
  explicit EpochSigns(const define::Source& source);
  /// Rows of the source's schema.
  void add(const data::Batch& rows);
  /// A sentence for each such column, with an example of its values unless it is personal.
  std::vector<std::string> texts() const;

 private:
  struct Column {
    std::size_t place = 0;  // in the schema
    std::string name;
    bool is_personal = false;
    std::int64_t values = 0;
    std::array<std::int64_t, kEpochUnits.size()> alike{};
    std::array<std::optional<std::int64_t>, kEpochUnits.size()> first{};
  };
  static void add(Column& column, const data::Column& moments);
  std::vector<Column> columns_;
};

/// The unit in which all numbers from `least` to `most` lie between the second `first` and the year
/// 2100, if there is one. Numbers of a column of integers may count anything: for them `first` is
/// kFirstOfNumbers, and for what is declared or typed a timestamp kFirstOfMoments.
std::optional<EpochUnit> epoch_unit_of(std::int64_t least, std::int64_t most, std::int64_t first);
inline constexpr std::int64_t kFirstOfMoments = 315'532'800;  ///< 1980
inline constexpr std::int64_t kFirstOfNumbers = 978'307'200;  ///< 2001
inline constexpr std::int64_t kLastMoment = 4'102'444'800;    ///< 2100

/// "1722470400 is 1970-01-01T00:28:42.470400Z in microseconds, and 2024-08-01T00:00:00Z in seconds"
std::string both_readings(std::int64_t value, const EpochUnit& unit);

}  // namespace coeval::quality
