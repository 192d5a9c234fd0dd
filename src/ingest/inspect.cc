#include "ingest/inspect.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "ingest/ledger.h"
#include "ingest/named_rows.h"
#include "ingest/near_names.h"
#include "ingest/screening.h"
#include "ingest/side_hash.h"
#include "ingest/sorted_rows.h"
#include "ingest/table_pieces.h"
#include "quality/batch_checks.h"
#include "quality/examination.h"
#include "stores/files.h"
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

// Whether a finding is of a check of rows, whose own result says as much.
bool is_of_row_rule(const quality::BatchFinding& finding, const quality::RowChecks& checks) {
  return std::ranges::find(checks.rules(), finding.rule, &quality::Rule::name) !=
         checks.rules().end();
}

// The rows that stay, where duplicates have to be found among them.
class NamedRows {
 public:
  static Result<NamedRows> create(const define::Source& source, const InspectOptions& options) {
    std::string folder = options.spill_folder;
    if (folder.empty() && source.has_names()) {
      COEVAL_ASSIGN(folder, stores::temporary_folder());
    }
    return NamedRows(source.has_names(), {options.memory_bytes, std::move(folder)});
  }
  Status add(const TakenRows& taken) {
    return has_names_ ? rows_.add(taken.accepted, taken.known_us) : Status{};
  }
  Result<std::int64_t> duplicates(const Past& past, int source, const std::string& path) {
    if (!has_names_) return 0;
    COEVAL_TRY(rows_.finish());
    return count_duplicates(past.project, source, past.formats, past.log, rows_, path);
  }

 private:
  NamedRows(bool has_names, SortedRows::Options options)
      : has_names_(has_names), rows_(std::move(options)) {}
  bool has_names_;
  SortedRows rows_;
};

// Says so where the log has the content: ingesting it would add nothing.
Status note_known(const Past& past, const std::string& source, const std::string& sha256,
                  quality::QualityReport& report, bool& is_known) {
  if (past.log == nullptr) return {};
  COEVAL_ASSIGN(const Ledger ledger, Ledger::read(*past.log));
  const LoggedBatch* there = ledger.find_content(source, sha256);
  is_known = there != nullptr;
  if (is_known)
    report.notes.push_back("the log has this content already, as batch " + there->record.id +
                           " of " + origin_text(there->record.origin) +
                           ": ingesting it adds nothing");
  return {};
}

}  // namespace

Result<quality::QualityReport> inspect(const Past& past, int source, const std::string& path,
                                       const InspectOptions& options) {
  const define::Source& declared = past.project.sources[static_cast<std::size_t>(source)];
  const std::string& origin = options.origin.empty() ? path : options.origin;
  std::optional<SideHash> hash;
  if (path != "-") hash.emplace(path);
  COEVAL_ASSIGN(const auto screening,
                Screening::create(past, source, path,
                                  {options.environment, options.memory_bytes, options.spill_folder,
                                   options.now_us, options.pool}));
  quality::Examination examination(declared, screening->checks(), options.pool);
  COEVAL_ASSIGN(NamedRows named, NamedRows::create(declared, options));
  COEVAL_TRY(read_pieces(declared, past.formats, path, 0, [&](const Piece& piece) -> Status {
    COEVAL_ASSIGN(TakenRows taken, screening->take(piece));
    for (quality::QuarantinedRow& row : taken.quarantined) row.origin = origin;
    examination.add_quarantined(taken.quarantined);
    examination.add_warned(taken.accepted, taken.warned, origin, places_of(piece, taken));
    if (taken.accepted.rows == 0) return {};
    if (Status added = named.add(taken); !added) return added;
    return examination.add_accepted(taken.accepted, taken.known_us);
  }));
  quality::QualityReport report;
  examination.report(report);
  for (const auto& finding : screening->finish())
    if (!is_of_row_rule(finding, screening->checks()))
      report.rules.push_back(rule_result(finding, origin));
  report.personal = screening->personal();
  report.notes = screening->unlisted();
  std::ranges::move(screening->other_units(), std::back_inserter(report.notes));
  COEVAL_ASSIGN(auto near, near_names(declared, past.formats, path));
  std::ranges::move(near, std::back_inserter(report.notes));
  bool is_known = false;
  std::string sha256;
  if (hash) {
    COEVAL_ASSIGN(sha256, hash->hex());
    COEVAL_TRY(note_known(past, declared.name, sha256, report, is_known));
  }
  report.counts = screening->counts();
  if (!is_known) {
    COEVAL_ASSIGN(report.counts.duplicates, named.duplicates(past, source, path));
    report.counts.accepted -= report.counts.duplicates;
  }
  report.project = past.project.name;
  report.source = declared.name;
  report.ir_hash = past.project.ir_hash;
  report.schema_version = stores::tag_text(stores::schema_tag(declared.schema));
  report.made_at_us = options.now_us;
  report.files.push_back(
      {origin, std::move(sha256), report.counts, report.failed() ? "failed" : "passed"});
  return report;
}

}  // namespace coeval::ingest
