#include "ingest/inspect.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "data/hash.h"
#include "ingest/row_intake.h"
#include "ingest/table_pieces.h"
#include "quality/examination.h"
#include "quality/key_times.h"
#include "quality/last_values.h"
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

// Rows by hour of the source's own file, which is history to every other file; nothing where no
// check asks for it.
Result<std::optional<quality::HourlyRows>> history_of(const define::Project& project, int source,
                                                      const replay::OpenFormat& formats,
                                                      const std::string& path) {
  const define::Source& declared = project.sources[static_cast<std::size_t>(source)];
  const bool asked = std::ranges::any_of(declared.checks, [](const define::Check& check) {
    return check.kind == define::CheckKind::volume;
  });
  const std::string own = replay::source_path(project, source);
  std::error_code ignored;
  if (!asked || own.empty() || std::filesystem::equivalent(own, path, ignored)) return std::nullopt;
  quality::HourlyRows hours;
  const auto add = [&](data::Batch rows) -> Status {
    hours.add(rows.columns[static_cast<std::size_t>(declared.time_index)].values<std::int64_t>());
    return {};
  };
  COEVAL_TRY(replay::stream_history(project, source, formats, {}, add));
  return hours;
}

// What checks of `refers` ask, from the files of the sources that they name.
class ForeignKeys {
 public:
  static Result<ForeignKeys> read(const define::Project& project, const define::Source& source,
                                  const replay::OpenFormat& formats) {
    ForeignKeys keys;
    for (const define::Check& check : source.checks) {
      if (check.kind != define::CheckKind::refers) continue;
      const define::Source& other = project.sources[static_cast<std::size_t>(check.other_source)];
      if (other.path.empty())
        return fail(Code::no_such_file,
                    "'" + check.rule_name() + "' looks for keys in source '" + other.name +
                        "', which has no file",
                    "give it a path");
      auto times = std::make_unique<quality::KeyTimes>();
      const auto add = [&](data::Batch rows) -> Status {
        const auto known_us = replay::known_times(other, rows, nullptr);
        return times->add(rows.columns[static_cast<std::size_t>(check.other_column)], known_us);
      };
      COEVAL_TRY(replay::stream_history(project, check.other_source, formats, {}, add));
      keys.times_.emplace(check.name, std::move(times));
    }
    return keys;
  }
  quality::KnownKeys known() const {
    return [this](const define::Check& check, const data::Column& values,
                  std::span<const std::int64_t> before, std::span<std::uint8_t> out) -> Status {
      times_.at(check.name)->answer(values, before, out);
      return {};
    };
  }

 private:
  std::map<std::string, std::unique_ptr<quality::KeyTimes>> times_;
};

// One file on its way through every check.
class FileInspection {
 public:
  FileInspection(const define::Source& source, const quality::RowChecks& checks,
                 const quality::BatchChecks& batch_checks, WorkerPool* pool, std::string path)
      : examination_(source, checks, pool),
        accumulator_(batch_checks.start()),
        path_(std::move(path)) {}

  Status add(const RowIntake& intake, const Piece& piece, const quality::RowContext& context) {
    COEVAL_ASSIGN(TakenRows taken, intake.take(piece, context));
    counts_.read += piece.rows();
    counts_.accepted += taken.accepted.rows;
    counts_.quarantined += static_cast<std::int64_t>(taken.quarantined.size());
    for (quality::QuarantinedRow& row : taken.quarantined) {
      row.origin = path_;
      for (const std::string& rule : row.rules) ++bad_.by_rule[rule];
    }
    examination_.add_quarantined(taken.quarantined);
    const std::vector<std::int64_t> numbers = places(piece, taken);
    examination_.add_warned(taken.accepted, taken.warned, path_, numbers);
    COEVAL_TRY(examination_.add_accepted(taken.accepted, taken.known_us));
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
    out.samples.push_back(
        {origin, i < finding.rows.size() ? finding.rows[i] : -1, finding.examples[i], {}});
  return out;
}

Result<quality::QualityReport> inspect(const define::Project& project, int source,
                                       const replay::OpenFormat& formats, const std::string& path,
                                       const InspectOptions& options) {
  const define::Source& declared = project.sources[static_cast<std::size_t>(source)];
  COEVAL_ASSIGN(const RowIntake intake, RowIntake::create(declared, options.environment));
  const quality::BatchChecks batch_checks(
      declared, options.environment, quality::references_in(project.folder),
      {.memory_bytes = options.memory_bytes, .spill_folder = options.spill_folder});
  COEVAL_ASSIGN(const ForeignKeys foreign_keys, ForeignKeys::read(project, declared, formats));
  const quality::KnownKeys known_keys = foreign_keys.known();
  quality::LastValues last_values;
  const quality::RowContext context{
      .arrivals = {}, .last_values = &last_values, .known_keys = &known_keys};
  FileInspection inspection(declared, intake.checks(), batch_checks, options.pool, path);
  COEVAL_TRY(read_pieces(declared, formats, path, 0, [&](const Piece& piece) {
    return inspection.add(intake, piece, context);
  }));
  quality::BatchContext batch;
  batch.now_us = options.now_us;
  COEVAL_ASSIGN(const auto history, history_of(project, source, formats, path));
  if (history) batch.history = &*history;
  batch.other_sum = [&](int other, int column) {
    return sum_of_file(project, other, column, formats);
  };
  quality::QualityReport report = inspection.finish(declared, batch);
  report.project = project.name;
  report.source = declared.name;
  report.ir_hash = project.ir_hash;
  report.schema_version = std::to_string(stores::schema_tag(declared.schema));
  report.made_at_us = options.now_us;
  quality::ReportedFile file{path, {}, report.counts, report.failed() ? "failed" : "passed"};
  if (path != "-") {
    COEVAL_ASSIGN(file.sha256, data::sha256_of_file(path));
  }
  report.files.push_back(std::move(file));
  return report;
}

}  // namespace coeval::ingest
