#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "replay/history.h"

namespace coeval::ingest {

/// Columns of a file, or keys of JSON lines, that the source does not declare, near the name of a
/// column that is absent where they stand: a sentence for each, most likely a slip of the pen that
/// makes a nullable column null. Of standard input nothing. Looks at the first bytes of texts only,
/// at most 256 KiB of them. Errors: those of stores::open_bytes.
Result<std::vector<std::string>> near_names(const define::Source& source,
                                            const replay::OpenFormat& formats,
                                            const std::string& path);

}  // namespace coeval::ingest
