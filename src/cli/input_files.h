#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "ingest/spooled_input.h"

namespace coeval::cli {

/// A pattern's files in the order of their names; a name that is a file's, and "-", is taken as it
/// is. Errors: no_such_file when none matches, io.
Result<std::vector<std::string>> files_of(const std::string& pattern);

/// Standard input to its end as a file in `folder`, of the format of --format (default: csv).
/// Errors: io, disk_full.
Result<ingest::SpooledInput> spool_input(const Context& context, const std::string& folder);

/// An error about such a file, which nobody knows by its name.
Error about_input(Error error, const ingest::SpooledInput& spooled);

}  // namespace coeval::cli
