#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/json.h"
#include "define/project.h"
#include "quality/checks.h"

namespace coeval::serving {

/// One row of a request body that may not stay.
struct BadEventRow {
  std::int64_t row = 0;            ///< 0-based place in the body
  std::string raw;                 ///< as it came, without blanks around it
  std::vector<std::string> rules;  ///< "distance.type", "distance.null", "row.json"
  std::string reason;              ///< "distance: expected int32, found a string"
  data::Json observed{};           ///< by rule
};

/// A body of events, typed by the source's schema. Refers to the body.
struct EventRows {
  data::Batch typed;  ///< the rows that are objects; null where a value is unreadable
  std::vector<std::int64_t> places;                  ///< for each its 0-based place in the body
  std::vector<std::string_view> raw;                 ///< for each its text, in the body
  std::vector<quality::UnreadableValue> unreadable;  ///< of `typed`, ascending by row
  std::vector<BadEventRow> bad;                      ///< as read: those that are no objects
  std::int64_t rows = 0;                             ///< all of them
  bool single = false;                               ///< the body was one object
};

/// Reads one object, an array of objects, or NDJSON. Members that the source does not declare are
/// ignored, as in files, and so are those that are taken out of JSON (JsonExtraction), whose text
/// may be given as an object; a missing nullable member is null, and nulls are left to the rules;
/// every fault of a row is reported. NDJSON is known from its first line, a whole object with more
/// behind it, or is said to be that by `lines`. Errors: bad_json when the body as a whole cannot be
/// read. (semantics: V1)
Result<EventRows> read_event_rows(std::string_view body, const define::Source& source,
                                  bool lines = false);

}  // namespace coeval::serving
