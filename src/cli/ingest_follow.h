#pragma once

#include <optional>

#include "cli/ingest_context.h"

namespace coeval::cli {

/// Ingests files as they come to stand in the folder of --follow, until a signal ends it. A disk
/// that is full does not: the file under way is tried again, with the log opened anew, until there
/// is room, and the others are taken if they find some. Without `ingestion` the first file opens
/// it. Returns the exit code.
int follow_folder(Context& context, std::optional<ingest::Ingestion> ingestion, int source,
                  OutcomeReport& report);

}  // namespace coeval::cli
