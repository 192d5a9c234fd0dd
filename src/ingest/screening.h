#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "define/project.h"
#include "ingest/row_intake.h"
#include "ingest/surroundings.h"
#include "quality/batch_checks.h"
#include "quality/epoch_units.h"
#include "quality/last_values.h"
#include "quality/personal_data.h"
#include "quality/unlisted_values.h"

namespace coeval::ingest {

/// Rows of one batch under every check of their source: those of single rows, and those of the
/// whole. Threading: one thread; the pool is for the latter.
class Screening {
 public:
  struct Options {
    define::Environment environment = define::Environment::train;
    std::size_t memory_bytes = std::size_t{256} << 20;  ///< for checks of the whole
    std::string spill_folder;                           ///< is there
    std::int64_t now_us = 0;                            ///< the clock: for freshness, `max_ahead`
    WorkerPool* pool = nullptr;                         ///< for checks of the whole, by column
  };
  /// `file`: what the rows are read from. What `past` refers to lives as long. Errors: those of
  /// RowIntake::create and Surroundings::read.
  static Result<std::unique_ptr<Screening>> create(const Past& past, int source,
                                                   const std::string& file, const Options& options);

  /// Rows in the order of the file. Errors: those of RowIntake::take.
  Result<TakenRows> take(const Piece& piece);
  /// After the last row: what each check of the whole found, and each budget. Call once.
  std::vector<quality::BatchFinding> finish();

  const quality::Conservation& counts() const { return counts_; }
  const quality::RowChecks& checks() const { return intake_.checks(); }
  /// Columns that look personal and of which the definition does not say whether they are.
  std::vector<quality::PersonalColumn> personal() const {
    return quality::untagged(source_, detector_.found());
  }
  /// What values came that an `enum` does not list.
  std::vector<std::string> unlisted() const { return unlisted_.texts(); }
  /// Columns of times that look like numbers in another unit.
  std::vector<std::string> other_units() const { return epochs_.texts(); }
  /// By rule: rows that stay and break a rule which warns.
  const std::map<std::string, std::int64_t>& warned() const { return warned_; }
  /// By rule: rows that may not stay; "format", "type", "known" where a row could not be read.
  const std::map<std::string, std::int64_t>& quarantined() const { return quarantined_; }

 private:
  Screening(const define::Source& source, RowIntake intake, Surroundings around,
            const Options& options);

  const define::Source& source_;
  RowIntake intake_;
  Surroundings around_;
  quality::KnownKeys known_keys_;
  quality::LastValues last_values_;
  std::unique_ptr<quality::BatchChecks> batch_checks_;
  std::optional<quality::BatchAccumulator> accumulator_;  // none: nothing is asked of the whole
  quality::Conservation counts_;
  std::int64_t now_us_;
  WorkerPool* pool_;
  std::vector<std::int64_t> broken_;  // by rule of checks()
  std::map<std::string, std::int64_t> warned_, quarantined_;
  quality::PersonalDataDetector detector_;
  quality::UnlistedValues unlisted_;
  quality::EpochSigns epochs_;
};

/// Per accepted row its place in the file.
std::vector<std::int64_t> places_of(const Piece& piece, const TakenRows& taken);

}  // namespace coeval::ingest
