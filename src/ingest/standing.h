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
  std::int64_t batches = 0;      ///< files in the log
  std::int64_t missing() const {
    return read - accepted - duplicates - quarantined - replayed - dropped;
  }
};

/// Adds up the log's batches and notes, and counts the lines of the quarantine. Of rows of requests
/// the log counts no quarantined ones: of them only what came of them is known. Errors: io.
Result<Standing> standing_of(const std::string& state_folder, const std::string& source,
                             const Ledger& ledger);

}  // namespace coeval::ingest
