#pragma once

#include <cstdint>

#include "base/error.h"
#include "define/project.h"
#include "ingest/ledger.h"
#include "ingest/sorted_rows.h"
#include "replay/history.h"
#include "stores/event_log.h"

namespace coeval::ingest {

/// Counts rows whose id an event was given before: in the source's file up to the cut, in the log,
/// or among the rows themselves. They are recorded all the same, and applied once. (semantics: T7)
/// 0 where events have no names. The source's file is left out when it is `except`. `log` may be
/// null. Needs memory for the names of the log and, for
/// a source with a file, its rows. Errors: those of replay::load_history and of the log.
Result<std::int64_t> count_duplicates(const define::Project& project, int source,
                                      const replay::OpenFormat& formats,
                                      const stores::EventLog* log, const SortedRows& rows,
                                      const std::string& except = {});

/// Counts the duplicates among the events of a source that stand in no batch: those that a server
/// took, of which the log does not tell. 0 where events have no names. Needs memory and has errors
/// as above. What retention removed of the log gave no name.
Result<std::int64_t> duplicates_of_requests(const define::Project& project, int source,
                                            const replay::OpenFormat& formats,
                                            const stores::EventLog* log, const Ledger& ledger);

}  // namespace coeval::ingest
