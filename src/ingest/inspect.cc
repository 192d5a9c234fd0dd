#include "ingest/inspect.h"

#include <algorithm>
#include <utility>

#include "data/hash.h"
#include "ingest/row_intake.h"
#include "ingest/table_pieces.h"
#include "quality/examination.h"
#include "stores/record_names.h"

namespace coeval::ingest {

namespace {

using quality::RuleResult;

// The exact sum of a column of another source's own file.
Result<quality::ColumnSum> sum_of_file(const define::Project& project, int source, int column,
                                       const replay::OpenFormat& formats) {
  const define::Source& other = project.sources[static_cast<std::size_t>(source)];
  if (other.path.empty())
    return fail(Code::no_such_file, "source '" + other.name + "' has no file to sum");
  quality::ColumnSum sum(other.columns[static_cast<std::size_t>(column)].type);
  const auto add = [&](data::Batch rows) -> Status {
    sum.add(rows.columns[static_cast<std::size_t>(column)]);
    return {};
  };
  COEVAL_TRY(replay::stream_history(project, source, formats, {}, add));
  return sum;
}

// One file on its way through every check.
class FileInspection {
 public:
  FileInspection(const define::Source& source, const quality::RowChecks& checks,
                 const quality::BatchChecks& batch_checks, WorkerPool* pool, std::string path)
      : examination_(source, checks, pool),
        accumulator_(batch_checks.start()),
        path_(std::move(path)) {}

  Status add(const RowIntake& intake, const Piece& piece) {
    COEVAL_ASSIGN(TakenRows taken, intake.take(piece));
    counts_.read += piece.rows();
    counts_.accepted += taken.accepted.rows;
    counts_.quarantined += static_cast<std::int64_t>(taken.quarantined.size());
    for (quality::QuarantinedRow& row : taken.quarantined) {
      row.origin = path_;
      for (const std::string& rule : row.rules) ++bad_.by_rule[rule];
    }
    examination_.add_quarantined(taken.quarantined);
    examination_.add_warned(taken.accepted, taken.warned, path_, places(piece, taken));
    COEVAL_TRY(examination_.add_accepted(taken.accepted, taken.known_us));
    const std::vector<std::int64_t> numbers = places(piece, taken);
    accumulator_.add({taken.accepted, taken.known_us, numbers});
    return {};
  }

  quality::QualityReport finish(const define::Source& source,
                                const quality::BatchContext& context) {
    quality::QualityReport report;
    report.counts = counts_;
    examination_.report(report);
    bad_.read = counts_.read;
    bad_.quarantined = counts_.quarantined;
    for (const auto& finding : accumulator_.finish(context))
      report.rules.push_back(rule_result(finding, path_));
    for (const auto& finding : quality::judge_bad_rows(source, bad_))
      report.rules.push_back(rule_result(finding, path_));
    return report;
  }

 private:
  static std::vector<std::int64_t> places(const Piece& piece, const TakenRows& taken) {
    std::vector<std::int64_t> out;
    out.reserve(taken.rows.size());
    for (const std::int64_t row : taken.rows) out.push_back(piece.place(row));
    return out;
  }

  quality::Examination examination_;
  quality::BatchAccumulator accumulator_;
  quality::Conservation counts_;
  quality::BadRows bad_;
  std::string path_;
};

}  // namespace

RuleResult rule_result(const quality::BatchFinding& finding, const std::string& origin) {
  using quality::Outcome;
  using Status = RuleResult::Status;
  RuleResult out;
  out.name = finding.rule;
  out.kind = "batch";
  out.expected = finding.expected;
  out.observed = finding.observed;
  out.rows_count = finding.rows_count;
  const bool warns = finding.severity == define::Severity::warn;
  switch (finding.outcome) {
    case Outcome::passed:
    case Outcome::skipped:
      out.status = Status::passed;
      break;
    case Outcome::failed:
      out.status = warns ? Status::warned : Status::failed;
      break;
    case Outcome::not_evaluated:
      out.status = warns ? Status::warned : Status::not_evaluated;
      break;
  }
  for (std::size_t i = 0; i < finding.examples.size(); ++i)
    out.samples.push_back({origin, i < finding.rows.size() ? finding.rows[i] : -1,
                           finding.examples[i], {}});
  return out;
}

}  // namespace coeval::ingest
