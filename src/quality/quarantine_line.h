#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "data/json.h"
#include "quality/checks.h"

// A line of a quarantine file is one JSON object. What makes a row the same row comes first, so
// that two lines can be compared without parsing them:
//
//   {"source":"flights","origin":"a.parquet","row":17,"raw":"{…}","rules":["delay.min"],"reason":"…"}
//
// Behind the reason stands what is known besides: "batch", "sha256", "offset", "observed" (an
// object by rule), "schema", "header" of a line of CSV, "time_us", "request". Each may be absent,
// as it is in lines of older versions.
//
// Raw bytes that are not UTF-8 stand in "raw_hex" instead of "raw", two digits a byte.

namespace coeval::quality {

/// With its line end.
std::string quarantine_line(const QuarantinedRow& row);

/// The part of a line that is equal exactly when source, origin, row and raw are. Inside a JSON
/// string every quote is escaped, so that the first `,"rules":` is the key.
inline std::string_view identity_part(std::string_view line) {
  return line.substr(0, line.find(",\"rules\":"));
}

/// Errors: bad_json saying which member is absent or of another kind.
Result<QuarantinedRow> parse_quarantine_line(const data::Json& line);

}  // namespace coeval::quality
