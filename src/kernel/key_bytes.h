#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/column.h"

namespace coeval::kernel {

/// Writes the bytes of a row's key into `key`: per key column a fixed-width little-endian value, or
/// a length and the bytes of a string; −0 as +0 and every NaN as one, so that keys which compare
/// equal have equal bytes, whatever the width of their integers. False when a part is null.
bool make_key(std::string& key, std::span<const data::Column* const> columns, std::int64_t row);

}  // namespace coeval::kernel
