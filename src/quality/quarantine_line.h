#pragma once

#include <cstdint>
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
// Last comes the CRC32C of all that stands before it in the line, from the brace to the comma's
// left, in eight lower-case digits: ,"crc32c":"e3069283"}. Lines of older versions have none; a
// line without one that has a member which none of those wrote is damaged, so that damage to the
// checksum's own key is no way around it.
//
// Raw bytes that are not UTF-8 stand in "raw_hex" instead of "raw", two digits a byte.

namespace coeval::quality {

/// With its checksum and its line end.
std::string quarantine_line(const QuarantinedRow& row);
/// What a line says, without the checksum.
data::Json quarantine_json(const QuarantinedRow& row);

/// The part of a line that is equal exactly when source, origin, row and raw are. Inside a JSON
/// string every quote is escaped, so that the first `,"rules":` is the key.
inline std::string_view identity_part(std::string_view line) {
  return line.substr(0, line.find(",\"rules\":"));
}

/// Reads a line without its end, `number` being the line's in its file. Errors: bad_json when the
/// line does not have the bytes that were written, or is of another kind.
Result<QuarantinedRow> parse_quarantine_line(data::JsonParser& parser, std::string_view line,
                                             std::int64_t number);

}  // namespace coeval::quality
