#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "data/json.h"
#include "data/value.h"

namespace coeval::quality {

/// The narrowest type that holds every value of a column that was seen: of texts (the fields of
/// CSV) or of JSON values.
///
/// Texts: bool, int32, int64, float64, date (2001-05-01), timestamp (RFC 3339, a space for T), else
/// string. A number with a leading zero or a plus, such as a postal code, is a string; so is an
/// integer that int64 cannot hold. JSON: the same, but only strings may be dates and timestamps,
/// only numbers numbers; objects and arrays are strings with their text, lists of numbers of one
/// length list<float32>(n). Integers that all lie between 2001 and 2100 as µs since the epoch are
/// timestamps.
///
/// Determinism: a function of the multiset of values.
class TypeGuess {
 public:
  void add_null() { ++nulls_; }
  /// `text` is not null: an empty quoted field is a string.
  void add_text(std::string_view text);
  void add_json(const data::Json& value);

  /// string where no value was seen, or where none else fits.
  data::Type type() const;
  std::int64_t values() const { return values_; }
  std::int64_t nulls() const { return nulls_; }
  /// Whether values were objects or arrays, so that the column holds JSON text.
  bool holds_json() const { return (fits_ & kNested) != 0; }
  /// What integers look like that are no timestamps but moments all the same: "seconds",
  /// "milliseconds", "nanoseconds", or nothing.
  std::string_view epoch_unit() const;

 private:
  // Whether every value so far is one of this kind; kNested: whether any was an object or array.
  enum : unsigned {
    kBoolean = 1,
    kInteger = 2,
    kReal = 4,
    kDate = 8,
    kTime = 16,
    kList = 32,
    kAll = 63,
    kNested = 64
  };
  void note(unsigned kinds) {
    fits_ &= kinds | kNested;
    ++values_;
  }
  void note_integer(std::int64_t value);
  void note_array(const data::Json::Array& array);
  bool within(std::int64_t least, std::int64_t most) const {
    return least_ >= least && most_ <= most;
  }

  unsigned fits_ = kAll;
  std::int64_t values_ = 0, nulls_ = 0;
  std::int64_t least_ = std::numeric_limits<std::int64_t>::max(),
               most_ = std::numeric_limits<std::int64_t>::min();  // of integers
  std::size_t list_length_ = 0;
};

}  // namespace coeval::quality
