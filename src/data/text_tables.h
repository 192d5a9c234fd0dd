#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/json.h"

namespace coeval::data {

/// A field of a row that could not be read as its column's type.
struct BadCell {
  int column = -1;       ///< of the schema
  bool missing = false;  ///< a JSON object has no such member
  Json observed;       ///< what stands there, of CSV its text; null in place of arrays and objects
  std::string reason;  ///< "delay: expected int32, found 'x' (byte 412)"
};

/// One row of a text file that could not be read as its schema says.
struct BadTextRow {
  std::int64_t line = 0;     ///< 1-based line where the row starts
  std::string raw;           ///< the row's bytes; of one that is too long its beginning
  std::string reason;        ///< each fault, with its column where it has one
  std::uint64_t offset = 0;  ///< of the row's first byte, from the beginning of the (unpacked) text
  /// Where only single fields are at fault: these by column, and a value of each column of the
  /// schema, null where it could not be read. Else both are empty.
  std::vector<BadCell> cells{};
  std::vector<Value> values{};
};

/// What a text table holds: rows that could be typed, with the line each began on, and those that
/// could not.
struct TextTable {
  Batch rows;
  std::vector<std::int64_t> lines;
  std::vector<BadTextRow> bad;
};

/// Where the rows of one batch lie in a text, and what lay between them and was no row.
struct TextPlaces {
  std::vector<std::int64_t> lines;  ///< per row the 1-based line it begins on
  std::vector<BadTextRow> bad;
  std::uint64_t text_offset = 0;            ///< of `text`, from the beginning of the unpacked text
  std::vector<std::uint32_t> begins, ends;  ///< per row its bytes in `text`, without the line end
  std::shared_ptr<const char[]> text;       ///< the piece that the rows were read from

  std::uint64_t offset(std::int64_t row) const {
    return text_offset + begins[static_cast<std::size_t>(row)];
  }
  /// The bytes of a row as they stand in the text.
  std::string_view raw(std::int64_t row) const {
    const auto at = static_cast<std::size_t>(row);
    return {text.get() + begins[at], ends[at] - begins[at]};
  }
};

/// Reads RFC 4180 CSV with a header row; columns are matched by name; extra columns are ignored,
/// missing ones are an error. An empty unquoted field is null; one with a byte 0 is bad. A bad
/// field makes a bad row, never an error of the whole. Plain, for texts in memory: the readers of
/// files (text_decoder.h) are as it is, and faster. Errors: bad_csv (no header, unterminated quote,
/// missing column); unsupported as check_csv_types.
Result<TextTable> read_csv(std::string_view text, const Schema& schema, char delimiter = ',');
/// One JSON object a line. Unknown members are ignored; a missing nullable member is null. A member
/// of a name in `as_text` may also be an object or array: its text is the value.
Result<TextTable> read_jsonl(std::string_view text, const Schema& schema,
                             std::span<const std::string> as_text = {});

/// Errors: unsupported for a column of lists, which CSV has no way to write.
Status check_csv_types(const Schema& schema);
/// Errors: unsupported for what is not a comma, a semicolon, a tab or '|'.
Status check_csv_delimiter(char delimiter);

/// Writes with a header; strings quoted when they need it; null as an empty field.
std::string write_csv(const Batch& batch);
/// A row as one JSON object. A string of bytes that are not UTF-8 keeps them.
std::string row_json(const Batch& batch, std::int64_t row);
/// Each row's row_json(), on a line.
std::string write_jsonl(const Batch& batch);

}  // namespace coeval::data
