#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"

namespace coeval::ingest {

/// Keys of a file of JSON lines that the source does not declare, near the name of a column that is
/// absent where they stand: a sentence for each, most likely a slip of the pen that makes a
/// nullable column null. Of other files nothing. Looks at the first lines only, at most 256 KiB of
/// them. Errors: those of stores::open_bytes.
Result<std::vector<std::string>> near_names(const define::Source& source, const std::string& path);

}  // namespace coeval::ingest
