#include "quality/epoch_units.h"

#include <algorithm>
#include <span>

#include "base/time.h"
#include "quality/personal_data.h"
#include "quality/proposal.h"

namespace coeval::quality {

namespace {

struct Bounds {
  std::int64_t first;
  std::uint64_t width;
  // One comparison: what lies before the first is far beyond the last, without a sign.
  bool contains(std::int64_t value) const {
    return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(first) <= width;
  }
};

constexpr Bounds bounds_of(const EpochUnit& unit, std::int64_t first = kFirstOfMoments) {
  return {first * unit.per_second,
          static_cast<std::uint64_t>((kLastMoment - first) * unit.per_second)};
}

constexpr std::array<Bounds, kEpochUnits.size()> kBounds = {
    bounds_of(kEpochUnits[0]), bounds_of(kEpochUnits[1]), bounds_of(kEpochUnits[2])};

struct EpochCounts {
  std::int64_t values = 0;
  std::array<std::int64_t, kEpochUnits.size()> alike{};
};

// Null rows hold any value.
template <class IsValue>
EpochCounts count_alike(std::span<const std::int64_t> values, IsValue is_value) {
  EpochCounts counts;
  for (std::size_t row = 0; row < values.size(); ++row) {
    const bool counts_here = is_value(row);
    counts.values += counts_here ? 1 : 0;
    for (std::size_t unit = 0; unit < kBounds.size(); ++unit)
      counts.alike[unit] += kBounds[unit].contains(values[row]) && counts_here ? 1 : 0;
  }
  return counts;
}

std::string part_text(std::int64_t part, std::int64_t whole) {
  if (whole == 1) return "its only value";
  return (part == whole ? "all " : with_separators(part) + " of ") + with_separators(whole) +
         " values";
}

}  // namespace

EpochSigns::EpochSigns(const define::Source& source) {
  const std::vector<std::string> personal = personal_columns(source);
  for (std::size_t i = 0; i < source.columns.size(); ++i) {
    const define::SourceColumn& column = source.columns[i];
    if (column.type != data::Type::timestamp) continue;
    const bool is_personal = std::ranges::find(personal, column.name) != personal.end();
    columns_.push_back({i, column.name, is_personal});
  }
}

void EpochSigns::add(const data::Batch& rows) {
  for (Column& column : columns_) add(column, rows.columns[column.place]);
}

void EpochSigns::add(Column& column, const data::Column& moments) {
  const auto values = moments.values<std::int64_t>();
  const auto is_value = [&moments](std::size_t row) {
    return !moments.is_null(static_cast<std::int64_t>(row));
  };
  EpochCounts found;
  if (moments.has_nulls())
    found = count_alike(values, is_value);
  else
    found = count_alike(values, [](std::size_t) { return true; });
  column.values += found.values;
  for (std::size_t unit = 0; unit < kBounds.size(); ++unit) {
    column.alike[unit] += found.alike[unit];
    if (found.alike[unit] == 0 || column.first[unit]) continue;
    for (std::size_t row = 0; row < values.size() && !column.first[unit]; ++row)
      if (kBounds[unit].contains(values[row]) && is_value(row)) column.first[unit] = values[row];
  }
}

std::vector<std::string> EpochSigns::texts() const {
  std::vector<std::string> texts;
  for (const Column& column : columns_)
    for (std::size_t i = 0; i < kEpochUnits.size(); ++i) {
      if (column.alike[i] * 2 <= column.values) continue;
      const EpochUnit& unit = kEpochUnits[i];
      std::string text = column.name + " looks like " + std::string(unit.name) +
                         " since the epoch (" + part_text(column.alike[i], column.values) +
                         "), and a number is read as microseconds";
      if (!column.is_personal) text += ": " + both_readings(*column.first[i], unit);
      texts.push_back(std::move(text));
    }
  return texts;
}

std::optional<EpochUnit> epoch_unit_of(std::int64_t least, std::int64_t most, std::int64_t first) {
  for (const EpochUnit& unit : kEpochUnits) {
    const Bounds bounds = bounds_of(unit, first);
    if (bounds.contains(least) && bounds.contains(most)) return unit;
  }
  return std::nullopt;
}

std::string both_readings(std::int64_t value, const EpochUnit& unit) {
  return std::to_string(value) + " is " + format_time(value) + " in microseconds, and " +
         format_time(unit.us_of(value)) + " in " + std::string(unit.name);
}

}  // namespace coeval::quality
