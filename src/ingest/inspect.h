#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/worker_pool.h"
#include "define/project.h"
#include "ingest/past_rows.h"
#include "quality/report.h"

namespace coeval::ingest {

struct InspectOptions {
  define::Environment environment = define::Environment::train;
  std::int64_t now_us = 0;                            ///< for checks of freshness
  std::string spill_folder;                           ///< is there; for exact checks of many rows
  std::size_t memory_bytes = std::size_t{256} << 20;  ///< of those checks
  std::string origin;          ///< what the report calls the file; empty: its path
  WorkerPool* pool = nullptr;  ///< for the profile and the checks of the whole
};

/// Reads a file as rows of a source and runs every check on them, as one batch, without writing
/// anything: what `coeval check --data` says. Checks that ask for more than the file (`volume`,
/// `refers`, `equals`) get it from `past`, as they do when it is ingested. Errors: the format's;
/// those of Screening::create.
Result<quality::QualityReport> inspect(const Past& past, int source, const std::string& path,
                                       const InspectOptions& options);

}  // namespace coeval::ingest
