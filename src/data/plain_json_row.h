#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/column.h"

namespace coeval::data {

/// Reads objects of one schema straight from JSON text into columns, as long as they are plain; the
/// rest is left to parse_json and from_json, whose verdict on a plain object is the same value.
///
/// Plain is an object whose members have names and texts without escapes, each name once, and
/// values of the declared types as programs write them: integers of at most 18 digits without a
/// fraction, numbers within range, timestamps and dates as time texts or integers, null or nothing
/// at all where that is allowed. Members of other names may hold scalars. Lists are not plain.
///
/// Threading: one thread.
class PlainJsonRow {
 public:
  /// Keeps a reference to `schema`.
  explicit PlainJsonRow(const Schema& schema);

  /// Reads the object that `text`, which must be UTF-8, begins with, and moves `text` behind it.
  /// False when it is not plain, or no object at all: `text` then stands where it stood. Views into
  /// the text are kept until append_to.
  bool read(std::string_view& text);
  /// Appends the row that was read to one builder per field.
  void append_to(std::vector<ColumnBuilder>& builders) const;

 private:
  struct Cell {
    enum class Kind : std::uint8_t { null, integer, real, boolean, text };
    Kind kind = Kind::null;
    std::int64_t integer = 0;
    double real = 0;
    std::string_view text;
  };
  bool read_member(std::string_view& rest);
  bool read_value(std::string_view& rest, std::size_t field);
  bool read_unknown(std::string_view& rest, std::string_view name);
  std::size_t field_of(std::string_view name);
  bool fill_missing();

  const Schema& schema_;
  std::vector<Cell> cells_;               // by field
  std::vector<std::uint64_t> read_in_;    // by field: the number of the object that last had it
  std::uint64_t object_ = 0;              // the number of this one
  std::size_t read_count_ = 0;            // fields that this one had
  std::vector<std::size_t> order_;        // fields in the order of the object before
  std::size_t members_ = 0;               // of this one, so far
  std::vector<std::string_view> others_;  // names that are no field's
};

}  // namespace coeval::data
