#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/zone_rule.h"

namespace coeval {

/// What a TZif file says about local time.
struct Tzif {
  std::int32_t first_offset_s = 0;  ///< before the first change: the file's type 0 (RFC 9636, 3.2)
  std::vector<ZoneChange> changes;  ///< times strictly ascending
  std::optional<ZoneRule> rule;     ///< from the last change on; always, when there is none
};

/// Reads the 64-bit data and the footer of a TZif file (RFC 9636, version 2 to 4). Files with leap
/// seconds are refused: our time has none. Errors: bad_file.
Result<Tzif> parse_tzif(std::span<const std::uint8_t> file);

}  // namespace coeval
