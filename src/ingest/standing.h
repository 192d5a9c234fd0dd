#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "ingest/ledger.h"

namespace coeval::ingest {

/// Where the rows of a source are, over all runs: every row read is in exactly one place.
struct Standing {
  std::string source;
  std::int64_t read = 0;  ///< of files, and those of requests that were accepted or quarantined
  std::int64_t accepted = 0, duplicates = 0;
  std::int64_t quarantined = 0;  ///< there now
  std::int64_t replayed = 0;     ///< out of the quarantine into the log
  std::int64_t dropped = 0;      ///< out of the quarantine for good
  std::int64_t lost = 0;         ///< out of the log: their records were damaged
  std::int64_t batches = 0;      ///< files in the log
  /// Below 0 where there are more rows than were read.
  std::int64_t missing() const {
    return read - accepted - duplicates - quarantined - replayed - dropped - lost;
  }
};

/// Adds up the log's batches and notes, and counts the lines of the quarantine. Of rows of requests
/// the log counts no quarantined ones: of them only what came of them is known. Of lost events of a
/// batch that had duplicates it cannot be told which were: accepted ones are taken off first.
/// `duplicates_of_requests`: those among the events that a server took. Errors: io.
Result<Standing> standing_of(const std::string& state_folder, const std::string& source,
                             const Ledger& ledger, std::int64_t duplicates_of_requests = 0);

/// "3 rows are nowhere: …" of a standing that does not add up.
std::string missing_text(const Standing& standing);

}  // namespace coeval::ingest
