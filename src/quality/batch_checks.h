#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "data/column.h"
#include "define/project.h"
#include "quality/column_sum.h"
#include "stats/reference_bins.h"

namespace coeval::quality {

/// What became of a check of a batch.
enum class Outcome : std::uint8_t {
  passed,
  failed,
  not_evaluated,  ///< it could not run, or has too little to go by: `observed` says why
  skipped,        ///< a column that it needs is not in this environment
};
std::string_view name(Outcome outcome);

/// What one check, or one budget, has to say of a batch.
struct BatchFinding {
  std::string rule;  ///< "checks.once"; of a source's budgets "max_bad_rows", "max_bad_ratio"
  std::string kind;  ///< "unique", "psi": as definitions name it; of budgets as `rule`
  define::Severity severity = define::Severity::error;
  Outcome outcome = Outcome::passed;
  std::string observed;          ///< "3 rows repeat an earlier one"
  std::string expected;          ///< "no two rows with equal flight, date"
  std::optional<double> number;  ///< that was held against the bounds, where there is one
  std::int64_t rows_count = 0;   ///< offending rows, where rows offend
  /// Those of them whose keyed hash is smallest, ascending: numbers of rows as pieces gave them.
  std::vector<std::int64_t> rows;
  /// The first of what is wrong, in words: "row 17 repeats row 3: flight 12, date 2001-06-01".
  /// Values of personal columns are not told.
  std::vector<std::string> examples;

  /// Never green when it could not run.
  bool is_green() const { return outcome == Outcome::passed || outcome == Outcome::skipped; }
  bool holds_batch() const { return severity == define::Severity::error && !is_green(); }
  friend bool operator==(const BatchFinding&, const BatchFinding&) = default;
};

/// Some rows of a batch: all columns of the source in its order, without rows in quarantine. The
/// spans have an entry for each row. Row numbers tell rows of a batch apart, across all its pieces,
/// and are in the order in which the batch has them (rows of the file).
struct BatchPiece {
  const data::Batch& rows;
  std::span<const std::int64_t> known_us;
  std::span<const std::int64_t> row_numbers;
};

/// Rows of a source by the hour in which they happened: hours since the epoch, UTC.
struct HourlyRows {
  std::map<std::int64_t, std::int64_t> rows;  ///< of hours with rows
  void add(std::span<const std::int64_t> event_us);
};

/// A column of a frozen profile.
struct ColumnReference {
  stats::ReferenceBins bins;
  /// Each distinct value, nulls apart; nothing where there are too many to know.
  std::optional<std::vector<data::Value>> values;
};
/// The reference of a column by a check's `reference`. Errors: whatever keeps it from being read;
/// they become findings.
using ReferenceReader =
    std::function<Result<ColumnReference>(const std::string& path, const data::Field& column)>;
/// Reads profiles (profile.h) whose paths are relative to `folder`, each file once.
ReferenceReader references_in(const std::string& folder);

struct BatchCheckOptions {
  /// Of one accumulator, for what exact answers must remember of every row; beyond it goes to disk.
  /// At least 1 MiB is taken for each check that needs some.
  std::size_t memory_bytes = std::size_t{256} << 20;
  std::string spill_folder;      ///< is there; empty: the system's folder for temporary files
  std::size_t sample_rows = 20;  ///< offending rows that a finding tells
  std::size_t examples = 5;
};

/// What a verdict needs beside the rows.
struct BatchContext {
  std::int64_t now_us = 0;  ///< the clock, for freshness
  /// The source's rows so far, this batch's apart; null: not known.
  const HourlyRows* history = nullptr;
  /// The sum of a column of another source (indexes of define::Project); may be empty.
  std::function<Result<ColumnSum>(int source, int column)> other_sum;
};

/// Sees the rows of one batch and judges. What it finds is a function of the set of rows (number,
/// known time, values): pieces, their order, merges, memory and threads change nothing. (semantics:
/// A1) Memory: as the options say, and some 100 KB a check.
/// Threading: one thread at a time; each thread has its own, which are merged.
class BatchAccumulator {
 public:
  BatchAccumulator(BatchAccumulator&&) noexcept;
  BatchAccumulator& operator=(BatchAccumulator&&) noexcept;
  ~BatchAccumulator();

  /// An error in here, such as a full disk, makes the finding of that check "not evaluated". A
  /// check is one part of the pool's, where there is one.
  void add(const BatchPiece& piece, WorkerPool* pool = nullptr);
  /// Takes what another of the same BatchChecks has seen.
  void merge(BatchAccumulator&& other);
  /// A finding for each check, in the order of the definition. Ends the accumulator's life.
  std::vector<BatchFinding> finish(const BatchContext& context);

 private:
  friend class BatchChecks;
  struct Parts;
  explicit BatchAccumulator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// The checks of a source that look at whole batches, compiled once. docs/language.md says what
/// each one asks; rules that it leaves open stand beside the code of the kind. Threading: const,
/// safe from any thread.
class BatchChecks {
 public:
  /// Checks over columns that are absent in `environment` are skipped. `source` outlives it, and so
  /// its accumulators. A reference that cannot be read is no error here: its check is not
  /// evaluated.
  BatchChecks(const define::Source& source, define::Environment environment,
              const ReferenceReader& references, BatchCheckOptions options = {});
  ~BatchChecks();
  /// Whether there is nothing to check.
  bool empty() const;
  BatchAccumulator start() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// How many rows of a batch broke rules.
struct BadRows {
  std::int64_t read = 0, quarantined = 0;
  std::map<std::string, std::int64_t> by_rule;  ///< "checks.route"; rules without bad rows may lack
};
/// Judges a batch by counts alone: the source's max_bad_rows and max_bad_ratio (of the rows read),
/// and `warn_if` and `error_if` of its row checks. A finding for each bound that is declared,
/// passed or not; what `warn_if` finds has severity warn, all else error.
std::vector<BatchFinding> judge_bad_rows(const define::Source& source, const BadRows& counts);

}  // namespace coeval::quality
