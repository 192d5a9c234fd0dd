#include "ingest/inspect.h"

#include <utility>

#include "data/hash.h"
#include "ingest/screening.h"
#include "ingest/table_pieces.h"
#include "quality/batch_checks.h"
#include "quality/examination.h"
#include "stores/record_names.h"

namespace coeval::ingest {

namespace {

using quality::RuleResult;

// What a check of a batch found, as a report tells it. `origin` is the file.
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
  for (const std::string& example : finding.examples)
    out.samples.push_back({origin, -1, example, {}});
  if (finding.rows.empty()) return out;
  std::string rows;
  for (const std::int64_t row : finding.rows)
    rows += (rows.empty() ? "" : ", ") + std::to_string(row);
  out.samples.push_back({origin, -1, "rows such as " + rows, {}});
  return out;
}

}  // namespace

Result<quality::QualityReport> inspect(const Past& past, int source, const std::string& path,
                                       const InspectOptions& options) {
  const define::Source& declared = past.project.sources[static_cast<std::size_t>(source)];
  COEVAL_ASSIGN(const auto screening, Screening::create(past, source, path,
                                                        {options.environment, options.memory_bytes,
                                                         options.spill_folder, options.now_us}));
  quality::Examination examination(declared, screening->checks(), options.pool);
  COEVAL_TRY(read_pieces(declared, past.formats, path, 0, [&](const Piece& piece) -> Status {
    COEVAL_ASSIGN(TakenRows taken, screening->take(piece));
    for (quality::QuarantinedRow& row : taken.quarantined) row.origin = path;
    examination.add_quarantined(taken.quarantined);
    examination.add_warned(taken.accepted, taken.warned, path, places_of(piece, taken));
    if (taken.accepted.rows == 0) return {};
    return examination.add_accepted(taken.accepted, taken.known_us);
  }));
  quality::QualityReport report;
  examination.report(report);
  for (const auto& finding : screening->finish())
    report.rules.push_back(rule_result(finding, path));
  report.counts = screening->counts();
  report.project = past.project.name;
  report.source = declared.name;
  report.ir_hash = past.project.ir_hash;
  report.schema_version = stores::tag_text(stores::schema_tag(declared.schema));
  report.made_at_us = options.now_us;
  quality::ReportedFile file{path, {}, report.counts, report.failed() ? "failed" : "passed"};
  if (path != "-") {
    COEVAL_ASSIGN(file.sha256, data::sha256_of_file(path));
  }
  report.files.push_back(std::move(file));
  return report;
}

}  // namespace coeval::ingest
