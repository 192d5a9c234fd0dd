#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/json.h"

namespace coeval::data {

/// The first thing wrong with a JSON text.
struct JsonFault {
  Code code = Code::bad_json;
  std::size_t offset = 0;  ///< in bytes
  std::string what;        ///< "expected ',' or '}'"
  std::string found;       ///< the value at fault; may be empty
};

/// Reads the text from its beginning by the plain grammar and stops at the first fault; nothing
/// when there is none. The fast parser says only that a text is wrong: this one says where, and is
/// its oracle: a text has a fault exactly when parse_json() refuses it (fuzz/json_fuzz.cc).
std::optional<JsonFault> find_json_fault(std::string_view text, const JsonLimits& limits);

}  // namespace coeval::data
