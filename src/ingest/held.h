#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "ingest/batch_record.h"
#include "ingest/publish.h"
#include "stores/append_file.h"

namespace coeval::ingest {

/// A batch that waits for a person: below STATE/staged/ID a log of its own with this one batch, and
/// held.json, without which the folder is of a run that died.
struct HeldBatch {
  BatchRecord record;
  KnownTime first_known;
  std::vector<std::string> reasons;
  std::string folder;
};

/// Writes a batch to wait; one of the same id makes way. Errors: io, disk_full.
Status hold(const std::string& state_folder, const BatchRecord& batch, KnownTime first_known,
            const std::vector<std::string>& reasons, const RowVisit& rows,
            const std::shared_ptr<stores::FileLayer>& files);

/// A held batch of which the folder does not say what it is.
struct DamagedHeld {
  std::string id;
  Error error;  ///< io, log_corrupt, bad_json, naming the file
};
struct HeldBatches {
  std::vector<HeldBatch> batches;  ///< by id
  std::vector<DamagedHeld> damaged;
};
HeldBatches held_batches(const std::string& state_folder);

/// Its rows. Errors: log_corrupt, io.
RowVisit rows_of(const HeldBatch& held);

/// Removes folders of runs that died, and those of batches that are in the log: with the log's
/// writer only.
Status settle_held(const std::string& state_folder, const Ledger& ledger);

}  // namespace coeval::ingest
