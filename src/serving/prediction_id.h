#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace coeval::serving {

/// 26 characters of Crockford base 32: 48 bits of milliseconds, then 80 bits that never repeat
/// within a log: the log position of the prediction's record (64) and a random part of the process
/// (16). Sorts by time. Because the position is inside, a prediction is found again without an
/// index.
std::string make_prediction_id(std::int64_t ms, std::uint64_t position, std::uint16_t salt);

/// The log position inside an id, or nothing when the text is not one.
std::optional<Position> position_of(std::string_view id);

}  // namespace coeval::serving
