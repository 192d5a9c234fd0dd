#pragma once

#include "base/error.h"
#include "cli/context.h"
#include "replay/retention.h"
#include "stores/sealed_files.h"

namespace coeval::cli {

/// Seals the closed segments of the project's log. Beside a server, too.
Result<stores::SealReport> seal_log(Context& context);

/// Where closed segments are not sealed yet, seals them and then removes what retention lets go; no
/// predictions. Says what was removed. `formats` must be the calling thread's own; `threads` write
/// tables.
Status seal_and_trim(Context& context, const replay::OpenFormat& formats, int threads);

/// The same after an ingestion, on all threads: the rows are in the log, whatever comes of this, so
/// a failure is a warning.
void keep_up_log(Context& context);

/// Removes what retention lets go, by the log's own time.
Result<replay::TrimReport> trim_by_retention(Context& context, replay::TrimOptions options);

}  // namespace coeval::cli
