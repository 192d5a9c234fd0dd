#include "quality/examination.h"

#include <algorithm>

#include "data/json.h"
#include "data/text_tables.h"
#include "quality/proposal.h"

namespace coeval::quality {

namespace {

constexpr std::size_t kMostRaw = 2000;  // bytes of a row in a sample

std::string shortened(std::string text) {
  if (text.size() > kMostRaw) text = text.substr(0, kMostRaw) + "…";
  return text;
}

std::string rows_text(std::int64_t count) {
  return with_separators(count) + (count == 1 ? " row" : " rows");
}

// From how many rows on a check warns or fails, where it says so.
std::string bounds_text(const define::Check* check) {
  std::string text;
  if (check != nullptr && check->warn_if) text = "warn_if " + rows_text(*check->warn_if);
  if (check != nullptr && check->error_if)
    text += (text.empty() ? "error_if " : ", error_if ") + rows_text(*check->error_if);
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

std::string masked(const std::string& raw, std::span<const std::string> columns) {
  if (columns.empty()) return raw;
  const auto row = data::parse_json(raw);
  if (!row || row->object() == nullptr) return "(not shown: the source has personal columns)";
  data::Json out{data::Json::Object{}};
  for (const auto& [name, value] : *row->object()) {
    const bool hidden = std::ranges::find(columns, name) != columns.end() && !value.is_null();
    out.set(name, hidden ? data::Json("***") : value);
  }
  return out.dump();
}

Examination::Examination(const define::Source& source, const RowChecks& checks, WorkerPool* pool)
    : source_(source),
      checks_(checks),
      pool_(pool),
      personal_columns_(personal_columns(source)),
      profile_(source.schema) {
  for (std::size_t i = 0; i < checks.rules().size(); ++i) rule_index_[checks.rules()[i].name] = i;
}

Status Examination::add_accepted(const data::Batch& rows, std::span<const std::int64_t> known_us) {
  COEVAL_TRY(profile_.add(rows, pool_));
  const data::Column& time = rows.columns[static_cast<std::size_t>(source_.time_index)];
  for (std::int64_t row = 0; row < rows.rows; ++row)
    times_.add(time.integer(row), known_us[static_cast<std::size_t>(row)]);
  return {};
}

bool Examination::reads_personal(const std::string& rule) const {
  if (personal_columns_.empty()) return false;
  const auto found = rule_index_.find(rule);
  if (found == rule_index_.end()) return true;  // of a row that could not be read: anything
  const auto& columns = checks_.rules()[found->second].columns;
  return std::ranges::any_of(columns, [&](int i) {
    const std::string& name = source_.columns[static_cast<std::size_t>(i)].name;
    return std::ranges::find(personal_columns_, name) != personal_columns_.end();
  });
}

// Why a row broke a rule. With personal columns in the source, of each rule what it found alone,
// and nothing of what could not be read, which may hold any column's value.
std::string Examination::told(const QuarantinedRow& row, const std::string& rule) const {
  if (personal_columns_.empty()) return row.reason;
  const auto index = rule_index_.find(rule);
  if (index == rule_index_.end()) return "(not shown: the source has personal columns)";
  if (reads_personal(rule)) return "(its value is not shown)";
  const data::Json* found = row.observed.find(rule);
  return checks_.rules()[index->second].description +
         (found == nullptr ? "" : ", found " + found->dump());
}

void Examination::add_sample(const std::string& rule, SampleRow row) {
  row.raw = shortened(masked(row.raw, personal_columns_));
  samples_.add(rule, std::move(row));
}

void Examination::add_quarantined(std::span<const QuarantinedRow> rows) {
  for (const QuarantinedRow& row : rows) {
    for (const std::string& rule : row.rules) {
      ++broken_[rule];
      if (samples_.wants(rule, row.origin, row.row))
        add_sample(rule, {row.origin, row.row, shortened(told(row, rule)), row.raw});
    }
  }
}

void Examination::add_warned(const data::Batch& piece, std::span<const RowVerdict> warned,
                             const std::string& origin, std::span<const std::int64_t> place_of) {
  for (const RowVerdict& verdict : warned) {
    const std::int64_t place = place_of[static_cast<std::size_t>(verdict.row)];
    for (const int index : verdict.rules) {
      const std::string& rule = checks_.rules()[static_cast<std::size_t>(index)].name;
      ++broken_[rule];
      if (!samples_.wants(rule, origin, place)) continue;
      add_sample(rule, {origin, place,
                        reads_personal(rule) ? "(its value is not shown)"
                                             : checks_.explain(piece, verdict.row, index),
                        data::row_json(piece, verdict.row)});
    }
  }
}

std::int64_t Examination::broken(const std::string& rule) const {
  const auto found = broken_.find(rule);
  return found == broken_.end() ? 0 : found->second;
}

RuleResult Examination::result_of(const Rule& rule) const {
  using Status = RuleResult::Status;
  const std::int64_t count = broken(rule.name);
  const define::Check* check =
      rule.check < 0 ? nullptr : &source_.checks[static_cast<std::size_t>(rule.check)];
  const bool lists_values = reads_personal(rule.name) && rule.name.ends_with(".enum");
  const std::string expected = lists_values ? "one of its values, not shown" : rule.description;
  RuleResult out{rule.name,      "row", expected + bounds_text(check), rows_text(count),
                 Status::passed, count, samples_.of(rule.name)};
  const auto at_least = [&](const std::optional<std::int64_t>& bound) {
    return bound && count >= *bound;
  };
  if (check != nullptr && at_least(check->error_if))
    out.status = Status::failed;
  else if (count > 0 && !(check != nullptr && check->warn_if && count < *check->warn_if))
    out.status = rule.severity == define::Severity::error ? Status::failed : Status::warned;
  return out;
}

void Examination::report(QualityReport& out) const {
  for (const Rule& rule : checks_.rules()) out.rules.push_back(result_of(rule));
  for (const auto& [rule, count] : broken_) {
    if (rule_index_.contains(rule)) continue;
    out.rules.push_back({rule, "row", "each row can be read as declared", rows_text(count),
                         RuleResult::Status::failed, count, samples_.of(rule)});
  }
  ProfileSummary summary = profile_.summary();
  for (ColumnSummary& column : summary.columns) {
    const bool pii = std::ranges::find(personal_columns_, column.name) != personal_columns_.end();
    out.columns.push_back({std::move(column), pii});
  }
  out.times = times_;
}

}  // namespace coeval::quality
