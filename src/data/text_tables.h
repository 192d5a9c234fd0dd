#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/column.h"

namespace coeval::data {

/// One row of a text file that could not be read as its schema says.
struct BadTextRow {
  std::int64_t line = 0;  ///< 1-based line where the row starts
  std::string raw;        ///< the row's bytes
  std::string reason;
};

/// What a text table holds: rows that could be typed, with the line each began on, and those that
/// could not.
struct TextTable {
  Batch rows;
  std::vector<std::int64_t> lines;
  std::vector<BadTextRow> bad;
};

/// Reads RFC 4180 CSV with a header row; columns are matched by name; extra columns are ignored,
/// missing ones are an error. An empty unquoted field is null. A bad field makes a bad row, never
/// an error of the whole. Errors: bad_csv (no header, unterminated quote, missing column);
/// unsupported as check_csv_types.
Result<TextTable> read_csv(std::string_view text, const Schema& schema);
/// One JSON object a line. Unknown members are ignored; a missing nullable member is null. A member
/// of a name in `as_text` may also be an object or array: its text is the value.
Result<TextTable> read_jsonl(std::string_view text, const Schema& schema,
                             std::span<const std::string> as_text = {});

/// Errors: unsupported for a column of lists, which CSV has no way to write.
Status check_csv_types(const Schema& schema);

/// Writes with a header; strings quoted when they need it; null as an empty field.
std::string write_csv(const Batch& batch);
std::string write_jsonl(const Batch& batch);

}  // namespace coeval::data
