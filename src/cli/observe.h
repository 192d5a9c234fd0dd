#pragma once

#include <string>

#include "base/error.h"
#include "quality/proposal.h"
#include "replay/history.h"

namespace coeval::cli {

/// Reads a file from its first to its last row and says what its columns hold. Columns of text
/// formats get the narrowest type that holds all of their values (quality::TypeGuess), and are read
/// a second time as such. `path` is read as it is and named as it is in what comes back.
/// Errors: those of the format; bad_file for a file without rows or columns.
Result<quality::ObservedFile> observe_file(const replay::OpenFormat& formats,
                                           const std::string& path);

}  // namespace coeval::cli
