#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "data/column.h"
#include "define/project.h"
#include "quality/checks.h"
#include "quality/personal_data.h"
#include "quality/profile.h"
#include "quality/report.h"
#include "quality/sample_rows.h"
#include "quality/time_counts.h"

namespace coeval::quality {

/// Gathers what a report says of a source while its rows pass: rules broken with their samples, the
/// profile, the counts over time. Whoever reads the rows decides which
/// stay; here they are only counted, so that `check --data` and `ingest` report alike.
///
/// Values of columns that are tagged personal are in no sample.
///
/// Determinism: the report is a function of the set of rows, whatever the pieces.
/// Threading: one thread; the pool is for the profile.
class Examination {
 public:
  /// `source` and `checks` outlive it.
  Examination(const define::Source& source, const RowChecks& checks, WorkerPool* pool = nullptr);

  /// Rows that stay, with their known times. Errors: type_mismatch for another schema.
  Status add_accepted(const data::Batch& rows, std::span<const std::int64_t> known_us);
  /// Rows that do not: those that broke rules, and those that could not be read.
  void add_quarantined(std::span<const QuarantinedRow> rows);
  /// Rows of a piece that broke rules which are warnings; `place_of` the places of its rows.
  void add_warned(const data::Batch& piece, std::span<const RowVerdict> warned,
                  const std::string& origin, std::span<const std::int64_t> place_of);

  std::int64_t broken(const std::string& rule) const;
  const Profile& profile() const { return profile_; }

  /// Fills in rules of rows, columns and times; what checks of batches found, and which columns
  /// look personal, is the caller's to add. `read` is the number of rows that budgets are measured
  /// against.
  void report(QualityReport& out) const;

 private:
  bool reads_personal(const std::string& rule) const;
  std::string told(const QuarantinedRow& row, const std::string& rule) const;
  void add_sample(const std::string& rule, SampleRow row);
  RuleResult result_of(const Rule& rule) const;

  const define::Source& source_;
  const RowChecks& checks_;
  WorkerPool* pool_;
  std::vector<std::string> personal_columns_;  // tagged, and the texts that they are taken out of
  std::map<std::string, std::size_t> rule_index_;
  std::map<std::string, std::int64_t> broken_;
  SampleRows samples_;
  Profile profile_;
  TimeCounts times_;
};

/// A row's JSON with the members of these names hidden; of a text that is no JSON object nothing is
/// shown, when there are any.
std::string masked(const std::string& raw, std::span<const std::string> columns);

}  // namespace coeval::quality
