#include "quality/batch_checks.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "base/time.h"
#include "quality/batch_fold.h"
#include "quality/profile.h"

namespace coeval::quality {

using define::Check;
using define::CheckKind;

std::string_view name(Outcome outcome) {
  constexpr std::string_view kNames[] = {"passed", "failed", "not evaluated", "skipped"};
  return kNames[static_cast<std::size_t>(outcome)];
}

namespace {

constexpr std::size_t kLeastMemory = std::size_t{1} << 20;

// The column that a check needs and the environment has not; null: none.
const define::SourceColumn* absent_column(const define::Source& source, const Check& check,
                                          define::Environment environment) {
  for (const auto* columns : {&check.columns, &check.keys})
    for (const int column : *columns) {
      const auto& declared = source.columns[static_cast<std::size_t>(column)];
      if (!declared.is_in(environment)) return &declared;
    }
  return nullptr;
}

std::string listed(const define::Source& source, const std::vector<int>& columns) {
  std::string text;
  for (const int column : columns)
    text += (text.empty() ? "" : ", ") + source.columns[static_cast<std::size_t>(column)].name;
  return text;
}

// "5 to 30", "at least 5", "at most 30"
std::string bounds_text(const Check& check) {
  if (check.min && check.max) return short_number(*check.min) + " to " + short_number(*check.max);
  if (check.min) return "at least " + short_number(*check.min);
  return "at most " + short_number(check.max.value_or(0));
}

std::string expected_number(const define::Source& source, const Check& check) {
  const std::string column = listed(source, check.columns), bounds = bounds_text(check);
  switch (check.kind) {
    case CheckKind::rows:
      return "a number of rows of " + bounds;
    case CheckKind::null_share:
      return "a share of nulls of " + column + " of " + bounds;
    case CheckKind::distinct:
      return "a number of distinct " + column + " of " + bounds;
    case CheckKind::mean:
      return "a mean of " + column + " of " + bounds;
    case CheckKind::quantile:
      return "the quantile " + short_number(check.p) + " of " + column + " " + bounds;
    case CheckKind::new_values:
      return "new values of " + column + ": " + bounds;
    case CheckKind::vanished_values:
      return "vanished values of " + column + ": " + bounds;
    default:
      return std::string(define::name(check.kind)) + " of " + column + " against " +
             check.reference + " " + bounds;
  }
}

std::string expected_text(const define::Source& source, const Check& check) {
  switch (check.kind) {
    case CheckKind::unique:
      return "no two rows with equal " + listed(source, check.columns);
    case CheckKind::volume:
      return "each hour's rows at most " + short_number(check.max.value_or(0)) +
             " times, and no less than that part, of what is usual at that hour of the week in " +
             format_duration(check.span_us);
    case CheckKind::sum:
      return "a sum of " + listed(source, check.columns) + " equal to that of " + check.text +
             (check.tolerance > 0 ? ", up to " + short_number(check.tolerance) : "");
    case CheckKind::freshness: {
      constexpr const char* kOf[] = {"event time", "arrival", "event time and arrival"};
      return "the newest " + std::string(kOf[static_cast<std::size_t>(check.freshness_of)]) +
             " at most " + format_duration(check.span_us) + " old";
    }
    case CheckKind::late_share:
      return "a share of rows known more than " + format_duration(check.span_us) +
             " after they happened of " + bounds_text(check);
    case CheckKind::out_of_order_share:
      return "a share of rows that happened before one above them of " + bounds_text(check);
    case CheckKind::gap:
      return (check.keys.empty() ? "gaps" : "gaps of each " + listed(source, check.keys)) +
             " longer than " + format_duration(check.span_us) + ": " + bounds_text(check);
    default:
      return expected_number(source, check);
  }
}

}  // namespace

bool needs_memory(CheckKind kind) {
  return kind == CheckKind::unique || kind == CheckKind::quantile ||
         kind == CheckKind::out_of_order_share || kind == CheckKind::gap;
}

std::unique_ptr<BatchFold> make_fold(const FoldSetting& setting) {
  switch (setting.check->kind) {
    case CheckKind::unique:
      return make_unique_fold(setting);
    case CheckKind::volume:
      return make_volume_fold(setting);
    case CheckKind::freshness:
    case CheckKind::late_share:
      return make_time_fold(setting);
    case CheckKind::out_of_order_share:
    case CheckKind::gap:
      return make_order_fold(setting);
    default:
      return define::is_distribution_check(setting.check->kind) ? make_distribution_fold(setting)
                                                                : make_number_fold(setting);
  }
}

// Means, quantiles and sums are values; of few rows they are those of a person.
bool tells_personal_values(const FoldSetting& setting) {
  const CheckKind kind = setting.check->kind;
  const bool tells =
      kind == CheckKind::mean || kind == CheckKind::quantile || kind == CheckKind::sum;
  return tells && setting.column().pii;
}

// One check: its finding so far says what is known before any row.
struct BatchChecks::Parts {
  struct Compiled {
    FoldSetting setting;
    BatchFinding finding;
    bool runs = true;
  };
  std::vector<Compiled> checks;
  std::vector<std::unique_ptr<Result<ColumnReference>>> references;
};

struct BatchAccumulator::Parts {
  struct Running {
    std::unique_ptr<BatchFold> fold;  // null: skipped
    BatchFinding finding;
    Status status;
    bool hides_values = false;  // what it finds is a value of a personal column, or near one
  };
  std::size_t columns = 0;
  std::vector<Running> checks;
};

BatchChecks::BatchChecks(const define::Source& source, define::Environment environment,
                         const ReferenceReader& references, BatchCheckOptions options)
    : parts_(std::make_unique<Parts>()) {
  const auto takes_memory = [&](const Check& check) {
    return needs_memory(check.kind) && absent_column(source, check, environment) == nullptr;
  };
  const auto sharing = static_cast<std::size_t>(std::ranges::count_if(source.checks, takes_memory));
  const std::size_t share =
      std::max(kLeastMemory, options.memory_bytes / std::max<std::size_t>(1, sharing));
  for (const Check& check : source.checks) {
    if (define::is_row_check(check.kind)) continue;
    Parts::Compiled compiled;
    compiled.setting = {
        &source,         &check, nullptr, share, options.spill_folder, options.sample_rows,
        options.examples};
    compiled.finding.rule = check.rule_name();
    compiled.finding.kind = define::name(check.kind);
    compiled.finding.severity = check.severity;
    compiled.finding.expected = expected_text(source, check);
    if (const auto* absent = absent_column(source, check, environment)) {
      compiled.runs = false;
      compiled.finding.outcome = Outcome::skipped;
      compiled.finding.observed = "column " + absent->name + " is not in the environment " +
                                  (environment == define::Environment::train ? "train" : "serve");
    } else if (define::is_distribution_check(check.kind)) {
      parts_->references.push_back(std::make_unique<Result<ColumnReference>>(references(
          check.reference, source.schema.fields[static_cast<std::size_t>(check.columns[0])])));
      compiled.setting.reference = parts_->references.back().get();
    }
    parts_->checks.push_back(std::move(compiled));
  }
}

BatchChecks::~BatchChecks() = default;

bool BatchChecks::empty() const { return parts_->checks.empty(); }

BatchAccumulator BatchChecks::start() const {
  auto parts = std::make_unique<BatchAccumulator::Parts>();
  for (const Parts::Compiled& compiled : parts_->checks) {
    parts->columns = compiled.setting.source->columns.size();
    parts->checks.push_back({compiled.runs ? make_fold(compiled.setting) : nullptr,
                             compiled.finding, Status{}, tells_personal_values(compiled.setting)});
  }
  return BatchAccumulator(std::move(parts));
}

BatchAccumulator::BatchAccumulator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
BatchAccumulator::BatchAccumulator(BatchAccumulator&&) noexcept = default;
BatchAccumulator& BatchAccumulator::operator=(BatchAccumulator&&) noexcept = default;
BatchAccumulator::~BatchAccumulator() = default;

void BatchAccumulator::add(const BatchPiece& piece, WorkerPool* pool) {
  if (parts_->checks.empty()) return;
  const auto rows = static_cast<std::size_t>(piece.rows.rows);
  COEVAL_CHECK(piece.rows.columns.size() == parts_->columns);
  COEVAL_CHECK(piece.known_us.size() == rows && piece.row_numbers.size() == rows);
  run_parts(pool, parts_->checks.size(), [&](std::size_t i) {
    Parts::Running& running = parts_->checks[i];
    if (running.fold && running.status) running.status = running.fold->add(piece);
  });
}

void BatchAccumulator::merge(BatchAccumulator&& other) {
  COEVAL_CHECK(parts_->checks.size() == other.parts_->checks.size());
  for (std::size_t i = 0; i < parts_->checks.size(); ++i) {
    Parts::Running& own = parts_->checks[i];
    Parts::Running& its = other.parts_->checks[i];
    if (own.fold == nullptr || !own.status) continue;
    own.status = its.status ? own.fold->merge(*its.fold) : its.status;
  }
}

std::vector<BatchFinding> BatchAccumulator::finish(const BatchContext& context) {
  std::vector<BatchFinding> findings;
  for (Parts::Running& running : parts_->checks) {
    BatchFinding& finding = running.finding;
    if (running.fold) {
      Result<Verdict> verdict = std::unexpected(Error{});
      if (running.status)
        verdict = running.fold->finish(context);
      else
        verdict = std::unexpected(running.status.error());
      running.fold.reset();
      if (!verdict) verdict = not_evaluated(verdict.error().message);
      finding.outcome = !verdict->evaluated ? Outcome::not_evaluated
                        : verdict->passed   ? Outcome::passed
                                            : Outcome::failed;
      finding.observed = std::move(verdict->observed);
      finding.number = verdict->number;
      if (running.hides_values && verdict->evaluated) {
        finding.observed = "(not shown: the column is personal)";
        finding.number.reset();
      }
      finding.rows_count = verdict->rows_count;
      finding.rows = std::move(verdict->rows);
      finding.examples = std::move(verdict->examples);
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

ReferenceReader references_in(const std::string& folder) {
  auto read = std::make_shared<std::map<std::string, Result<Profile>>>();
  return [folder, read](const std::string& path,
                        const data::Field& column) -> Result<ColumnReference> {
    const std::filesystem::path at = std::filesystem::path(folder) / path;  // path, if absolute
    auto found = read->find(path);
    if (found == read->end()) found = read->emplace(path, read_profile(at.string())).first;
    if (!found->second) return std::unexpected(found->second.error());
    const ColumnProfile* profile = found->second->find(column.name);
    if (profile == nullptr)
      return fail(Code::unknown_column,
                  "the reference '" + path + "' has no column '" + column.name + "'");
    if (profile->type() != column.type)
      return fail(Code::type_mismatch, "column '" + column.name + "' is " +
                                           data::name(column.type) + ", but in the reference '" +
                                           path + "' it is " + data::name(profile->type()));
    COEVAL_ASSIGN(stats::ReferenceBins bins, profile->reference());
    ColumnReference reference{std::move(bins), std::nullopt};
    if (auto values = profile->values()) {
      reference.values.emplace();
      for (ProfileValue& value : *values) reference.values->push_back(std::move(value.value));
    }
    return reference;
  };
}

}  // namespace coeval::quality
