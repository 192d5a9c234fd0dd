#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "define/project.h"
#include "ingest/batch_record.h"
#include "ingest/ledger.h"
#include "ingest/sorted_rows.h"
#include "stores/event_log.h"

namespace coeval::ingest {

/// Calls back for rows in ascending order of known time.
using RowVisit = std::function<Status(const std::function<Status(const EncodedRow&)>& visit)>;

/// Appends a batch to the log and makes it durable: begin, as many events as the record says, end.
/// A log that nothing was served from starts before the first row that enters it, so that every row
/// keeps its own known time; it is called `log_id` then, or, where that is empty, as no other is.
/// The ledger notes the batch. Errors: disk_full, io, after which nothing of the
/// batch is in the log; internal when the rows are not as many as the record says.
Status publish(const define::Project& project, stores::EventLog& log, const std::string& log_id,
               Ledger& ledger, const BatchRecord& batch, KnownTime first_known,
               const RowVisit& rows);

/// Appends a note, durably.
Status publish(stores::EventLog& log, Ledger& ledger, const Note& note);

}  // namespace coeval::ingest
