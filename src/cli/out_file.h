#pragma once

#include <string>

#include "base/error.h"
#include "replay/history.h"

namespace coeval::cli {

/// Whether --out can be written, asked before any work is done for it. Errors: usage for a folder;
/// unsupported for an ending; no_such_file; io where permissions are missing.
Status check_out(const replay::OpenFormat& formats, const std::string& out);

}  // namespace coeval::cli
