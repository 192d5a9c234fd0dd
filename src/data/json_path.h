#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::data {

class Json;

/// One step into JSON: a member of an object, or an element of an array.
struct JsonStep {
  std::string key;          ///< of a member; not read where there is an index
  std::int64_t index = -1;  ///< of an element, from 0
  friend bool operator==(const JsonStep&, const JsonStep&) = default;
};

/// Where a value is found: a column that holds JSON text, then the way into it.
struct JsonPath {
  std::string column;
  std::vector<JsonStep> steps;  ///< 1 to kMaxJsonSteps

  /// As it is written: payload.card."odd key"[0].
  std::string text() const;
  /// Its beginning, the column and `count` steps.
  std::string text(std::size_t count) const;
};
inline constexpr std::size_t kMaxJsonSteps = 64;

/// Reads a path: parts of letters, digits, _ and - with points between them, [0] for an element;
/// any other part in double quotes, where a doubled quote stands for one. Errors: bad_toml_value.
Result<JsonPath> parse_json_path(std::string_view text);

/// The value at the end of the way, or null where a member or an element is missing or null.
/// Errors: type_mismatch for a step into what has no members or elements; the message begins with
/// the path to it.
Result<const Json*> find_json(const Json& root, const JsonPath& path);

}  // namespace coeval::data
