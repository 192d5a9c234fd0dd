#pragma once

#include <functional>
#include <string>

#include "cli/context.h"

namespace coeval::cli {

/// One line of what `coeval doctor` found.
using Finding =
    std::function<void(const std::string& subject, bool sound, const std::string& what)>;

/// Examines what a sound log holds, record by record: counts by kind and source, positions, known
/// times, schemas and rows, batches; the tables of sealed segments against their segments; what
/// retention removed; the lines of the quarantine, and whether every row that was read is
/// somewhere. With --repair, tables and notes that are not what they should be move to the log's
/// quarantine: `coeval log seal` makes them again.
void examine_log_content(Context& context, const Finding& add);

}  // namespace coeval::cli
