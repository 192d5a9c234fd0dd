#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/json.h"
#include "data/value.h"

namespace coeval::quality {

/// What a profile says of its columns, in numbers for programs, reports and people. Everything is a
/// function of the multiset of rows (semantics: A1 A4); what is not exact says so.

/// An order statistic or what lies between two: numpy's default, as semantics A7 has it.
struct ProfileQuantile {
  double p = 0;
  double value = 0;  ///< in the column's unit: µs of timestamps, days of dates; decimals divided
  double error = 0;  ///< `value` is off by at most this much; 0 where it is exact
};

/// A bar of the histogram: values in [from, to).
struct ProfileBin {
  double from = 0, to = 0;
  std::int64_t count = 0;
};

struct ProfileValue {
  data::Value value;  ///< a text is cut to its first kProfileTextBytes bytes
  std::int64_t count = 0;
};
inline constexpr std::size_t kProfileTextBytes = 128;

/// How texts look: each ASCII letter A or a, each digit 9, other ASCII characters as they are; é
/// for every character that is not ASCII, ␀ for a control character, … after the 32nd.
struct ProfilePattern {
  std::string shape;  ///< "AAA-999", "Aaaa 9"
  std::int64_t count = 0;
};
/// What a shape keeps of its texts. Where there are more than kMostShapes of one level, the next
/// one is told.
enum class ShapeLevel : std::uint8_t {
  characters,  ///< one sign a character: "AA9-99"
  runs,        ///< a run of one sign is the sign and ⁺: "A⁺9-9⁺"
  classes,     ///< the classes that occur, once each; other ASCII characters are a point: "A9."
};
inline constexpr std::size_t kMostShapes = 256;

struct TextSummary {
  std::int64_t empty = 0;                       ///< texts without characters
  std::int64_t min_length = 0, max_length = 0;  ///< in code points; 0 without texts
  double mean_length = 0;
  std::vector<ProfileBin> lengths;  ///< their histogram
  ShapeLevel level = ShapeLevel::characters;
  std::vector<ProfilePattern> patterns;  ///< by count descending, then shape; at most 20
  std::int64_t patterns_distinct = 0;
};

/// One column. Booleans count as 0 and 1; dates are days, timestamps µs.
struct ColumnSummary {
  std::string name;
  data::Type type = data::Type::null;
  std::int64_t rows = 0, nulls = 0;

  /// Floats only; they are in no other number below.
  std::int64_t nans = 0, plus_infinities = 0, minus_infinities = 0;

  /// Numbers, booleans, dates, timestamps; of lists: of their lengths. Nothing of texts.
  std::int64_t zeros = 0, negatives = 0;
  data::Value min, max;                        ///< of the column's type; null where there is none
  std::optional<double> mean, deviation, sum;  ///< exact, rounded once; deviation divides by n − 1
  std::vector<ProfileQuantile> quantiles;      ///< at 0.01 0.05 0.1 0.25 0.5 0.75 0.9 0.95 0.99
  bool quantiles_exact = true;
  std::vector<ProfileBin> histogram;  ///< at most 32 bars of equal width, a power of two; exact

  /// All but lists. Beyond 4,096 distinct values `distinct` is an estimate (standard error 0.81 %)
  /// and no values are told.
  std::int64_t distinct = 0;
  bool distinct_exact = true;
  std::vector<ProfileValue> top_values;  ///< by count descending, then value; at most 20

  std::optional<TextSummary> text;      ///< of texts
  std::vector<ColumnSummary> elements;  ///< of lists: one, of all their elements together
};

struct ProfileSummary {
  std::int64_t rows = 0;
  std::vector<ColumnSummary> columns;
};

/// {"rows": …, "columns": [{"name": …, "type": …, …}]}; values as cells have them (data::to_json).
data::Json to_json(const ProfileSummary& summary);
data::Json to_json(const ColumnSummary& column);
/// What is left of a summary when no value of the column may be shown.
ColumnSummary without_values(ColumnSummary summary);
/// For people: a paragraph a column.
std::string to_text(const ProfileSummary& summary);
/// "12.5", or the date or time that a number of days or µs stands for.
std::string number_text(double value, data::Type type);
/// A deviation is no date: of times it is told in seconds, of dates in days.
std::string deviation_text(double deviation, data::Type type);

}  // namespace coeval::quality
