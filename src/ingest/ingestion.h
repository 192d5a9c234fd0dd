#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "define/project.h"
#include "ingest/batch_record.h"
#include "ingest/decide.h"
#include "ingest/held.h"
#include "ingest/ledger.h"
#include "replay/history.h"
#include "stores/event_log.h"

namespace coeval::ingest {

struct IngestOptions {
  std::size_t memory_bytes = std::size_t{1} << 30;  ///< for rows that wait; the rest spills
  /// Besides what the source declares; the stricter one holds.
  Budgets budgets;
  bool dry_run = false;  ///< counts and decides; writes nothing
  /// The clock that checks of freshness and `max_ahead` ask, µs since the epoch; nothing else does.
  std::function<std::int64_t()> now_us = [] { return SystemClock().now_us(); };
  std::string log_id;  ///< of a log that begins with this; empty = one that no other log has
  /// Rows read so far of the file under way. Called now and then.
  std::function<void(std::int64_t rows)> progress;
  std::shared_ptr<stores::FileLayer> files = stores::disk_files();  ///< the seam for full disks
};

/// What became of one file, or of the rows that left the quarantine.
struct BatchOutcome {
  enum class State {
    published,
    held,
    known,    ///< its content is in the log already, as `record`
    counted,  ///< a dry run
    nothing,  ///< no row to publish
  };
  State state = State::published;
  BatchRecord record;
  std::vector<std::string> reasons;  ///< of a held batch
  std::vector<std::string> warnings;
  std::map<std::string, std::int64_t> quarantined;  ///< by rule
  std::string note;  ///< "only what was added since line 10001", or empty
};

/// Brings files into a project's log: each as one batch, wholly or not at all, each content once.
///
/// Idempotence: what was ingested is told by the log alone. A run that died has published a batch
/// or has not; what else it left is removed, and the same call does the rest. Determinism: the log,
/// the quarantine and what is held follow from the files, their order and the definition; no clock.
/// Threading: one thread; it starts others.
class Ingestion {
 public:
  /// Takes the log's lock, unless it is a dry run. Errors: log_locked, log_corrupt, io, disk_full.
  static Result<Ingestion> open(std::shared_ptr<const define::Project> project,
                                replay::OpenFormat formats, std::string state_folder,
                                IngestOptions options);

  /// Ingests one file. `origin` is what it is called in the log (display_path()). Errors: the
  /// format's; io when the file changes while it is read; disk_full. After an error of the log open
  /// another.
  Result<BatchOutcome> file(int source, const std::string& path, const std::string& origin);
  /// Publishes a held batch. Errors: unknown_name; unsupported when the source has another schema
  /// by now; those of damaged_held().
  Result<BatchOutcome> release(const std::string& id, const std::string& reason);
  /// Forgets a held batch, and notes it in the log. Errors: unknown_name.
  Result<BatchOutcome> discard(const std::string& id, const std::string& reason);
  /// Checks a source's quarantine again under the present definition: rows that pass are published
  /// as a batch and leave it.
  Result<BatchOutcome> replay_quarantine(int source);
  /// Takes rows out of the quarantine for good: all of a source, or those that broke `rule`. The
  /// log notes why.
  Result<Note> drop_quarantine(const std::string& source, const std::string& rule,
                               const std::string& reason);

  const Ledger& ledger() const { return ledger_; }
  /// Held batches that cannot be read; ingesting their files again makes them anew.
  const std::vector<DamagedHeld>& damaged_held() const { return damaged_held_; }
  /// Records of an unfinished batch that a run which died had left in the log.
  std::uint64_t taken_back() const { return taken_back_; }

 private:
  Ingestion() = default;
  Status settle();
  Result<HeldBatch> find_held(const std::string& id) const;
  Budgets budgets_of(const define::Source& source) const;

  std::shared_ptr<const define::Project> project_;
  replay::OpenFormat formats_;
  std::string state_folder_;
  IngestOptions options_;
  std::unique_ptr<stores::EventLog> log_;  // of a dry run for reading, and null when there is none
  Ledger ledger_;
  std::vector<DamagedHeld> damaged_held_;
  std::uint64_t taken_back_ = 0;
};

/// How a file is called in the log: from the project's folder where it lies below it, else from the
/// root.
std::string display_path(const define::Project& project, const std::string& path);

}  // namespace coeval::ingest
