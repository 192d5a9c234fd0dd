#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace coeval {

/// Bytes of "4GB", "512MiB", "1000000": KB, MB, GB, TB are powers of 1000, KiB … of 1024. Errors:
/// usage.
Result<std::int64_t> parse_bytes(std::string_view text);

}  // namespace coeval
