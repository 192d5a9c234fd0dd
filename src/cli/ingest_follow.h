#pragma once

#include "cli/ingest_context.h"

namespace coeval::cli {

/// Ingests files as they come to stand in the folder of --follow, until a signal ends it. A disk
/// that is full does not: the file under way is tried again, with the log opened anew, until there
/// is room. Returns the exit code.
int follow_folder(Context& context, ingest::Ingestion ingestion, int source, OutcomeReport& report);

}  // namespace coeval::cli
