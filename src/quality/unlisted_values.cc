#include "quality/unlisted_values.h"

#include <algorithm>

#include "data/utf8.h"
#include "quality/personal_data.h"

namespace coeval::quality {

namespace {

constexpr std::size_t kMostNamed = 8;
constexpr std::size_t kMostBytes = 60;  // of a value

std::string rows_text(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " row" : " rows");
}

std::string shown(const std::string& text) {
  std::string out;
  data::append_json_string(out, data::utf8_prefix(text, kMostBytes));
  return text.size() > kMostBytes ? out + "…" : out;
}

}  // namespace

UnlistedValues::UnlistedValues(const define::Source& source, const RowChecks& checks)
    : checks_(checks), of_rule_(checks.rules().size(), -1) {
  const std::vector<std::string> personal = personal_columns(source);
  for (std::size_t i = 0; i < checks.rules().size(); ++i) {
    const Rule& rule = checks.rules()[i];
    if (rule.column < 0 || !rule.name.ends_with(".enum")) continue;
    const std::string name = rule.name.substr(0, rule.name.size() - 5);
    of_rule_[i] = std::ssize(columns_);
    index_.emplace(rule.name, columns_.size());
    const bool is_personal = std::ranges::find(personal, name) != personal.end();
    columns_.push_back(
        {rule.name, is_personal, rule.severity == define::Severity::error, {}, 0, 0});
  }
}

void UnlistedValues::add(Column& column, const data::Json& value) {
  ++column.rows;
  if (column.is_personal || value.string() == nullptr) return;
  const auto known = column.rows_of.find(*value.string());
  if (known != column.rows_of.end())
    ++known->second;
  else if (column.rows_of.size() < kMostValues)
    column.rows_of.emplace(*value.string(), 1);
  else
    ++column.other_rows;
}

void UnlistedValues::add(std::span<const QuarantinedRow> rows) {
  if (columns_.empty()) return;
  for (const QuarantinedRow& row : rows)
    for (const std::string& rule : row.rules)
      if (const auto found = index_.find(rule); found != index_.end()) {
        const data::Json* value = row.observed.find(rule);
        add(columns_[found->second], value == nullptr ? data::Json() : *value);
      }
}

void UnlistedValues::add(const data::Batch& rows, std::span<const RowVerdict> warned) {
  if (columns_.empty()) return;
  for (const RowVerdict& verdict : warned)
    for (const int rule : verdict.rules)
      if (const auto column = of_rule_[static_cast<std::size_t>(rule)]; column >= 0)
        add(columns_[static_cast<std::size_t>(column)], checks_.found(rows, verdict.row, rule));
}

std::vector<std::string> UnlistedValues::texts() const {
  std::vector<std::string> texts;
  for (const Column& column : columns_) {
    if (column.rows == 0) continue;
    std::vector<std::pair<std::int64_t, std::string>> most;
    for (const auto& [value, rows] : column.rows_of) most.emplace_back(-rows, value);
    std::ranges::sort(most);
    std::string text = column.rule + " does not list ";
    if (most.empty()) text += "the values of " + rows_text(column.rows) + ", which are not shown";
    std::int64_t named = 0;
    for (std::size_t i = 0; i < std::min(most.size(), kMostNamed); ++i) {
      text += (i == 0 ? "" : ", ") + shown(most[i].second) + " (" + rows_text(-most[i].first) + ")";
      named -= most[i].first;
    }
    if (!most.empty() && named < column.rows)
      text += " and other values (" + rows_text(column.rows - named) + ")";
    texts.push_back(text + ": add what is sound to the enum" +
                    (column.keeps_out ? ", then `coeval quarantine replay` takes the rows" : ""));
  }
  return texts;
}

}  // namespace coeval::quality
